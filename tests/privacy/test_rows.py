"""Bad inputs and faults of consent, release, erasure, ledger, fairness and rollback, each with its test.

The rows are those of the list of forty that the privacy research ends with, numbered as there. A row's test
may be renamed or moved only together with its entry here.
"""

import re
from pathlib import Path

import pytest

from layer7.analytics.release.contributions import LAYOUT
from layer7.privacy.budget import EPOCHS_A_YEAR, RHO_MICRO
from layer7.storage.home import open_home
from layer7.storage.settings import load_settings

TESTS = Path(__file__).parents[1]
ROWS = """
13 one user floods a cell
    privacy/test_bounding.py
    test_nobody_moves_the_release_further_than_the_noise_is_made_for
15 a token of another
    server/test_auth.py
    test_every_route_opens_to_whom_it_should_and_to_nobody_else
16 a void token
    server/test_auth.py
    test_a_refusal_is_the_same_whatever_was_wrong_with_the_token
17 ten thousand wrong tokens
    server/test_auth.py
    test_wrong_tokens_are_counted_by_address_and_right_ones_go_on
18 opt-out while the night runs
    storage/test_releases.py
    test_who_says_no_while_the_job_runs_is_out
19 consent missing or unreadable
    storage/test_consents.py
    test_a_record_that_cannot_be_read_counts_as_no
20 erasure during a release
    storage/test_releases.py
    test_who_is_erased_while_the_job_runs_is_out
20 erasure twice
    storage/test_erasure.py
    test_asking_twice_gives_the_same_receipt
21 a restored backup
    storage/test_erasure.py
    test_a_restored_backup_does_not_bring_her_back
21 a rollback to an older version
    storage/test_erasure.py
    test_an_older_version_of_the_settings_brings_nobody_back
22 erased and back
    storage/test_erasure.py
    test_her_old_events_do_not_come_back_and_new_ones_are_somebody_elses
23 the release run twice
    storage/test_releases.py
    test_many_at_once_draw_one
24 killed between charge and publish
    storage/test_releases.py
    test_killed_at_any_moment_it_is_whole
25 budget spent
    storage/test_releases.py
    test_a_person_takes_part_in_13_weeks_of_any_year
25 more for a week
    storage/test_releases.py
    test_a_program_that_spends_more_a_week_gets_fewer_weeks
25 a switch
    privacy/test_rows.py
    test_no_setting_changes_what_a_release_costs
26 no OpenDP
    test_releasing.py
    test_without_opendp_the_last_release_stays_and_the_night_says_why
27 an empty week
    storage/test_releases.py
    test_an_empty_week_is_drawn_as_well
27 a small cell
    test_releasing.py
    test_a_small_installation_is_told_published_rates_and_that_they_are_not_its_own
28 all alike
    privacy/test_pooled.py
    test_a_cell_where_all_are_alike_is_told_with_an_interval_inside_what_is_possible
29 a learner that gives no numbers
    optimization/test_likelihood.py
    test_a_learner_that_gives_no_numbers_is_not_adopted
30 a damaged model
    storage/test_likelihoods.py
    test_a_damaged_model_is_refused_and_the_one_before_it_serves
31 disk full in an erasure
    storage/test_erasure.py
    test_a_full_disk_leaves_the_request_standing
36 no fresh figures
    rollout/test_gates.py
    test_each_gate_holds_and_hides_those_behind_it
36 a split that is not the planned one
    rollout/test_incidents.py
    test_posthog_84351_a_split_that_is_not_the_planned_one_holds_the_ramp
37 a group of three
    fairness/test_gate.py
    test_a_group_of_three_is_put_with_others_and_never_shown
37 an attribute that changed
    experiments/test_by_group.py
    test_what_was_declared_after_the_lot_counts_as_undisclosed
38 hidden harm
    experiments/test_by_group.py
    test_harm_to_one_group_is_taken_back_though_everybody_gains
39 a changed row
    storage/test_releases.py
    test_a_changed_row_is_named_and_nothing_more_is_released
40 secrets in free text
    privacy/test_canary.py
    test_nothing_lies_open
40 words of a person in a release
    privacy/test_bounding.py
    test_no_text_of_a_person_fits_into_a_row
40 words of a person as a group
    fairness/test_parity.py
    test_a_word_that_few_declare_is_never_shown
"""
_PARTS = [line.strip() for line in ROWS.strip().splitlines()]
_ENTRIES = dict(zip(_PARTS[::3], zip(_PARTS[1::3], _PARTS[2::3], strict=True), strict=True))


@pytest.mark.parametrize("row", _ENTRIES)
def test_each_row_has_its_test(row):
    file, name = _ENTRIES[row]
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_no_setting_changes_what_a_release_costs(tmp_path, monkeypatch):
    """Row 25: there is no switch, so none that one admin could turn; only another program has others."""
    before = (LAYOUT.rho_micro, LAYOUT.spec, EPOCHS_A_YEAR)
    for name in ("RHO", "RHO_MICRO", "EPOCHS_A_YEAR", "LEAST_PEOPLE", "FAIRNESS_GATE"):
        monkeypatch.setenv(f"LAYER7_{name}", "1000000")
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "layer7.toml").write_text("rho_micro = 1000000\nfairness_gate = false\n", encoding="utf-8")
    home = open_home(folder)
    assert (LAYOUT.rho_micro, LAYOUT.spec, EPOCHS_A_YEAR) == before
    assert before[0] == RHO_MICRO
    assert not {"rho", "rho_micro", "fairness_gate", "least_people"} & set(type(home.settings).model_fields)
    assert load_settings(folder) == home.settings
