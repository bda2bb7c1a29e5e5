"""Laws on nodes are laws, and exact for functions that are linear between nodes."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.posterior.axes import MixAxis, RangeAxis, axes_of, elements
from learnsym.posterior.copies import Copies, copies_of, table_of
from learnsym.posterior.prior import SpikedPrior

RANGE = RangeAxis.of("rotation", "degree", 180.0, 11)
AXES = [RANGE, RangeAxis.of("scale", "log", 0.7, 3), MixAxis(name="other", unit="probability", cap=0.75, count=4)]
FRACTIONS = torch.tensor([0.0, 1e-4, 0.03, 0.4, 0.99, 1.0], dtype=torch.float64)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_weights_are_a_law_from_the_identity_to_full(axis):
    weights = axis.weights(FRACTIONS)
    assert torch.allclose(weights.sum(-1), torch.ones(6).double()) and bool((weights >= 0).all())
    assert weights[0, axis.identity] > 1 - 1e-6
    assert torch.autograd.gradcheck(axis.weights, FRACTIONS[2:5].clone().requires_grad_())


def test_a_function_that_is_linear_between_nodes_is_averaged_without_error():
    values = torch.randn(11, generator=torch.Generator().manual_seed(0)).double()
    for s in (0.05, 0.37, 1.0):
        fine = ((torch.arange(200000) + 0.5) / 200000 * 2 - 1).double() * s
        right = torch.bucketize(fine, RANGE.points).clamp(1, 10)
        a, b = RANGE.points[right - 1], RANGE.points[right]
        share = (fine - a) / (b - a)
        exact = ((1 - share) * values[right - 1] + share * values[right]).mean()
        assert torch.allclose(RANGE.weights(torch.tensor(s)) @ values, exact, atol=1e-4)


@pytest.mark.parametrize("name", ["rotation2d", "orthogonal2d", "flip2d", "so3", "affine2d"])
def test_elements_are_in_the_group(name):
    group = ls.symmetry_by_name(name).group
    axes = axes_of(group, 5)
    copies = copies_of(axes, SpikedPrior().expand((len(axes),)), 60)
    assert bool(group.contains(elements(group, axes, copies.nodes), atol=1e-5).all())
    middle = torch.tensor([[axis.identity for axis in axes]])
    assert torch.allclose(elements(group, axes, middle)[0], group.identity().double(), atol=1e-6)


def test_drawn_copies_average_as_all_of_them():
    axes = (RangeAxis.of("a", "1", 1.0, 9), RangeAxis.of("b", "1", 1.0, 9))
    prior = SpikedPrior().expand((2,))
    every, some = Copies.complete(axes), Copies.drawn(axes, prior, 3000)
    s = torch.tensor([[0.0, 0.0], [0.3, 0.0], [0.5, 0.8], [1.0, 1.0]]).double()

    def average(copies: Copies) -> torch.Tensor:
        a, b = (axis.points[copies.nodes[:, i]] for i, axis in enumerate(axes))
        return copies.log_weights(s).exp() @ torch.cos(2 * a + b)

    assert torch.allclose(average(every), average(some), atol=0.05)
    assert every.is_complete and not some.is_complete
    assert bool((some.effective(s) > 20).all())


def test_more_copies_come_after_the_old_ones():
    axes = AXES[:2]
    few = Copies.drawn(axes, SpikedPrior().expand((2,)), 30)
    more = few.extended(table_of(axes, torch.ones(1, 2).double(), torch.ones(1).double()), 20)
    assert torch.equal(more.nodes[: len(few)], few.nodes)
    assert float(more.counts.sum()) == float(few.counts.sum()) + 20


def test_refuses_generators_without_a_cap_and_groups_that_cannot_be_listed():
    squeeze = ls.groups.CustomGroup(torch.tensor([[[1.0, 0.0], [0.0, -1.0]]]), names=["squeeze"])
    with pytest.raises(ValueError, match="has no cap of squeeze"):
        axes_of(squeeze, 5)
    with pytest.raises(ValueError, match="too many to list"):
        axes_of(ls.symmetry_by_name("permutation9").group, 5)
