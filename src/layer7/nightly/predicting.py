"""The stage ``predict``: learn how likely interviews are, test it, adopt it or not, and what persons add."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, seconds_of
from layer7.analytics.cells.chances import Chances, chance_rows, to_chances
from layer7.analytics.optimizing.within_people import sample_people
from layer7.nightly.looking import seldom
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.optimization.likelihood import LikelihoodModel, contest, own_table, own_terms, version_of
from layer7.optimization.likelihood.judging import Contest
from layer7.optimization.likelihood.telling import verdict_of
from layer7.storage.decisions.likelihoods import InUse
from layer7.storage.warehouse.reading import Tables

SAMPLE = 300_000
"""Applications of so many are enough to learn everybody's terms from."""

AT_ONCE = 500_000
OWN = "own_terms"
"""The derived table of what people's own applications add, one row each."""


@seldom(OWN)
def predict(night: Night) -> Outcome:
    """Learn how likely interviews are, test it on later applications, and adopt it if it is good enough."""
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        outlook = night.outlook(tables, log) if log else None
        if log is None or outlook is None:
            return NOTHING_YET
        cohorts = _cohorts(tables)
        n = int(log.applications.submitted_at.count().to_pyarrow().as_py())
        rows = _rows(sample_people(log.applications, n, most=SAMPLE), outlook)
        night.progress(0.2)
        report, model = _judged(night, to_chances(rows, cohorts))
        night.progress(0.4)
        # A sample of everybody is everybody's rows.
        some = [rows] if n <= SAMPLE else _by_bucket(night, log.applications, outlook, n=n)
        parts = [_own(part, cohorts, model) for part in some]
    return Outcome(night.home.warehouse.replace(OWN, pa.concat_tables(parts), at=night.clock()), report)


def _rows(applications: ir.Table, outlook: Outlook) -> pa.Table:
    rows: pa.Table = chance_rows(applications, outlook).to_pyarrow()
    return rows


def _cohorts(tables: Tables) -> Mapping[str, str]:
    """Give everybody's segment by level, role and experience."""
    members = tables.read("memberships")
    if members is None:
        return {}
    placed = members.filter(members.profile.notnull()).select("person", "profile").to_pyarrow()
    return dict(zip(placed["person"].to_pylist(), placed["profile"].to_pylist(), strict=True))


def _judged(night: Night, sample: Chances) -> tuple[Mapping[str, Any], LikelihoodModel]:
    """Judge tonight's model against the one in use; gives the report and the model in use from now on."""
    store, at = night.home.likelihoods, night.clock()
    champion = store.in_use()
    found = contest(sample, trained_to=seconds_of(night.horizon.end), champion=champion.tested)
    said = verdict_of(found, version=version_of(found.served), champion=champion.version)
    kept = _kept_back(champion, found)
    if kept is not None:
        said = said.model_copy(update={"adopted": False, "reason": kept})
    if said.adopted:
        store.adopt(found.served, found.tested, why=said.reason, at=at)
    elif said.version != champion.version and said.test is not None:
        store.refuse(found.served, why=said.reason, at=at)
    return said.model_dump(mode="json"), found.served if said.adopted else champion.served


def _kept_back(champion: InUse, found: Contest) -> str | None:
    """Why a challenger does not come into use whatever its test says; None if nothing holds it back."""
    if champion.held:
        return "the model in use was rolled back to, and is held until it is released"
    if champion.served.trained_to > found.served.trained_to:
        return "the model in use knows more than this night may"
    if version_of(found.served) == champion.version:
        return "it is the model in use"
    return None


def _by_bucket(night: Night, applications: ir.Table, outlook: Outlook, *, n: int) -> Iterator[pa.Table]:
    """Give everybody's rows, some buckets at a time so that memory stays bounded."""
    sent = applications.filter(applications.submitted_at.notnull())
    buckets = night.home.settings.buckets
    step = max(1, min(buckets, AT_ONCE * buckets // n))
    for first in range(0, buckets, step):
        yield _rows(sent.filter(sent.bucket.between(first, min(first + step, buckets) - 1)), outlook)
        night.progress(0.4 + 0.6 * min(first + step, buckets) / buckets)


def _own(rows: pa.Table, cohorts: Mapping[str, str], model: LikelihoodModel) -> pa.Table:
    """Give what people's own applications add."""
    chances = to_chances(rows, cohorts, model.keys)
    table = own_table(own_terms(model, chances), chances)
    return table.append_column("model", pa.array([version_of(model)] * table.num_rows, pa.string()))
