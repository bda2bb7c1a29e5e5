import pytest

from learnsym.report import words
from learnsym.report.results import Analysis, PoseLaw
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


def test_the_table_has_every_data_set_twin_and_notion(analysis: Analysis):
    table = analysis.table()
    for data in analysis.data:
        for twin in data.twins:
            assert any(line.split()[:2] == [data.label, twin.name] for line in table.splitlines())
    assert "61 [55, 67]" in table
    assert "distribution" in table and "task" in table and "0.080 ± 0.004 (0.030)" in table


def test_columns_of_the_table_are_aligned(analysis: Analysis):
    first = analysis.table().split("\n\n")[0].splitlines()
    start = first[0].index("accuracy")
    assert all(line[start - 2 : start] in ("  ", "--") or line.startswith("-") for line in first)
