"""The closure test: p-values are uniform when nothing differs, and small when something does."""

import torch
from scipy.stats import kstest

from learnsym import measure, symmetry
from learnsym.measure.pose.closure import closure_at


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
    posterior = posterior / posterior.sum(1, keepdim=True)
    assert closure_at(posterior, 36, True).p_value > 0.001
    assert closure_at(posterior, 18, True).p_value < 1e-6


def bars(count):
    """Images with one bar at the left and a smaller one at the top."""
    x = 0.1 * torch.rand(count, 1, 12, 12)
    x[..., 2:10, 2:4] += 1.0
    x[..., 2:4, 2:7] += 1.0
    return x


def test_flip_of_images():
    x, flip = bars(100), symmetry.flip2d()
    element = flip.group.components[1]
    assert measure.closure_test(x, flip, element, steps=16).accuracy > 0.9
    mirrored = torch.where(torch.rand(100, 1, 1, 1) < 0.5, x.flip(-1), x)
    found = measure.closure_test(mirrored, flip, element, steps=16)
    assert found.p_value > 0.001 and 0.3 < found.accuracy < 0.7


def test_half_rotations_are_compared():
    x, turn = bars(100), symmetry.rotation2d()
    element = turn.group.exp(torch.tensor([1.5707963], dtype=torch.float64))
    assert measure.closure_test(x, turn, element, steps=16).p_value < 1e-3
