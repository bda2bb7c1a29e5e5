"""A degree that cannot be trusted says so beside its number: in the table, on the page, under figures, over seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from learnsym.degrees import Degree
from learnsym.report.run import render, text_table
from learnsym.report.run.collect import merged_degrees
from learnsym.report.run.draw import panels
from learnsym.report.words import interval

REASON = "the noise law of SO(2) does not fit"


def doubted(degree: Degree) -> Degree:
    return replace(degree, status="rejected", reason=REASON)


@pytest.fixture
def doubtful(analysis):
    """Every degree of the first data set is rejected."""
    first, *others = analysis.data
    return replace(analysis, data=[replace(first, degrees=list(map(doubted, first.degrees))), *others])


def test_the_table_says_it(doubtful, analysis):
    rejected = text_table(doubtful)
    assert rejected.count("(rejected)") == len(doubtful.data[0].degrees)
    assert f"note: as-scanned, rotation by pose posterior: rejected: {REASON}" in rejected
    assert "rejected" not in text_table(analysis)


def test_the_page_says_it_beside_the_verdict_and_in_the_table(doubtful, analysis):
    page, sure = render(doubtful, []), render(analysis, [])
    assert page.count(f"Rejected: {REASON}.") == 2  # the law of poses and the widths that labels tolerate
    assert page.count("(rejected)<br>") == len(doubtful.data[0].degrees)
    assert "rejected" not in sure.lower()


def test_figures_say_it_below_and_in_their_text(doubtful):
    (widths,) = [panel for panel in panels(doubtful.data[0]) if panel.kind == "widths"]
    assert (
        f"rotation, scale, stretch, shear by augerino: rejected: {REASON}." in widths.caption
        and "(rejected) (task)" in widths.alt
    )
    (sure,) = [panel for panel in panels(doubtful.data[1]) if panel.kind == "widths"]
    assert sure.caption == "" and "rejected" not in sure.alt


def test_intervals_have_their_status(analysis):
    degree = analysis.data[1].degrees[-1]
    assert interval(doubted(degree), "degree") == interval(degree, "degree") + " (rejected)"


def test_a_mean_over_seeds_is_as_doubtful_as_its_seeds(analysis):
    sure = replace(analysis.data[0].degrees[0], low=None, high=None)
    bound = replace(sure, status="bound only", reason="it lies at its cap")
    alone = replace(sure, status="no interval", reason="one training")
    found = {
        ("rejected", f"1 of 3 seeds: {REASON}"): [sure, doubted(sure), sure],
        ("rejected", f"2 of 3 seeds: rejected: {REASON}; 1 of 3 seeds: bound only: it lies at its cap"): [
            doubted(sure),
            bound,
            doubted(sure),
        ],
        ("bound only", "it lies at its cap"): [bound],
        ("no interval", "one training"): [alone],
        ("ok", ""): [alone, alone],
    }
    for expected, seeds in [*found.items(), (("ok", ""), [sure, sure, sure])]:
        (merged,) = merged_degrees([[vars(degree)] for degree in seeds], 0.9)
        assert (merged.status, merged.reason) == expected


def test_no_interval_over_seeds_goes_beyond_half_a_turn(analysis):
    turn = replace(analysis.data[0].degrees[0], unit="degree", low=None, high=None)
    (merged,) = merged_degrees([[vars(replace(turn, estimate=each))] for each in (90.0, 170.0, 150.0)], 0.9)
    assert merged.high == 180 and merged.estimate == pytest.approx(410 / 3)
    share = replace(turn, unit="1")
    (merged,) = merged_degrees([[vars(replace(share, estimate=each))] for each in (90.0, 170.0, 150.0)], 0.9)
    assert merged.high > 180
