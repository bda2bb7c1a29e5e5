import pytest

from learnsym.degrees import Degree
from learnsym.report.run import words
from learnsym.report.run.results import DataResult, PoseLaw
from learnsym.statistics import Interval


def law(estimate: float, low: float, high: float, kind: str = "range") -> PoseLaw:
    return PoseLaw(
        generator="rotation",
        unit="degree",
        cap=180.0,
        grid=[0.0],
        density=[1.0],
        fitted=[],
        half_width=Interval(estimate=estimate, low=low, high=high),
        kind=kind,
        facts={"order": 4.0},
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (law(0.0, 0.0, 6.0), "Not rotated, or by less than 6°"),
        (law(61.0, 55.0, 66.0), "Rotated by up to 61°"),
        (law(175.0, 150.0, 180.0), "Rotated by any angle"),
        (law(120.0, 90.0, 180.0), "Rotated by up to 120°"),
        (law(180.0, 150.0, 180.0, "full"), "Rotated by any angle"),
        (law(180.0, 150.0, 180.0, "unreadable"), "Poses along rotation cannot be read"),
        (law(8.0, 0.0, 12.0, "periodic"), "Rotated by multiples of 90°, each up to 8° more"),
        (law(80.0, 70.0, 90.0, "several"), "Rotated in several ways, within 80°"),
    ],
)
def test_the_headline_says_none_some_or_all(found: PoseLaw, said: str):
    assert words.pose_headline(found) == said


def test_the_detail_gives_the_interval():
    assert "90% interval 55° to 66°" in words.pose_detail(law(61.0, 55.0, 66.0), 0.9)


@pytest.mark.parametrize("method", ["fixed functions", "fixed functions, validation"])
def test_what_functions_carry_is_said_whoever_chose_it(method: str):
    numbers = {"estimate": 0.11, "low": 0.09, "high": 0.13, "level": 0.9, "unit": "1", "notion": "task"}
    degree = Degree(site="input", group="translation1d", generator="fixed functions", method=method, **numbers)
    data = DataResult(label="gibbs", examples=3, twins=[], degrees=[degree])
    (said,) = words.extra_inputs(data)
    assert said.startswith("Functions of location carry 11") and said.endswith("without them translation1d holds.")
