"""The set of widths within noise of the best."""

import pytest
import torch

from learnsym import measure

WIDTHS = [0.0, 30.0, 60.0, 90.0]


def losses(shape, excess, spread=0.5):
    """Losses that share the difficulty of examples and differ by `excess` a width."""
    base = torch.rand(shape[-1], dtype=torch.float64)
    noise = spread * torch.randn(len(WIDTHS), *shape, dtype=torch.float64)
    return base + torch.tensor(excess).view(-1, *[1] * len(shape)) + noise


def test_clear_differences_leave_one_width():
    found = measure.task_extent(losses((400,), [1.0, 0.0, 1.0, 2.0]), WIDTHS)
    assert found.best == 30.0 and found.tolerated == [30.0]


def test_equal_widths_are_tolerated_together():
    found = measure.task_extent(losses((400,), [1.0, 0.0, 0.0, 1.0], spread=0.1), WIDTHS)
    assert set(found.tolerated) <= {30.0, 60.0} and found.best in found.tolerated
    degree = found.degree(group="SO(2)")
    assert degree.notion == "task" and degree.low < degree.estimate < degree.high


def extent(tolerated, replicates=3, widths=WIDTHS):
    zeros = [0.0] * len(widths)
    return measure.TaskExtent(
        widths=widths, excess=zeros, stderr=zeros, tolerated=tolerated, best=tolerated[0], replicates=replicates
    )


@pytest.mark.parametrize(
    ("found", "low", "high", "status", "words"),
    [
        (extent([30.0]), 0.0, 60.0, "ok", ""),
        (extent([30.0], replicates=1), 0.0, 60.0, "bound only", "1 replicate; the spread over trainings is unknown"),
        (
            extent([60.0, 0.0]),
            0.0,
            90.0,
            "bound only",
            "{0, 60} of {0, 30, 60, 90} tried, 3 replicates; widths",
        ),
        (extent([0.0]), 0.0, 30.0, "ok", ""),
        (extent([90.0]), 60.0, 90.0, "bound only", "no width above 90 was tried"),
        (extent([30.0], widths=[30.0, 60.0]), 30.0, 60.0, "bound only", "no width below 30 was tried"),
        (extent([30.0], widths=[30.0]), None, None, "bound only", "no width above 30 was tried, no width below"),
        (extent([30.0], widths=[60.0, 30.0, 0.0]), 0.0, 60.0, "ok", ""),
    ],
)
def test_the_degree_opens_to_the_excluded_neighbours(found, low, high, status, words):
    degree = found.degree(group="SO(2)")
    assert (degree.low, degree.high, degree.status) == (low, high, status)
    assert words in degree.reason and bool(words) == bool(degree.reason)


def test_a_grid_that_ends_at_the_cap_is_whole():
    degree = extent([60.0, 90.0]).degree(group="SO(2)", cap=90.0)
    assert degree.status == "ok" and (degree.low, degree.high) == (30.0, 90.0)


def with_harm(excess, stderr=0.0005, replicates=3, widths=WIDTHS):
    best = widths[excess.index(min(excess))]
    return measure.TaskExtent(
        widths=widths,
        excess=excess,
        stderr=[0.0 if width == best else stderr for width in widths],
        tolerated=[best],
        best=best,
        replicates=replicates,
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (with_harm([0.0, 0.001, 0.5, 1.0]), (30.0, 0.0, 60.0)),
        (with_harm([0.0, 0.001, 0.0028, 1.0]), (60.0, 0.0, 90.0)),  # 60 is neither surely harmless nor surely not
        (with_harm([0.0, 0.001, 0.001, 0.001]), (90.0, 60.0, 90.0)),
        (with_harm([0.9, 0.0, 0.1, 0.2]), (30.0, 0.0, 60.0)),  # too little is no harm of too much
        (with_harm([0.0, 0.1, 0.2, 0.3]), (0.0, 0.0, 30.0)),
        (with_harm([0.0, 0.01, 0.0, 0.5]), (0.0, 0.0, 90.0)),  # what is worse in between ends what is sure
        (with_harm([0.0, 0.1, 0.2, 0.3], stderr=1.0), (0.0, 0.0, 90.0)),
        (with_harm([0.4, 0.3, 0.2, 0.0]), (90.0, 60.0, 90.0)),
        (with_harm([1.0, 0.5, 0.001, 0.0], widths=WIDTHS[::-1]), (30.0, 0.0, 60.0)),
    ],
)
def test_where_harm_begins(found, expected):
    interval = found.harmless()
    assert (interval.estimate, *interval.ends) == expected


def test_a_larger_margin_reaches_further():
    found = with_harm([0.0, 0.1, 0.2, 0.3])
    assert [found.harmless(margin).estimate for margin in (0.05, 0.15, 0.25, 0.35)] == WIDTHS


def test_a_higher_level_is_less_sure():
    found = with_harm([0.0, 0.001, 0.1, 0.3], stderr=0.04)
    assert found.harmless(0.05, 0.5).ends == (0.0, 60.0) and found.harmless(0.05, 0.9).ends == (0.0, 90.0)
    assert found.harmless(0.05, 0.5).level == found.harmless_degree(group="SO(2)", margin=0.05, level=0.5).level == 0.5


@pytest.mark.parametrize("begin", [0.0, 45.0, 60.0])
def test_the_end_is_held_as_often_as_promised(begin):
    widths, trials = [0.0, 30.0, 60.0, 90.0, 120.0], 300
    harm = torch.tensor([0.002 * max(width - begin, 0.0) for width in widths], dtype=torch.float64)
    held = 0
    for _ in range(trials):
        noise = 0.02 * torch.randn(5, 3, 1, dtype=torch.float64) + 0.2 * torch.randn(5, 3, 100, dtype=torch.float64)
        low, high = measure.task_extent(harm[:, None, None] + noise, widths).harmless().ends
        held += low <= begin <= high
    assert held / trials >= 0.9


@pytest.mark.parametrize(
    ("found", "cap", "words"),
    [
        (with_harm([0.0, 0.001, 0.5, 1.0]), 180.0, ""),
        (with_harm([0.0, 0.001, 0.5, 1.0], replicates=1), 180.0, "the spread over trainings is unknown"),
        (with_harm([0.0, 0.001, 0.001, 0.001]), 180.0, "no width above 90 was tried"),
        (with_harm([0.0, 0.001, 0.001, 0.001]), 90.0, ""),
        (with_harm([0.0, 0.001, 0.001, 0.5]), 180.0, ""),
        (with_harm([0.0, 0.5], widths=[30.0, 60.0]), 180.0, "no width below 30 was tried"),
        (with_harm([0.0, 0.001, 0.5], widths=[30.0, 60.0, 90.0]), 180.0, ""),
    ],
)
def test_the_degree_of_harmless_augmentation(found, cap, words):
    degree = found.harmless_degree(group="SO(2)", cap=cap)
    assert (degree.estimate, degree.low, degree.high) == (found.harmless().estimate, *found.harmless().ends)
    assert degree.method == "harmless augmentation" and degree.notion == "task"
    assert degree.status == ("bound only" if words else "ok") and degree.reason == words


def test_replicates_are_counted():
    assert measure.task_extent(losses((3, 50), [1.0, 0.0, 1.0, 2.0]), WIDTHS).replicates == 3
    assert str(measure.task_extent(losses((400,), [1.0, 0.0, 1.0, 2.0]), WIDTHS)) == (
        "{30} of {0, 30, 60, 90} tried, 1 replicate"
    )


def test_the_best_is_kept_in_the_set_as_often_as_promised():
    kept = sum(30.0 in measure.task_extent(losses((100,), [9.0, 0.0, 0.0, 9.0]), WIDTHS).tolerated for _ in range(300))
    assert kept / 300 > 0.9


def test_spread_over_replicates_widens_the_set():
    steady = losses((6, 50), [0.2, 0.0, 0.2, 0.2], spread=0.01)
    noisy = steady.clone()
    noisy[0] += torch.linspace(-1, 1, 6, dtype=torch.float64)[:, None]
    assert measure.task_extent(steady, WIDTHS).tolerated == [30.0]
    assert 0.0 in measure.task_extent(noisy, WIDTHS).tolerated


def test_bad_input():
    with pytest.raises(ValueError, match="margin: got 0"):
        with_harm([0.0, 0.1, 0.2, 0.3]).harmless(0.0)
    with pytest.raises(ValueError, match="level: got 1"):
        with_harm([0.0, 0.1, 0.2, 0.3]).harmless(level=1.0)
    with pytest.raises(ValueError, match="losses: got shape"):
        measure.task_extent(torch.zeros(3, 10), WIDTHS)
    with pytest.raises(ValueError, match="not finite"):
        measure.task_extent(torch.full((4, 10), float("nan")), WIDTHS)
