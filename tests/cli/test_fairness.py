"""``layer7 fairness``, as a stranger types it."""

from pathlib import Path

from cli.test_commands import answer

STUDY = str(Path(__file__).parents[2] / "examples" / "correspondence_study.csv")
ASKED = ("--outcome", "contacted", "--weight", "n")


def test_the_table_of_the_study(tmp_path):
    found = answer("fairness", "table", STUDY, "--group", "group", *ASKED, home=tmp_path)
    by_group = {row["category"]: row for row in found}
    assert (by_group["Russian"]["people"], by_group["Russian"]["selected"]) == (1018, 428)
    assert round(by_group["Tatar"]["ratio"], 3) == round((317 / 953) / (424 / 988), 3)
    crossed = answer(
        "fairness", "table", STUDY, "--group", "group", "--group", "gender", *ASKED, home=tmp_path
    )
    assert {"Russian, female", "Russian, male"} <= {row["category"] for row in crossed}
    assert sum(row["people"] for row in crossed) == 9784


def test_scores_are_compared_by_who_is_above_the_median(tmp_path):
    """By hand: the median of 1 to 8 is 4.5; of a 3 of 4 are above it, of b 1 of 4; no score, not counted."""
    rows = ["g,s", *(f"a,{at}" for at in (2, 5, 6, 7)), *(f"b,{at}" for at in (1, 3, 4, 8)), "b,"]
    (tmp_path / "scores.csv").write_text("\n".join(rows), encoding="utf-8")
    asked = ("fairness", "table", str(tmp_path / "scores.csv"), "--group", "g")
    found = {row["category"]: row for row in answer(*asked, "--score", "s", home=tmp_path)}
    assert [(found[name]["people"], found[name]["selected"]) for name in "ab"] == [(4, 3), (4, 1)]
    assert found["b"]["ratio"] == 1 / 3
    for wrong in ((), ("--score", "s", "--outcome", "s")):
        said = answer(*asked, *wrong, home=tmp_path, code=1)
        assert said["error"]["code"] == "wrong_options"


def test_a_column_that_is_not_there_is_said(tmp_path):
    said = answer("fairness", "table", STUDY, "--group", "nation", *ASKED, home=tmp_path, code=1)
    assert said["error"]["code"] == "unknown_column"
