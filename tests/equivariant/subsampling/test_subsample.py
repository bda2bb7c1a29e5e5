"""Subsampling and upsampling commute with every pose of p1, p4, p4m and their like."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn
from torus_cases import C1, C2, C4, D4, LEVELS, moved, random_pose

import learnsym as ls
from learnsym.equivariant import EquivariantSubsample2d, EquivariantUpsample2d, FieldType, GroupConv2d
from learnsym.equivariant.subsampling.cosets import remainder, representative
from learnsym.equivariant.subsampling.pose import compose, inverse
from learnsym.equivariant.subsampling.restricted_conv import ExtendedConv2d, RestrictedConv2d

SIZE, COUNT = 8, 20


def coarse_move(layer: EquivariantSubsample2d, g: ls.equivariant.LatticePose, p: ls.equivariant.LatticePose):
    """`κ = s(g p)^-1 g s(p)` as a pose of the coarser grid."""
    cosets = layer.tables()
    product = compose(cosets.fine, g, representative(cosets, p))
    back = inverse(cosets.fine, representative(cosets, product))
    return remainder(cosets, compose(cosets.fine, back, product))


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
def test_the_output_moves_with_the_input(group: ls.groups.Group, subgroup: ls.groups.Group) -> None:
    fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
    layer = EquivariantSubsample2d(fields, 2, subgroup=subgroup)
    x, g = torch.randn(COUNT, fields.size, SIZE, SIZE), random_pose(group, COUNT, SIZE)
    index = layer.index(x)
    assert float(index.margin.min()) > 0
    expected = moved(layer.out_type, coarse_move(layer, g, index.pose), layer(x))
    assert torch.equal(layer(moved(fields, g, x)), expected)


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
def test_down_and_up_again_moves_with_the_input(group: ls.groups.Group, subgroup: ls.groups.Group) -> None:
    fields = FieldType.regular(group, 2)
    down = EquivariantSubsample2d(fields, 2, subgroup=subgroup)
    up = EquivariantUpsample2d(fields, 2, subgroup=subgroup)

    def both(x: torch.Tensor) -> torch.Tensor:
        return up(down(x), down.index(x).pose)

    x, g = torch.randn(COUNT, fields.size, SIZE, SIZE), random_pose(group, COUNT, SIZE)
    assert torch.equal(both(moved(fields, g, x)), moved(fields, g, both(x)))
    assert torch.equal(both(x), torch.where(both(x) != 0, x, 0.0))


def test_a_tie_by_symmetry_is_harmless_and_has_margin_zero() -> None:
    fields = FieldType.regular(C4, 1)
    layer = EquivariantSubsample2d(fields, 2)
    g = random_pose(C4, 1, SIZE)
    x = torch.randn(1, 4, SIZE, SIZE)
    x = x + moved(fields, ls.equivariant.LatticePose(torch.tensor([[4, 1]]), torch.tensor([0])), x)
    x = x + moved(fields, ls.equivariant.LatticePose(torch.tensor([[0, 4]]), torch.tensor([0])), x)
    index = layer.index(torch.zeros(1, 4, SIZE, SIZE))
    assert float(index.margin) == 0
    assert index.pose.shift.tolist() == [[0, 0]]
    expected = moved(fields, coarse_move(layer, g, layer.index(x).pose), layer(x))
    torch.testing.assert_close(layer(moved(fields, g, x)), expected)


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (5, 4), (5, 2), (1, 2), (3, 1)])
def test_restricted_and_extended_convolutions_at_the_identity(
    group: ls.groups.Group, subgroup: ls.groups.Group, kernel_size: int, stride: int
) -> None:
    fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
    out = FieldType.regular(group, 1) + FieldType.trivial(group, 1)
    identity = ls.equivariant.subsampling.pose.identity_pose(3)
    conv = RestrictedConv2d(fields, out, kernel_size, stride, subgroup=subgroup).double()
    x = torch.randn(3, fields.size, SIZE, SIZE, dtype=torch.float64)
    down = EquivariantSubsample2d(out, stride, subgroup=subgroup)
    torch.testing.assert_close(conv(x), down(conv.conv(x), identity))
    up = ExtendedConv2d(out, fields, kernel_size, stride, subgroup=subgroup).double()
    torch.testing.assert_close(
        up(conv(x)), up.conv(EquivariantUpsample2d(out, stride, subgroup=subgroup)(conv(x), identity))
    )


def test_a_network_of_convolutions_and_subsampling_is_exact() -> None:
    image, fields = FieldType.trivial(D4, 1), FieldType.regular(D4, 2)
    layers = [
        GroupConv2d(image, fields, 3, padding=1, padding_mode="circular"),
        nn.ReLU(),
        EquivariantSubsample2d(fields, 2),
        GroupConv2d(fields, fields, 3, padding=1, padding_mode="circular"),
        nn.ReLU(),
        EquivariantSubsample2d(fields, 4, subgroup=C1),
    ]
    net = nn.Sequential(*layers).double()
    x, g = torch.randn(COUNT, 1, 8, 8, dtype=torch.float64), random_pose(D4, COUNT, 8)
    assert (net(moved(image, g, x)) - net(x)).abs().max() < 1e-12


def test_the_gradient_reaches_the_features() -> None:
    layer = EquivariantSubsample2d(FieldType.regular(C4, 1), 2, subgroup=C2)
    x = torch.randn(2, 4, 4, 4, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad.flatten(1).sum(1), torch.full((2,), 2.0 * 4))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_compute_the_same(copied) -> None:
    layer, x = EquivariantSubsample2d(FieldType.regular(D4, 1), 2, subgroup=C4), torch.randn(2, 8, 4, 4)
    assert torch.equal(copied(layer)(x), layer(x))
    assert not layer.state_dict()


def test_compile_and_vmap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    layer, x = EquivariantSubsample2d(FieldType.regular(D4, 1), 2, subgroup=C4), torch.randn(3, 8, 4, 4)
    assert torch.equal(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))
    assert torch.equal(torch.func.vmap(lambda one: layer(one[None])[0])(x), layer(x))


def test_bad_input_is_named() -> None:
    layer = EquivariantSubsample2d(FieldType.regular(C4, 1), 2)
    with pytest.raises(ValueError, match="multiples of the stride 2"):
        layer(torch.randn(1, 4, 7, 7))
    with pytest.raises(ValueError, match="must be square"):
        layer(torch.randn(1, 4, 6, 8))
    with pytest.raises(ValueError, match="must be scalar or regular"):
        EquivariantSubsample2d(FieldType.irreps(C4, {1: 1}), 2)
    with pytest.raises(ValueError, match="regular fields"):
        EquivariantSubsample2d(FieldType.trivial(C4, 1), 2, subgroup=C1)
