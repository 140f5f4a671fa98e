"""The model of the chance of an interview as people see it: terms, tests, history."""

import json
from datetime import UTC, datetime

from layer7.contract.evidence import Lineage
from layer7.contract.likelihood import Likelihood, LikelihoodVerdict
from layer7.optimization.likelihood.telling import terms_of, usual_chance
from layer7.storage.home import Home

METHOD = (
    "additive log odds: slopes, effects of levels shrunk to nothing, an average of each person's own; "
    "silence counts as far as it was seen; tested on later applications"
)
_CHANGE = "A night's challenger that is calibrated on later applications and not worse; or a rollback."


def shown(home: Home) -> Likelihood:
    """Give the model in use, and what was decided about the latest challenger.

    Args:
        home: the installation.
    """
    now = home.likelihoods.in_use()
    verdict, lineage = None, None
    for run in home.runs.latest(limit=30, status="done"):
        said = run.report.get("predict", {})
        if "version" in said:
            told = {name: said[name] for name in LikelihoodVerdict.model_fields}
            verdict = LikelihoodVerdict.model_validate_json(json.dumps(told))
            lineage = Lineage(run_id=str(run.id))
            break
    model = now.served
    return Likelihood(
        version=now.version,
        since=None if now.move is None else now.move.at,
        held=now.held,
        trained_to=datetime.fromtimestamp(model.trained_to, UTC).isoformat() if model.trained_to else None,
        n=model.n,
        events=model.events,
        people=model.persons,
        usual_chance=usual_chance(model),
        spread_between_people=model.people.sd,
        personal=model.personal,
        terms=terms_of(model),
        verdict=verdict,
        method=METHOD,
        what_would_change_this=_CHANGE,
        lineage=lineage,
    )
