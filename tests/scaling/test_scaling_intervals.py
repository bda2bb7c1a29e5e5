"""Intervals hold the truth as often as they say."""

import numpy as np
import pytest
from scaling_grids import CHINCHILLA, coefficients, grid

from learnsym.scaling import fit_law, law_intervals

NAMES = ("E", "A", "a", "B", "b", "a_opt", "b_opt")


def test_intervals_surround_the_fit_and_are_reproducible():
    runs = grid(CHINCHILLA, seeds=3, noise=0.02)
    found, again = (law_intervals(*runs, replicates=100, seed=4) for _ in range(2))
    assert coefficients(found.law) == pytest.approx(coefficients(fit_law(*runs[:3])))
    assert all(getattr(found, name).low < getattr(found.law, name) < getattr(found, name).high for name in NAMES)
    assert found.samples == pytest.approx(again.samples, rel=1e-6) and found.samples.shape == (100, 5)
    assert found.a_opt.low + found.b_opt.high == pytest.approx(1)


def test_intervals_shrink_with_noise_and_grow_with_level():
    def width(noise, level):
        interval = law_intervals(*grid(CHINCHILLA, seeds=3, noise=noise), level=level, replicates=100).a
        return interval.high - interval.low

    assert width(0.002, 0.9) < 0.3 * width(0.02, 0.9)
    assert width(0.02, 0.5) < width(0.02, 0.9)


def test_names_of_cells_do_not_matter():
    N, D, loss, cells = grid(CHINCHILLA, seeds=2, noise=0.02)
    names = np.array([f"cell {cell:02d}" for cell in cells])
    named, numbered = (law_intervals(N, D, loss, labels).samples for labels in (names, cells))
    assert named == pytest.approx(numbered, rel=1e-6)


def test_seeds_of_a_cell_stay_together():
    N, D, loss, cells = grid(CHINCHILLA, noise=0.02)
    thrice = [np.repeat(part, 3) for part in (N, D, loss, cells)]
    once, copied = law_intervals(N, D, loss, cells).a, law_intervals(*thrice).a
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), rel=1e-3)


@pytest.mark.slow
def test_coverage_is_as_stated():
    held = []
    for seed in range(100):
        found = law_intervals(*grid(CHINCHILLA, seeds=3, noise=0.02, seed=2000 + seed))
        held.append([getattr(found, n).low <= getattr(CHINCHILLA, n) <= getattr(found, n).high for n in NAMES])
    # 0.9 and the scatter of a hundred grids, 0.03
    assert all(0.84 <= share <= 0.96 for share in np.mean(held, axis=0)[[2, 4, 5]])


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"replicates": 5}])
def test_wrong_options_of_intervals_are_named(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: got"):
        law_intervals(*grid(CHINCHILLA), **wrong)


def test_wrong_cells_are_named():
    N, D, loss, cells = grid(CHINCHILLA)
    with pytest.raises(ValueError, match="cells: got 5 cells, must be more than 5"):
        law_intervals(N, D, loss, cells % 5)
    with pytest.raises(ValueError, match="cells: got shape"):
        law_intervals(N, D, loss, cells[1:])
