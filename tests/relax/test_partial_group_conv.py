"""Laws of learned ranges, partial group convolution and partial means."""

import copy
import math
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import FeatureField, FieldType, SteerableConv
from learnsym.groups import O2, SO2, Cyclic, Dihedral
from learnsym.relax import (
    LearnedArc,
    LearnedElements,
    PartialGroupConv,
    PartialMean,
    exact_twin,
    increase_along_depth,
    partial_ranges,
    plain_twin,
)
from learnsym.relax.partial.arc import arc_moments, arc_shares

TYPES = {
    "C_4": FieldType.regular(Cyclic(4), 3),
    "C_8": FieldType.regular(Cyclic(8), 2),
    "C_5": FieldType.regular(Cyclic(5), 2),
    "SO(2)": FieldType.all_irreps(SO2(), 3, band_limit=2),
    "D_4": FieldType.regular(Dihedral(4), 2),
}


@pytest.fixture(params=TYPES)
def layer(request):
    kind = TYPES[request.param]
    return PartialGroupConv(SteerableConv(kind, kind, 3, padding=1)).double().eval()


def data(layer):
    return torch.randn(3, layer.in_type.size, 5, 5, dtype=torch.float64)


def narrowed(network):
    """Ranges that break the symmetry."""
    with torch.no_grad():
        for learned in partial_ranges(network):
            if isinstance(learned, LearnedArc):
                learned.box.width.raw.fill_(-0.3)
            else:
                learned.logits.copy_(torch.linspace(-1.0, 1.0, len(learned.logits)))
    return network


def widened(network):
    with torch.no_grad():
        for learned in partial_ranges(network):
            (learned.box.width.raw if isinstance(learned, LearnedArc) else learned.logits).fill_(60.0)
    return network


def error(layer, out_type, x, group):
    symmetry = ls.Symmetry(group, FeatureField(layer.in_type), FeatureField(out_type))
    y, worst = layer(x), 0.0
    for g in Dihedral(4).components[group.contains(Dihedral(4).components)]:
        many = g.expand(len(x), 2, 2).contiguous()
        found = (layer(symmetry.on_input(many, x)) - symmetry.on_output(many, y)).abs().max()
        worst = max(worst, float(found.detach()))
    return worst


def test_exact_on_the_whole_group_and_partial_on_a_part(layer):
    x, group = data(layer), layer.in_type.group
    assert error(widened(layer), layer.out_type, x, group) <= 1e-10
    assert float(layer.distance().detach()) <= 1e-7
    torch.testing.assert_close(layer(x), layer.exact()(x))
    narrowed(layer)
    assert float(layer.distance().detach()) > 1e-2
    if group.order != 5:  # which shares no turn with the pixels
        assert error(layer, layer.out_type, x, group) > 1e-3


def test_the_projection_is_the_convolution_over_the_whole_group(layer):
    if layer.in_type.group.order not in (4, 8) or layer.in_type == TYPES["C_8"]:
        pytest.skip("the kernel of other groups is equivariant between pixels alone")
    kernel = narrowed(layer).kernel()
    torch.testing.assert_close(ls.equivariant.nearest_kernel(layer.conv, kernel), layer.exact().kernel())


def test_plain_is_the_same_function(layer):
    x = data(layer)
    plain = narrowed(layer).plain()
    assert type(plain) is nn.Conv2d
    torch.testing.assert_close(plain(x), layer(x))
    torch.testing.assert_close(layer.learned.plain()(x), layer.learned(x))
    mean = PartialMean(layer.in_type, layer.learned).double().eval()
    torch.testing.assert_close(mean.plain()(x), mean(x))
    torch.testing.assert_close(mean.exact().double().plain()(x), mean.exact()(x))


def test_contract(layer, monkeypatch):
    x = data(layer)
    y = narrowed(layer)(x)
    y.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in layer.parameters())
    parameters = dict(layer.named_parameters())

    def loss(values, x):
        return torch.func.functional_call(layer, values, (x[None],)).square().mean()

    assert len(torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)) == len(parameters)
    torch.func.jvp(layer, (x,), (torch.ones_like(x),))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(other(x), y)
    assert layer.train().state_dict().keys() == layer.eval().state_dict().keys()
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(x), y)
    with torch.autocast("cpu", torch.bfloat16):
        assert copy.deepcopy(layer).float()(x.float()).dtype == torch.bfloat16


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("half_width", [0.01, 0.7, 2.0, math.pi])
def test_shares_of_an_arc(count, half_width):
    theta = torch.tensor(half_width, dtype=torch.float64)
    angle = (torch.arange(400_000, dtype=torch.float64) + 0.5) / 400_000 * 2 * half_width - half_width
    nearest = (angle / (2 * math.pi / count)).round().long() % count
    expected = torch.bincount(nearest, minlength=count).double() / len(angle) * count
    torch.testing.assert_close(arc_shares(theta, count), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("half_width", [0.01, 0.7, 2.0, math.pi])
def test_moments_of_an_arc(half_width):
    theta = torch.tensor(half_width, dtype=torch.float64)
    angle = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000 * 2 * half_width - half_width
    waves = [f(m * angle) * 2**0.5 for m in (1, 2, 3) for f in (torch.cos, torch.sin)]
    functions = torch.stack([torch.ones_like(angle), *waves])
    torch.testing.assert_close(arc_moments(theta, 3), functions @ functions.mT / len(angle), atol=1e-6, rtol=0)


def test_fourier_coefficients_are_of_functions_on_the_group():
    """`LearnedArc` multiplies `f(h) = Σ_m sqrt(d) e_1^T ρ_m(h)^T c_m` by the density of the arc."""
    kind = FieldType.all_irreps(SO2(), 1, band_limit=3)
    arc = narrowed(LearnedArc(kind)).double()
    x = torch.randn(1, kind.size, dtype=torch.float64)
    angle = torch.linspace(-math.pi, math.pi, 40001, dtype=torch.float64)
    waves = [f(m * angle) * 2**0.5 for m in (1, 2, 3) for f in (torch.cos, torch.sin)]
    functions = torch.stack([torch.ones_like(angle), *waves])
    restricted = (x @ functions)[0] * (angle.abs() <= arc.half_width) * math.pi / arc.half_width
    projected = torch.trapezoid(restricted * functions, angle, dim=1) / (2 * math.pi)
    torch.testing.assert_close(arc(x)[0], projected, atol=2e-3, rtol=0)


def test_elements_are_drawn_in_training_alone():
    learned = LearnedElements(TYPES["D_4"], init=0.5)
    draws = torch.stack([learned.drawn() for _ in range(2000)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    assert bool((draws[:, 0] == 1).all())
    assert draws[:, 1:].mean().item() == pytest.approx(0.5, abs=0.02)
    x = torch.randn(1, 16, 4, 4)
    assert not torch.equal(learned(x), learned(x))
    learned.eval()
    torch.testing.assert_close(learned(x), learned(x))


def test_increase_along_depth():
    kind = TYPES["C_4"]
    arcs = [LearnedArc(kind, init) for init in (0.9, 0.3, 0.5)]
    assert float(increase_along_depth(arcs).detach()) == pytest.approx(0.2, abs=1e-5)
    assert float(increase_along_depth(arcs[:2]).detach()) == 0.0
    with pytest.raises(ValueError, match="ranges"):
        increase_along_depth([])
    with pytest.raises(ValueError, match="extents"):
        increase_along_depth([LearnedArc(kind), LearnedElements(kind)])


def test_network_with_twins_and_degrees():
    kind = TYPES["C_8"]
    group = kind.group
    net = nn.Sequential(
        SteerableConv(FieldType.trivial(group, 1), kind, 5),
        nn.ReLU(),
        PartialGroupConv(SteerableConv(kind, kind, 5)),
        nn.ReLU(),
        PartialMean(kind),
    ).double()
    x = torch.randn(2, 1, 15, 15, dtype=torch.float64)
    torch.testing.assert_close(plain_twin(narrowed(net))(x), net(x))
    exact = exact_twin(net)
    turned = exact(x.rot90(1, (2, 3))).rot90(-1, (2, 3))
    torch.testing.assert_close(turned, exact(x))
    assert [degree.site for degree in ls.degrees(net)] == ["layer:2", "layer:4"]
    assert ls.degrees(net)[0].estimate == pytest.approx(76.6, abs=0.1)


def test_bad_input():
    with pytest.raises(ValueError, match="LearnedElements"):
        LearnedArc(TYPES["D_4"])
    with pytest.raises(ValueError, match="all_irreps"):
        LearnedArc(FieldType.irreps(SO2(), {0: 2, 1: 3}))
    with pytest.raises(ValueError, match="regular"):
        LearnedElements(FieldType.all_irreps(O2(), 2, band_limit=1))
    with pytest.raises(ValueError, match="init"):
        LearnedElements(TYPES["D_4"], init=1.0)
    with pytest.raises(ValueError, match="learned"):
        PartialGroupConv(SteerableConv(TYPES["C_4"], TYPES["C_4"], 3), LearnedArc(TYPES["C_8"]))
