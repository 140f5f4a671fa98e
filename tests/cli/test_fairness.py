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


def test_a_column_that_is_not_there_is_said(tmp_path):
    said = answer("fairness", "table", STUDY, "--group", "nation", *ASKED, home=tmp_path, code=1)
    assert said["error"]["code"] == "unknown_column"
