"""A least count for figures that stay inside."""

import pytest

from layer7.errors import Layer7Error
from layer7.privacy import about_enough


def test_entries_about_few_people_stay_inside():
    found = about_enough([3, 10, 9, 11], lambda people: people)
    assert (found.shown, found.suppressed) == ((10, 11), 2)
    assert about_enough([], lambda people: people).shown == ()


def test_a_least_count_that_protects_nobody_is_refused():
    with pytest.raises(Layer7Error):
        about_enough([1], lambda people: people, least=1)
