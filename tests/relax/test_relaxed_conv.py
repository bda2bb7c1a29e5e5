"""Laws of relaxed group and relaxed steerable convolution."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import FeatureField, FieldType, GroupConv2d, SteerableConv
from learnsym.groups import O2, SO2, SO3, Cyclic, Dihedral
from learnsym.relax import RelaxedGroupConv2d, RelaxedSteerableConv, exact_twin, plain_twin


def scalars_and(group, count=2):
    return FieldType.trivial(group, 1) + FieldType.regular(group, count)


def harmonic(group):
    return FieldType.all_irreps(group, 2, band_limit=1)


CASES = {
    **{f"group {g}": (RelaxedGroupConv2d, scalars_and(g), scalars_and(g)) for g in (Cyclic(4), Dihedral(4))},
    **{f"pool {g}": (RelaxedGroupConv2d, scalars_and(g), FieldType.trivial(g, 2)) for g in (Cyclic(2), Dihedral(2))},
    **{f"steerable {g}": (RelaxedSteerableConv, harmonic(g), harmonic(g)) for g in (SO2(), O2(), SO3())},
    "steerable C_8": (RelaxedSteerableConv, scalars_and(Cyclic(8), 1), scalars_and(Cyclic(8), 1)),
}


@pytest.fixture(params=CASES)
def case(request):
    kind, in_type, out_type = CASES[request.param]
    layer = kind(in_type, out_type, 3, banks=2, padding=1).double()
    return layer, torch.randn(4, in_type.size, *[5] * in_type.group.n, dtype=torch.float64)


def loosened(layer):
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return layer


def error(layer, x):
    """The largest violation over the elements that map the lattice onto itself."""
    group = layer.in_type.group
    candidates = torch.cat([Dihedral(4).components]) if group.space == "plane" else cube()
    symmetry = ls.Symmetry(group, FeatureField(layer.in_type), FeatureField(layer.out_type))
    y, worst = layer(x), 0.0
    for g in candidates[group.contains(candidates)]:
        many = g.expand(len(x), *g.shape).contiguous()
        found = (layer(symmetry.on_input(many, x)) - symmetry.on_output(many, y)).abs().max()
        worst = max(worst, float(found.detach()))
    return worst


def cube():
    turns = [torch.eye(3, dtype=torch.float64)[list(p)] for p in ((1, 2, 0), (0, 1, 2), (2, 0, 1))]
    return torch.stack(turns)


def test_exact_at_the_start_and_broken_by_unequal_weights(case):
    layer, x = case
    assert error(layer, x) <= 1e-10
    assert float(layer.distance().detach()) <= 1e-7
    assert float(layer.penalty().detach()) == 0.0
    loosened(layer)
    assert error(layer, x) > 1e-3
    assert float(layer.distance().detach()) > 1e-2
    assert float(layer.penalty().detach()) > 0.1


def test_exact_is_the_nearest_exact_layer_and_plain_the_same_function(case):
    layer, x = case
    exact = loosened(layer).exact()
    assert error(exact, x) <= 1e-10
    removed = (layer.kernel() - exact.kernel()).norm() / layer.kernel().norm()
    torch.testing.assert_close(removed, layer.distance())
    rest = layer.kernel() - exact.kernel()
    assert abs(float((rest * exact.kernel()).sum())) <= 1e-10 * float(exact.kernel().square().sum())
    plain = layer.plain()
    assert type(plain) in (nn.Conv2d, nn.Conv3d)
    torch.testing.assert_close(plain(x), layer(x))


def test_equal_weights_of_any_size_stay_exact(case):
    layer, x = case
    weights = [layer.weights] if isinstance(layer.weights, nn.Parameter) else list(layer.weights.values())
    with torch.no_grad():
        for weight in weights:
            weight.copy_(
                torch.randn_like(weight.flatten(1)[:, :1]).expand(len(weight), weight[0].numel()).view_as(weight)
            )
    assert error(layer, x) <= 1e-10


def test_gradient_reaches_every_parameter(case):
    layer, x = case
    loosened(layer)(x).square().sum().backward()
    for name, weight in layer.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_contract(case, monkeypatch):
    layer, x = case
    y = loosened(layer)(x)
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


def test_degrees_tell_which_elements_are_broken():
    group = Dihedral(4)
    layer = RelaxedGroupConv2d(FieldType.trivial(group, 1), FieldType.regular(group, 3), 5, banks=2)
    turns = group.components[:4]
    half = ((group.components[:, None] - torch.stack([turns[0], turns[2]])).abs().amax((-1, -2)) < 1e-9).any(1)
    with torch.no_grad():
        layer.weights[0, half] = 3.0
    shares = {degree.generator: degree.estimate for degree in layer.degrees("layer:0")}
    assert shares["rotation by 180"] == pytest.approx(1.0, abs=1e-6)
    assert shares["rotation by 90"] < 0.95
    assert shares["all elements"] <= min(shares.values()) + 1e-6


def test_twins_of_a_network():
    group = Cyclic(4)
    fields = FieldType.regular(group, 2)
    net = nn.Sequential(
        RelaxedGroupConv2d(FieldType.trivial(group, 1), fields, 3), nn.ReLU(), RelaxedGroupConv2d(fields, fields, 3)
    )
    loosened(net)
    x = torch.randn(2, 1, 9, 9)
    torch.testing.assert_close(plain_twin(net)(x), net(x))
    assert isinstance(exact_twin(net)[0], GroupConv2d)
    assert len(ls.degrees(net)) == 6


@pytest.mark.parametrize("make", [RelaxedGroupConv2d, RelaxedSteerableConv])
def test_bad_input(make):
    group = Cyclic(4)
    fields = FieldType.regular(group, 1)
    with pytest.raises(ValueError, match="banks"):
        make(fields, fields, 3, banks=0)
    with pytest.raises(ValueError, match="channels"):
        make(fields, fields, 3)(torch.randn(1, 3, 5, 5))


def test_group_convolution_without_regular_fields():
    image = FieldType.trivial(Cyclic(4), 1)
    with pytest.raises(ValueError, match="regular field"):
        RelaxedGroupConv2d(image, image, 3)
    with pytest.raises(ValueError, match="trivial or regular"):
        RelaxedGroupConv2d(image, FieldType(Cyclic(4), ((ls.representations.Quotient(Cyclic(4), Cyclic(2)), 1),)), 3)


def test_radial_weights_of_a_steerable_layer_are_exact():
    group = O2()
    layer = RelaxedSteerableConv(harmonic(group), harmonic(group), 5, padding=2).double()
    radius = layer.same_radius().double().argmax(0)
    with torch.no_grad():
        for weight in layer.weights.values():
            weight.copy_(torch.randn(25, dtype=torch.float64)[radius].view(5, 5).expand_as(weight))
    assert error(layer, torch.randn(2, layer.in_type.size, 7, 7, dtype=torch.float64)) <= 1e-10
    assert isinstance(layer.exact(), SteerableConv)
    assert float(layer.penalty().detach()) == 0.0
