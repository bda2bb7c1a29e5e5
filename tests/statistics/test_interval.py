import pytest

from learnsym.statistics import LEVEL, Interval, check_level


def test_an_interval_in_words():
    assert str(Interval(estimate=0.2, low=0.1, high=0.3, level=0.95)) == "0.2 [0.1, 0.3] at 95%"
    assert str(Interval(estimate=0.2)) == "0.2"


def test_ends_that_nobody_computed_are_refused():
    assert Interval(estimate=1.0, low=0.0, high=2.0).ends == (0.0, 2.0)
    with pytest.raises(ValueError, match="there is none around 1; measure more"):
        _ = Interval(estimate=1.0).ends


def test_a_clipped_interval_stays_in_range():
    found = Interval(estimate=2.0, low=-1.0, high=5.0).clipped(low=0.0, high=4.0)
    assert (found.estimate, *found.ends) == (2.0, 0.0, 4.0)
    assert Interval(estimate=2.0).clipped(low=0.0).low is None


def test_the_usual_level_is_a_level():
    check_level(LEVEL)
    with pytest.raises(ValueError, match=r"level: got 95\.0, must lie between 0 and 1"):
        check_level(95.0)
