"""Learned bases: exact symmetries are found by their span, networks without one show none beside controls."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.special import stdtrit
from torch import nn

from learnsym import actions, groups
from learnsym.measure import LearnedBasis, learned_basis, move_errors

PLANE = actions.PointCloud(dim=2)


def radial(x):
    return x * (1 + x.square().sum((1, 2), keepdim=True))


def angle(found, algebra):
    return math.degrees(subspace_angles(found.flatten(1).T.numpy(), algebra.flatten(1).T.numpy()).max())


def test_rotations_are_found_among_free_generators():
    x = torch.randn(1000, 2, 2)
    found = learned_basis(radial, x, PLANE, PLANE, generators=3, steps=300)
    assert found.norms[0] > 0.9 and found.norms[1] < 0.3
    assert angle(found.matrices[:1], groups.SO2().algebra) < 3
    assert torch.equal(found.norms, found.norms.sort(descending=True).values)


def test_a_linear_map_follows_everything_and_errors_are_of_variance():
    x = torch.randn(300, 2, 2)
    found = learned_basis(lambda x: 3 * x, x, PLANE, PLANE, generators=2, steps=300)
    assert found.error < 1e-9 and bool((found.norms > 0.9).all())


def test_what_is_present_is_followed_and_surely_better_than_controls():
    norms = torch.tensor([1.0, 1.0, 1.0, 0.3], dtype=torch.float64)
    found = LearnedBasis(matrices=norms[:, None, None] * torch.ones(1, 1, 1).double(), error=0.0)
    logs = torch.tensor([-1.0, 0.0, 1.0]).double()[:, None].expand(3, 4)
    # log errors 0 ± 1: the edge is -t_2(1 - 0.05 / 4) (4/3)^1/2
    edge = -float(stdtrit(2, 1 - 0.05 / 4)) * (4 / 3) ** 0.5
    judge = torch.tensor([edge - 1e-3, edge + 1e-3, 2 * edge, 2 * edge]).double()
    present = found.present(judge.exp(), logs.exp())
    assert len(present) == 2
    with pytest.raises(ValueError, match="controls: got 2"):
        found.present(judge.exp(), logs[:2].exp())
    with pytest.raises(ValueError, match="of 4 generators each"):
        found.present(judge[:3].exp(), logs[:, :3].exp())


def test_errors_of_moves_are_those_of_finite_turns():
    x, turn = torch.randn(4000, 2, 2), groups.SO2().algebra
    shear = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]], dtype=torch.float64)
    errors = move_errors(radial, x, PLANE, PLANE, torch.cat([5 * turn, shear]))
    assert errors[0] < 1e-9 and errors[1] > 1e-2
    # f = (x, 0): |f(gx) - g f(x)|² = 2 sin² θ of a turn by θ = c / √2, and var f = 1/2 of each number
    half = move_errors(lambda x: x * torch.tensor([1.0, 0.0]), x, PLANE, PLANE, turn)
    mean_sin_square = 0.5 - math.sin(2**0.5) / (2 * 2**0.5)
    assert float(half) == pytest.approx(2 * mean_sin_square, rel=0.1)


def test_models_are_left_as_found():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.Tanh(), nn.Unflatten(1, (2, 2))).train()
    before, state = torch.random.get_rng_state(), {k: v.clone() for k, v in model.state_dict().items()}
    first, second = (
        learned_basis(model, torch.ones(30, 2, 2) * torch.arange(30)[:, None, None], PLANE, PLANE, 2, steps=3)
        for _ in range(2)
    )
    assert torch.equal(first.matrices, second.matrices)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in state.items())
    assert torch.equal(before, torch.random.get_rng_state())


def test_bad_input_is_refused():
    x = torch.randn(30, 2, 2)
    for words, call in {
        "generators: got 5": lambda: learned_basis(radial, x, PLANE, PLANE, 5),
        "reward: got 0": lambda: learned_basis(radial, x, PLANE, PLANE, reward=0.0, generators=1),
        "floating": lambda: learned_basis(radial, x.long(), PLANE, PLANE, generators=1),
        "steps: got 0": lambda: learned_basis(radial, x, PLANE, PLANE, steps=0, generators=1),
        "outputs are the same": lambda: learned_basis(torch.zeros_like, x, PLANE, PLANE, generators=1),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
