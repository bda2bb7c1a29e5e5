"""Projection of free kernels onto exact layers: an orthogonal projector, its own layer unchanged."""

import pytest
import torch

from learnsym import groups
from learnsym.equivariant import (
    EquivariantLinear,
    FieldType,
    GroupConv2d,
    SteerableConv,
    kernel_distance,
    nearest_kernel,
    projected,
)

LATTICE = [groups.Cyclic(1), groups.Cyclic(4), groups.Dihedral(2), groups.Dihedral(4)]
STEERABLE = [groups.Cyclic(8), groups.Dihedral(4), groups.SO2(), groups.O2(), groups.SO3()]


def layers():
    for group in LATTICE:
        fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
        yield pytest.param(lambda f=fields: GroupConv2d(f, f, 3), id=f"lattice {group}")
    for group in STEERABLE:
        fields = FieldType.all_irreps(group, 2, None if group.order else 1)
        size = 3 if group.n == 3 else 5
        yield pytest.param(lambda f=fields: EquivariantLinear(f, f), id=f"linear {group}")
        yield pytest.param(lambda f=fields, s=size: SteerableConv(f, f, s), id=f"steerable {group}")


@pytest.fixture(params=layers())
def layer(request):
    return request.param().double()


def test_the_projection_is_orthogonal(layer):
    a, b = torch.randn_like(layer.kernel()), torch.randn_like(layer.kernel())
    once = nearest_kernel(layer, a)
    assert torch.allclose(nearest_kernel(layer, once), once, atol=1e-12)
    assert torch.allclose((once * b).sum(), (a * nearest_kernel(layer, b)).sum(), atol=1e-10)
    assert torch.allclose(once.square().sum() + (a - once).square().sum(), a.square().sum())


def test_the_kernel_of_the_layer_stays(layer):
    kernel = layer.kernel()
    assert kernel_distance(layer, kernel) < 1e-12
    assert 0 < kernel_distance(layer, torch.randn_like(kernel)) <= 1 or layer.in_type.group.order == 1


def test_the_projected_layer_has_the_nearest_kernel_and_bias(layer):
    torch.nn.init.normal_(bias := torch.empty(layer.out_type.size, dtype=torch.float64))
    kernel = torch.randn_like(layer.kernel())
    found = projected(layer, kernel, bias)
    assert type(found) is type(layer)
    assert torch.allclose(found.kernel(), nearest_kernel(layer, kernel), atol=1e-12)
    plain = found.plain()
    again = projected(layer, plain.weight, plain.bias).plain()
    assert torch.allclose(plain.weight, again.weight) and torch.allclose(plain.bias, again.bias)
    assert (plain.bias * (bias - plain.bias)).sum().abs() < 1e-12


def test_the_distance_has_a_gradient(layer):
    kernel = torch.randn_like(layer.kernel()).requires_grad_()
    kernel_distance(layer, kernel).backward()
    assert kernel.grad is not None and kernel.grad.isfinite().all()


def test_another_shape_is_an_error(layer):
    with pytest.raises(ValueError, match="kernel: got shape"):
        nearest_kernel(layer, layer.kernel()[..., :1])
