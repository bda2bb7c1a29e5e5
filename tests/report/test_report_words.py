import pytest

from learnsym.report import words
from learnsym.report.tables import aligned
from learnsym.statistics import Interval


@pytest.mark.parametrize(
    ("value", "said"), [(0.123456, "0.123"), (-0.5, "−0.5"), (12345.6, "12346"), (2e6, "2.0e6"), (float("inf"), "∞")]
)
def test_numbers_have_few_digits_and_a_true_minus(value: float, said: str):
    assert words.number(value) == said


@pytest.mark.parametrize(("value", "said"), [(12.34, "12"), (1.234, "1.2"), (-0.123, "−0.12"), (0.001, "0")])
def test_factors_have_two_digits(value: float, said: str):
    assert words.two_digits(value) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.0011, -0.0081, 0.0103), ["0.001", "−0.008", "0.010"]),
        ((0.00049, -0.00002, 0.0009), ["0.00049", "−0.00002", "0.00090"]),
        ((0.004, -0.2, 12.3), ["0", "−0.20", "12"]),
        ((0.0, 0.0, 0.0), ["0", "0", "0"]),
        ((0.01, float("-inf"), float("inf")), ["0.01", "−∞", "∞"]),
    ],
)
def test_small_differences_have_the_decimals_of_the_largest(values: tuple[float, ...], said: list[str]):
    assert words.together(values) == said


def test_an_interval_stands_in_brackets_and_is_left_out_where_there_is_none():
    assert words.interval(Interval(estimate=61.0, low=55.0, high=66.0), "degree") == "61° [55, 66]"
    assert words.interval(Interval(estimate=0.5, low=0.25, high=0.75), "log") == "0.50 log [0.25, 0.75]"
    assert words.interval(Interval(estimate=61.0), "degree") == "61°"
    assert words.percent(0.971, 0.968, 0.974) == "97.1% [96.8, 97.4]"


def test_prefixes_are_those_of_the_unit():
    assert words.prefixed(2500.0) == ("2.5", "k") and words.prefixed(999.0) == ("999", "")


def test_columns_are_as_wide_as_their_widest_cell():
    assert aligned([("a", "b"), ("long", "c")]) == "a     b\n----  -\nlong  c"
