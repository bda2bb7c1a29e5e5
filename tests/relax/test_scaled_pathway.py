"""Scaled pathways: ends of the line, the degree that no scale changes, and the bounds that gains put on a network."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import EquivariantLinear, FieldType, GroupConv2d, SteerableConv
from learnsym.equivariant.twins import exact_twin
from learnsym.groups import SO2, SO3, Cyclic, Dihedral
from learnsym.relax import ScaledPathway, gained_layers, truncate

C4, D4 = Cyclic(4), Dihedral(4)
EXACT = {
    "lattice D4": lambda: GroupConv2d(FieldType.trivial(D4, 2), FieldType.regular(D4, 2), 3, padding=1),
    "steerable SO2": lambda: SteerableConv(*[FieldType.all_irreps(SO2(), 2, 1)] * 2, 5, padding=2),
    "linear SO3": lambda: EquivariantLinear(*[FieldType.all_irreps(SO3(), 2, 1)] * 2),
    "linear C4": lambda: EquivariantLinear(FieldType.regular(C4, 2), FieldType.regular(C4, 3)),
}


@pytest.fixture(params=EXACT.values(), ids=EXACT.keys())
def layer(request):
    torch.manual_seed(0)
    return ScaledPathway(request.param().double(), start=0.7).double()


def inputs(layer, count=3):
    pixels = [] if isinstance(layer.equivariant, EquivariantLinear) else [5, 5]
    return torch.randn(count, layer.in_type.size, *pixels, dtype=torch.float64)


def test_a_gain_of_zero_is_the_exact_layer_and_the_exact_twin_is_it(layer):
    x = inputs(layer)
    twin, cut = layer.exact(), truncate(copy.deepcopy(layer))
    torch.testing.assert_close(cut(x), layer.equivariant(x))
    torch.testing.assert_close(twin(x), layer.equivariant(x))
    assert float(cut.degrees("layer:0")[0].estimate) == 0.0 < layer.degrees("layer:0")[0].estimate
    assert float(cut.distance().detach()) < 1e-12


def test_branches_are_orthogonal_and_the_size_is_a_tangent(layer):
    exact, broken = layer.equivariant.kernel().detach(), (layer.gain() * layer.broken()).detach()
    assert abs(float((exact * broken).sum())) < 1e-12
    assert float(broken.norm()) == pytest.approx(0.7 * len(broken) ** 0.5)
    size = float(layer.relative_size().detach())
    assert size == pytest.approx(float(broken.norm() / exact.norm()))
    # |W - P W| / |W| is the sine of the angle whose tangent is the size
    assert float(layer.distance().detach()) == pytest.approx(size / (1 + size**2) ** 0.5)


@pytest.mark.parametrize("factor", [0.01, -1.0, 100.0])
def test_the_degree_does_not_depend_on_the_scale_of_either_branch(layer, factor):
    """A free kernel that grows cannot let the gain fall; one scale of the whole kernel changes nothing."""
    before, kernel = layer.degrees("layer:0")[0].estimate, layer.kernel().detach().clone()
    with torch.no_grad():
        layer.free.mul_(abs(factor))
    torch.testing.assert_close(layer.kernel(), kernel)
    with torch.no_grad():
        layer.gain.value.mul_(factor)
        for weight in layer.equivariant.weights.values():
            weight.mul_(factor)
    assert layer.degrees("layer:0")[0].estimate == pytest.approx(before)


def test_the_correlation_is_the_gradient_of_the_kernel(layer):
    x = inputs(layer)
    kernel = layer.kernel().detach().requires_grad_()
    y = layer.equivariant.applied(x, kernel)
    weights = torch.randn_like(y)
    (y * weights).sum().backward()
    torch.testing.assert_close(layer.correlation(x, weights), kernel.grad)


def test_the_departure_is_a_projection(layer):
    k, other = torch.randn_like(layer.free), torch.randn_like(layer.free)
    q = layer.departure(k)
    torch.testing.assert_close(layer.departure(q), q)
    torch.testing.assert_close((q * other).sum(), (k * layer.departure(other)).sum())
    assert float(layer.departure(layer.equivariant.kernel()).detach().abs().max()) < 1e-12


def test_a_layer_that_holds_every_kernel_is_refused():
    scalars = FieldType.trivial(C4, 3)
    with pytest.raises(ValueError, match=r"^equivariant: every kernel from .* take the layer itself$"):
        ScaledPathway(EquivariantLinear(scalars, scalars))
    with pytest.raises(ValueError, match=r"^start: got inf"):
        ScaledPathway(EquivariantLinear(FieldType.regular(C4, 1), scalars), start=float("inf"))


def test_a_model_without_gains_is_refused():
    with pytest.raises(ValueError, match=r"^model: Linear has no layer with a gain"):
        gained_layers(nn.Linear(2, 2))


def test_a_gain_that_moves_is_told():
    layer = ScaledPathway(EXACT["linear C4"]())
    assert layer.degrees("layer:0")[0].status == "no interval"
    layer.gain.settled.fill_(False)
    (degree,) = layer.degrees("layer:0")
    assert degree.status == "not converged" and "train longer" in degree.reason and degree.doubt
    assert truncate(layer).degrees("layer:0")[0].status == "no interval"


def deep(layers, start, seed):
    torch.manual_seed(seed)
    fields = FieldType.regular(C4, 3)
    parts = []
    for _ in range(layers):
        exact = EquivariantLinear(fields, fields, bias=False)
        parts += [ScaledPathway(exact, start=start * (2 * torch.rand(()).item() - 1)), nn.ReLU()]
    return nn.Sequential(*parts).double(), fields


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("start", [1e-3, 0.1, 1.0])
def test_gains_bound_what_truncation_changes_and_the_equivariance_error(layers, start, seed):
    """Both bounds of Manolache et al. (2025), with constants that bound every branch, and the first one reached."""
    net, fields = deep(layers, start, seed)
    paths = list(gained_layers(net).values())
    free = [torch.linalg.matrix_norm(path.broken().detach(), 2) for path in paths]
    exact = [torch.linalg.matrix_norm(path.equivariant.kernel().detach(), 2) for path in paths]
    gb = max(abs(float(path.gain().detach())) for path in paths)
    b = max(1.0, *map(float, free))
    m = max(b, *map(float, exact))
    x = torch.randn(50, fields.size, dtype=torch.float64)
    with torch.no_grad():
        y, cut = net(x), truncate(copy.deepcopy(net))(x)
        norms = x.norm(dim=1)
        # |f_γ - f_0| <= Σ_k (1 + γ)^k γ B M^(L-1) |x|
        bound = sum((1 + gb) ** k for k in range(layers)) * gb * b * m ** (layers - 1) * norms
        changed = (y - cut).norm(dim=1)
        assert bool((changed <= bound).all()) and bool((changed > 0).any())
        # |s(g) f(x) - f(r(g) x)| <= 2 γ (M + B γ)^(L-1) L B² |x|
        wider = 2 * gb * (m + b * gb) ** (layers - 1) * layers * b**2 * norms
        act = ls.equivariant.FeatureField(fields)
        for g in C4.components.double():
            many = g.expand(len(x), *g.shape)
            assert bool(((act(many, y) - net(act(many, x))).norm(dim=1) <= wider).all())
            assert float((act(many, cut) - truncate(copy.deepcopy(net))(act(many, x))).abs().max()) < 1e-12


def test_networks_are_truncated_as_by_their_exact_twin():
    net, fields = deep(3, 1.0, 0)
    x = torch.randn(4, fields.size, dtype=torch.float64)
    torch.testing.assert_close(exact_twin(net)(x), truncate(copy.deepcopy(net))(x))
