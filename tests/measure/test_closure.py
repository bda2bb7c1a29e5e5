"""The closure test: p-values are uniform when nothing differs, and small when something does."""

import math

import pytest
import torch
from scipy.stats import kstest, norm
from torch import nn

from learnsym import groups, measure, symmetry
from learnsym.actions import Image
from learnsym.measure.pose.centre import centre_of
from learnsym.measure.pose.closure import closure_at, combined
from learnsym.measure.pose.ground import grounded
from learnsym.measure.pose.sides import elements_of_sides
from learnsym.measure.pose.smoothing import smoothed
from learnsym.symmetry import Symmetry


def test_p_values_are_uniform_under_closure():
    p = [measure.closure_of(*(torch.randn(80, 2) + torch.randn(80, 1)).T).p_value for _ in range(400)]
    assert kstest(p, "uniform").pvalue > 0.001


def test_difference_is_found():
    forward, backward = torch.randn(2, 300)
    found = measure.closure_of(forward + 0.5, backward - 0.5)
    assert found.p_value < 1e-6 and 0.6 < found.accuracy < 0.8 and found.degree < 1.0
    assert measure.closure_of(torch.zeros(10), torch.zeros(10)).accuracy == 0.5


def test_posteriors_with_four_modes_are_closed_under_their_turn_alone():
    posterior = torch.full((300, 144), 0.1) + 0.05 * torch.rand(300, 144)
    for mode in (0, 36, 72, 108):
        posterior[:, mode] += 5 * torch.rand(300)
    posterior, folds = posterior / posterior.sum(1, keepdim=True), torch.arange(300) % 2
    assert closure_at(posterior, folds, 36, True).p_value > 0.001
    assert closure_at(posterior, folds, 18, True).p_value < 1e-6


def bars(count):
    """Images with one bar at the left and a smaller one at the top."""
    x = 0.1 * torch.rand(count, 1, 12, 12)
    x[..., 2:10, 2:4] += 1.0
    x[..., 2:4, 2:7] += 1.0
    return x


def test_flip_of_images_by_the_network_of_images():
    x, flip = bars(100), symmetry.flip2d()
    element = flip.group.components[1]
    mirrored = torch.where(torch.rand(100, 1, 1, 1) < 0.5, x.flip(-1), x)
    found = measure.closure_test(mirrored, flip, element, steps=16)
    assert found.p_value > 0.001 and 0.3 < found.accuracy < 0.7


def test_rotations_are_told_apart():
    x, turn = bars(100), symmetry.rotation2d()
    element = turn.group.exp(torch.tensor([1.2], dtype=torch.float64))
    assert measure.closure_test(x, turn, element, network=Small, steps=40).p_value < 1e-3


class Small(nn.Module):
    """One hidden layer on what a disc shows of images of 12 pixels."""

    def __init__(self, bins):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(144, 32), nn.GELU(), nn.Linear(32, bins))

    def forward(self, x):
        side = torch.linspace(-1, 1, 12)
        return self.layers(x * (side.square() + side[:, None].square() < 0.67))


def ellipses(count, offset=(0.0, 0.0), size=12):
    """Images of ellipses at every angle, whose centre is off the middle by pixels to the right and up."""
    angle, long, ratio = (
        math.pi * torch.rand(count, 1, 1),
        1.2 + torch.rand(count, 1, 1),
        0.4 + 0.4 * torch.rand(count, 1, 1),
    )
    place = torch.arange(size) - (size - 1) / 2
    right, up = place - offset[0], -place[:, None] - offset[1]
    u, v = right * angle.cos() + up * angle.sin(), up * angle.cos() - right * angle.sin()
    bright = torch.exp(-0.5 * (u / long).square() - 0.5 * (v / (long * ratio)).square())
    return (bright + 0.02 * torch.randn(count, size, size))[:, None]


def test_centre():
    for offset in ([0.3, 0.0], [-0.2, 0.4], [0.0, 0.0]):
        assert torch.allclose(centre_of(ellipses(400, offset)), torch.tensor(offset), atol=0.03)
    assert torch.allclose(centre_of(1 - ellipses(400, (0.3, -0.1))), torch.tensor([0.3, -0.1]), atol=0.03)
    assert centre_of(torch.zeros(3, 1, 12, 12)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("ground", [0.0, 0.4])
def test_offset_of_all_objects_is_named(ground):
    flip = symmetry.flip2d()
    found = measure.closure_test(
        ellipses(600, (0.3, 0.0)) + ground, flip, flip.group.components[1], network=Small, steps=60
    )
    assert found.p_value > 1e-4 and "centred (0.3" in found.flags[0] and "centred" in str(found)


def test_absent_mirror_stays_absent():
    flip = symmetry.flip2d()
    found = measure.closure_test(bars(100), flip, flip.group.components[1], network=Small, steps=40)
    assert found.p_value < 1e-6 and not found.flags


def test_sides():
    x = bars(5)
    quarter, eighth = (Symmetry(groups.Cyclic(n), Image()) for n in (4, 8))
    assert elements_of_sides(quarter, quarter.group.components[1], x)[1]
    (first, second), exact = elements_of_sides(eighth, eighth.group.components[1], x)
    assert not exact and torch.allclose(first, second.mT) and torch.allclose(first @ first, eighth.group.components[1])
    mirrors = Symmetry(groups.Dihedral(8), Image())
    for element in mirrors.group.components:
        (first, second), exact = elements_of_sides(mirrors, element, x)
        assert torch.allclose(second.inverse() @ first, element, atol=1e-6)
        assert exact == bool(torch.allclose(element, element.round(), atol=1e-6))
    points = symmetry.se3()
    move = points.group.exp(torch.full((6,), 0.3, dtype=torch.float64))
    assert elements_of_sides(points, move, torch.rand(5, 7, 3))[1]


def test_sides_of_elements_without_a_root():
    maps = symmetry.affine2d()
    element = torch.diag(torch.tensor([-1.5, -0.5, 1.0], dtype=torch.float64))
    with pytest.raises(ValueError, match="without a square root"):
        elements_of_sides(maps, element, bars(5))


def test_border_is_taken_off_or_refused():
    x = bars(4)
    assert torch.allclose(grounded(x + 2.0, Image(), True), x, atol=0.1)
    assert grounded(x + 2.0, Image(padding="border"), True).mean() > 2.0
    slope = x + torch.linspace(0, 3, 12)
    assert torch.equal(grounded(slope, Image(), False), slope)
    with pytest.raises(ValueError, match=r"border is not constant.*reflection"):
        grounded(slope, Image(), True)


def test_smoothing_leaves_constants_alone():
    assert torch.allclose(smoothed(torch.full((2, 1, 6, 7), 0.4)), torch.tensor(0.4))
    volume = torch.zeros(1, 1, 9, 9, 9)
    volume[..., 4, 4, 4] = 1.0
    spread = smoothed(volume)
    assert spread.sum() == pytest.approx(1.0) and torch.allclose(spread, spread.movedim(2, 4))


def test_folds_that_depend_on_each_other_keep_the_level():
    common, own = torch.randn(4000, 1, dtype=torch.float64), torch.randn(4000, 2, dtype=torch.float64)
    for share in (0.0, 0.66, 1.0):
        z = share**0.5 * common + (1 - share) ** 0.5 * own
        p = torch.tensor([combined(norm.sf(pair).tolist()) for pair in z.numpy()])
        assert 0.037 < (p < 0.05).double().mean() < 0.068
    assert combined([1e-200, 1e-180]) == pytest.approx(2e-200) and combined([0.5, 0.5]) == pytest.approx(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 2])
def test_level(turns):
    """400 data sets that are closed, under an element off the lattice and one on it."""
    eighths = Symmetry(groups.Cyclic(8), Image())
    element, p = eighths.group.components[turns], []
    for seed in range(400):
        torch.manual_seed(seed)
        p.append(measure.closure_test(ellipses(200), eighths, element, network=Small, steps=150, seed=seed).p_value)
    assert 0.03 <= (torch.tensor(p) < 0.05).double().mean() <= 0.07


def test_bad_input():
    flip = symmetry.flip2d()
    with pytest.raises(ValueError, match="x: got 5 examples"):
        measure.closure_test(bars(5), flip, flip.group.components[1])
    with pytest.raises(ValueError, match="element: got a matrix that is not in"):
        measure.closure_test(bars(40), flip, 2 * flip.group.components[1])
