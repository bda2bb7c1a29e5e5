"""Penalties are 0 for equivariant functions, and what their formulas say for others."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import Candidate, mse, penalties

SO3 = ls.symmetry.so3(on_output=ls.actions.PointCloud())
LABEL_FREE = ("functional", "twirl")


def penalty_of(candidate, model, x, y):
    g = candidate.elements(x)
    return candidate.penalty(mse, g, model(candidate.moved(g, x)), model(x), y)


def cloud(count=12):
    return torch.randn(count, 5, 3, dtype=torch.float64)


@pytest.mark.parametrize("mode", LABEL_FREE)
def test_equivariant_functions_pay_nothing(mode):
    candidate = Candidate(symmetry=SO3, mode=mode, samples=3)
    x = cloud()
    assert penalty_of(candidate, lambda x: x * x.norm(dim=-1, keepdim=True), x, None) < 1e-25
    assert penalty_of(candidate, lambda x: x.abs(), x, None) > 0.1


def test_the_anchored_penalty_is_the_loss_on_moved_examples():
    candidate = Candidate(symmetry=SO3, mode="anchored", samples=2)
    x = cloud()
    y = torch.randn_like(x)
    g = candidate.elements(x)
    found = candidate.penalty(mse, g, candidate.moved(g, x).sin(), x.sin(), y)
    turn = SO3.on_input
    losses = [mse(turn(one, x).sin(), turn(one, y)) for one in g]
    assert torch.allclose(found, torch.stack(losses).mean())


def test_the_functional_penalty_is_the_mean_squared_defect():
    candidate = Candidate(symmetry=SO3, samples=4)
    x = cloud()
    g = candidate.elements(x)
    found = candidate.penalty(mse, g, candidate.moved(g, x).sin(), x.sin(), None)
    turn = SO3.on_input
    expected = torch.stack([(turn(one, x).sin() - turn(one, x.sin())).square().mean() for one in g]).mean()
    assert torch.allclose(found, expected)


def test_the_twirl_penalty_is_without_bias_the_distance_to_the_nearest_equivariant_function():
    symmetry = ls.Symmetry(ls.groups.Octahedral(), ls.actions.PointCloud(), ls.actions.PointCloud())
    x = cloud(4000)[:, :1]
    x = x[:1].expand_as(x)  # one cloud, many draws
    found = penalty_of(Candidate(symmetry=symmetry, mode="twirl", samples=2), torch.exp, x, None)
    g = symmetry.group.elements(dtype=x.dtype)
    pulled = torch.stack([symmetry.on_output(one[None].mT, symmetry.on_input(one[None], x[:1]).exp()) for one in g])
    exact = (pulled - pulled.mean(0)).square().mean()
    assert found.item() == pytest.approx(exact.item(), rel=0.1)


def test_invariant_outputs_do_not_move():
    candidate = Candidate(symmetry=ls.symmetry.rotation2d(), mode="functional")
    x = torch.rand(6, 1, 8, 8)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    assert penalty_of(candidate, net, x, torch.zeros(6, dtype=torch.long)) > 0
    assert penalty_of(candidate, lambda x: torch.ones(len(x), 3), x, None) == 0


def test_elements_are_those_of_the_given_law():
    group = ls.groups.SE3()
    narrow = ls.distributions.LieBox(group, torch.tensor([0.0, 0.0, 1e-9, 0.0, 0.0, 0.0]))
    symmetry = ls.Symmetry(group, ls.actions.PointCloud(), ls.actions.PointCloud())
    g = Candidate(symmetry=symmetry, distribution=narrow, samples=2).elements(cloud(3))
    assert g.shape == (2, 3, 4, 4) and g.dtype == torch.float64
    assert torch.allclose(g, torch.eye(4, dtype=torch.float64).expand_as(g), atol=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "twirl"}, "samples: got 1, must be >= 2"),
        ({"samples": 0}, "samples: got 0"),
        ({"fraction": 0.0}, "fraction: got 0.0"),
        ({"fraction": 1.5}, "fraction: got 1.5"),
        ({"symmetry": ls.symmetry.se3()}, "distribution: got None, but SE"),
    ],
)
def test_bad_candidates_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Candidate(**{"symmetry": SO3, **options})


def test_every_mode_has_its_function():
    assert set(penalties) == {"anchored", "functional", "twirl"}
