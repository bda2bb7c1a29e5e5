"""The parametric law of poses: recovered from simulated poses, with an interval that is open at the edges."""

from dataclasses import replace

import pytest
import torch

from learnsym.measure.pose.interval import half_width_interval, is_natural
from learnsym.measure.pose.law import fit_law, law_table, table_of_modes


def poses(half_width, count=2000, noise=10.0, flipped=0.08, outliers=0.04):
    """Simulated poses with their sharpness and folds: sharper poses have half the noise and no flips."""
    sharp = torch.rand(count)
    a = (2 * torch.rand(count) - 1) * half_width
    c = a + noise * (1.5 - sharp) * torch.randn(count)
    c = c + 180.0 * (torch.rand(count) < 2 * flipped * (1 - sharp))
    c = torch.where(torch.rand(count) < outliers, 360 * torch.rand(count), c)
    return (c + 180) % 360 - 180, sharp, torch.arange(count) % 2


@pytest.mark.parametrize("half_width", [30.0, 60.0, 90.0, 120.0, 150.0])
def test_half_width_is_recovered(half_width):
    fit = fit_law(*poses(half_width), law_table(True, 2.0), bootstrap=50)
    estimate, low, high = half_width_interval(fit, True, 0.9)
    assert abs(estimate - half_width) < 4.0
    assert low <= half_width <= high and high - low < 30.0
    assert len(fit.folds) == 2 and fit.bootstrap.shape == (50,)


def test_bootstrap_is_as_wide_as_the_errors_of_weak_readings():
    # half of the poses are outliers; replicates that may jump to another scale of errors are twice as wide
    fits = [fit_law(*poses(45.0, 600, 12.0, 0.1, 0.5), law_table(True, 2.0), bootstrap=50) for _ in range(16)]
    errors = torch.tensor([fit.half_width for fit in fits]).std()
    assert 0.6 < float(torch.stack([fit.bootstrap.std() for fit in fits]).median() / errors) < 1.6


def test_folds_that_differ_by_sampling_alone_do_not_widen_the_interval():
    fit = fit_law(*poses(60.0), law_table(True, 2.0), bootstrap=50)
    alike, spread = replace(fit, folds=[60.0, 60.0]), float(fit.bootstrap.std())
    sampled = replace(fit, folds=[60.0 - 0.9 * spread, 60.0 + 0.9 * spread])
    apart = replace(fit, folds=[40.0, 80.0])
    ends = [half_width_interval(each, True, 0.9)[1:] for each in (alike, sampled, apart)]
    assert ends[0] == ends[1] and ends[2][0] < ends[0][0] and ends[2][1] > ends[0][1] + 20


def test_parts_of_the_law_are_recovered():
    fit = fit_law(*poses(60.0, count=8000), law_table(True, 2.0))
    assert abs(fit.noise - 10.0) < 3.0
    assert abs(fit.flipped - 0.08) < 0.04 and abs(fit.outliers - 0.04) < 0.04


def test_narrow_laws_open_the_interval_to_zero():
    fit = fit_law(*poses(5.0), law_table(True, 1.0), bootstrap=50)
    estimate, low, high = half_width_interval(fit, True, 0.9)
    assert is_natural(fit) and low == 0.0 and high > 10.0 and estimate < 15.0


@pytest.mark.parametrize("seed", range(6))
def test_flat_poses_are_seen_as_flat(seed):
    torch.manual_seed(seed)
    fit = fit_law(*poses(180.0), law_table(True, 3.0))
    assert fit.is_flat
    assert half_width_interval(fit, True, 0.9) == (180.0, 150.0, 180.0)


def test_wide_laws_keep_the_value_that_fits():
    fit = fit_law(*poses(168.0, count=12000, noise=5.0), law_table(True, 1.0), bootstrap=50)
    estimate, low, high = half_width_interval(fit, True, 0.9)
    assert not fit.is_flat and abs(estimate - 168.0) < 6.0 and low <= 168.0 <= high and low > 150.0


def test_modes_share_one_half_width():
    c, sharp, fold = poses(20.0, noise=5.0, flipped=0.0, outliers=0.0)
    c = c + torch.where(torch.rand(len(c)) < 0.3, -70.0, 50.0)
    table = table_of_modes(law_table(True, 2.0), [(-70.0, 0.3), (50.0, 0.7)])
    assert table.law.sum(-1).sub(1).abs().max() < 1e-9
    assert abs(fit_law(c, sharp, fold, table).half_width - 20.0) < 2.0


def test_open_window():
    c, sharp, fold = poses(60.0, flipped=0.0, outliers=0.0)
    fit = fit_law(c, sharp, fold, law_table(False, 2.0), bootstrap=50)
    assert abs(fit.half_width - 60.0) < 5.0 and fit.flipped == 0.0
