"""Flows over groups: draws are elements that lead to the data, distances are exact, and known laws are found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from learnsym import Symmetry, actions, groups
from learnsym.measure import group_flow, sample_distance, sample_modes
from learnsym.measure.flow.flow import GroupFlow

PLANE = Symmetry(groups.SO2(), actions.PointCloud(dim=2), actions.Invariant())
ARROW = torch.tensor([[1.0, 0.0], [0.3, 0.4]])


def turned(angles):
    return PLANE.on_input(PLANE.group.exp(angles[:, None]), ARROW.expand(len(angles), 2, 2))


def angles_of(elements):
    return elements[:, 1, 0].atan2(elements[:, 0, 0])


class Back(nn.Module):
    """The exact velocity of one pose: paths are straight, and all that is left is walked in the time that is left."""

    def forward(self, x, t):
        cross = (ARROW[0, 0] * x[:, 0, 1] - ARROW[0, 1] * x[:, 0, 0]).double()
        dot = (x[:, 0] * ARROW[0]).sum(1).double()
        return (-cross.atan2(dot) / (1 - t.double()).clamp(min=1e-9))[:, None].float()


def test_the_exact_velocity_leads_to_the_identity():
    sample = GroupFlow(symmetry=PLANE, x=ARROW[None], net=Back(), order=5).sample(200)
    assert bool(PLANE.group.contains(sample.elements).all())
    torch.testing.assert_close(sample.elements, torch.eye(2).double().expand(200, 2, 2), atol=1e-5, rtol=0)


def test_four_modes_are_found():
    quarter = group_flow(turned(math.pi / 2 * torch.arange(4)), PLANE, steps=200).sample(600, steps=30)
    truth = PLANE.group.exp((math.pi / 2 * (torch.arange(600) % 4))[:, None])
    assert sample_distance(quarter.elements, truth.double()) < 0.2
    assert int(quarter.examples.max()) == 3


def test_a_single_pose_is_a_single_mode():
    single = group_flow(turned(torch.zeros(1)), PLANE, steps=100).sample(300, steps=20)
    [(mean, share)] = sample_modes(single.elements, within=0.5)
    assert share > 0.97 and abs(float(angles_of(mean[None]))) < 0.1


def test_distances_are_exact():
    a = PLANE.group.haar(50).double()
    order = torch.randperm(50)
    assert sample_distance(a, a[order]) < 1e-12
    turn = PLANE.group.exp(torch.tensor([0.2], dtype=torch.float64))
    # a common small turn moves each element by 2 √2 sin(θ / 2)
    assert sample_distance(a[:1], turn @ a[:1]) == pytest.approx(2 * 2**0.5 * math.sin(0.1))
    assert sample_distance(a, turn @ a) <= 2 * 2**0.5 * math.sin(0.1) + 1e-12
    cyclic = groups.Cyclic(4).components.double()
    assert sample_distance(cyclic, turn @ cyclic) == pytest.approx(2 * 2**0.5 * math.sin(0.1))
    with pytest.raises(ValueError, match="b: got 3 elements for 4"):
        sample_distance(cyclic, cyclic[:3])


def test_modes_are_what_gaps_part():
    angles = torch.cat([0.1 * torch.rand(60), 2 + 0.1 * torch.rand(39), torch.tensor([1.0])]).double()
    modes = sample_modes(PLANE.group.exp(angles[:, None]), within=0.3)
    assert [share for _, share in modes] == pytest.approx([0.6, 0.39])
    circle = PLANE.group.exp(torch.linspace(0, 6.2, 100)[:, None].double())
    assert len(sample_modes(circle, within=0.3)) == 1


def test_the_callers_random_state_is_left_alone_and_seeds_repeat():
    before = torch.random.get_rng_state()
    first, second = (group_flow(turned(torch.zeros(2)), PLANE, steps=2, seed=3).sample(5) for _ in range(2))
    assert torch.equal(first.elements, second.elements)
    assert torch.equal(before, torch.random.get_rng_state())


def test_bad_input_is_refused():
    x = turned(torch.zeros(2))
    for words, call in {
        r"symmetry: got .*must be compact": lambda: group_flow(torch.randn(3, 2, 3), "se3"),
        "compact, connected": lambda: group_flow(torch.randn(3, 2, 3), "o3"),
        "steps: got 0": lambda: group_flow(x, PLANE, steps=0),
        "order: got 0": lambda: group_flow(x, PLANE, order=0),
        "count: got 0": lambda: group_flow(x, PLANE, steps=1).sample(0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
