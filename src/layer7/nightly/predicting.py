"""The stage ``predict``: learn how likely interviews are, test it, adopt it or not, and what persons add."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.chances import Chances, chance_rows, to_chances
from layer7.analytics.outcomes import Outlook, seconds_of
from layer7.analytics.within_people import sample_people
from layer7.nightly.looking import seldom
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.optimization.likelihood import LikelihoodModel, contest, own_table, own_terms, version_of
from layer7.optimization.likelihood.judging import Contest
from layer7.optimization.likelihood.telling import verdict_of
from layer7.storage.likelihoods import InUse
from layer7.storage.reading import Tables

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
        sample = to_chances(_rows(sample_people(log.applications, n, most=SAMPLE), outlook), cohorts)
        night.progress(0.2)
        report, model = _judged(night, sample)
        night.progress(0.4)
        parts = list(_own(night, log.applications.filter(log.applications.submitted_at.notnull()), n=n,
                          asked=(model, cohorts, outlook)))  # fmt: skip
    rows = night.home.warehouse.replace(OWN, pa.concat_tables(parts), at=night.clock())
    return Outcome(rows, report)


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


def _own(
    night: Night,
    sent: ir.Table,
    *,
    n: int,
    asked: tuple[LikelihoodModel, Mapping[str, str], Outlook],
) -> Iterator[pa.Table]:
    """Give what people's own applications add, some buckets at a time so that memory stays bounded."""
    model, cohorts, outlook = asked
    buckets = night.home.settings.buckets
    step = max(1, min(buckets, AT_ONCE * buckets // max(n, 1)))
    for first in range(0, buckets, step):
        part = sent.filter(sent.bucket.between(first, min(first + step, buckets) - 1))
        chances = to_chances(_rows(part, outlook), cohorts, model.keys)
        table = own_table(own_terms(model, chances), chances)
        names = pa.array([version_of(model)] * table.num_rows, pa.string())
        yield table.append_column("model", names)
        night.progress(0.4 + 0.6 * min(first + step, buckets) / buckets)
