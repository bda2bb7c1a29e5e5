"""The contract of every exact and relaxed layer, over one list of constructors."""

import copy
import inspect
import pickle

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import equivariant as eq
from learnsym import relax
from learnsym.degrees import Degree
from learnsym.equivariant.projection import kernel_distance
from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral

C4, C8, D4 = Cyclic(4), Cyclic(8), Dihedral(4)


def regular(group, count=2):
    return eq.FieldType.regular(group, count)


def scalars_and(group):
    return eq.FieldType.trivial(group, 1) + regular(group)


def harmonic(group, count=2):
    return eq.FieldType.all_irreps(group, count, band_limit=1)


def steerable(group, kind=eq.SteerableConv, **options):
    return kind(harmonic(group), harmonic(group), 3, padding=1, **options)


def lattice(group, kind=eq.GroupConv2d, **options):
    return kind(scalars_and(group), scalars_and(group), 3, padding=1, **options)


EXACT = {
    "GroupConv2d C_4": lambda: lattice(C4),
    "GroupConv2d D_4": lambda: lattice(D4, padding_mode="circular"),
    "SteerableConv C_8": lambda: eq.SteerableConv(scalars_and(C8), regular(C8), 3, padding=1),
    "SteerableConv SO(2)": lambda: steerable(SO2()),
    "SteerableConv O(2)": lambda: steerable(O2()),
    "SteerableConv SO(3)": lambda: steerable(SO3()),
    "SteerableConv O(3)": lambda: steerable(O3()),
    "EquivariantLinear": lambda: eq.EquivariantLinear(scalars_and(D4), scalars_and(D4)),
    "RestrictedConv2d": lambda: eq.RestrictedConv2d(regular(C4), regular(C4), 3, 2),
    "ExtendedConv2d": lambda: eq.ExtendedConv2d(regular(C4), regular(C4), 3, 2),
    "FieldBatchNorm regular": lambda: eq.FieldBatchNorm(scalars_and(D4)),
    "FieldBatchNorm irreps": lambda: eq.FieldBatchNorm(harmonic(O2())),
    "FourierNonlinearity": lambda: eq.FourierNonlinearity(SO2(), 2, 1, nn.ELU()),
    "Gated": lambda: eq.Gated(harmonic(SO3())),
    "NormNonlinearity": lambda: eq.NormNonlinearity(harmonic(O2())),
    "Pointwise": lambda: eq.Pointwise(regular(D4), nn.ELU()),
    "CosetPool": lambda: eq.CosetPool(regular(D4)),
    "InvariantPool": lambda: eq.InvariantPool(harmonic(O2())),
    "AveragePool": lambda: eq.AveragePool(harmonic(SO2())),
    "GlobalAveragePool": lambda: eq.GlobalAveragePool(harmonic(SO3())),
    "BallMask": lambda: eq.BallMask(harmonic(SO2()), 6),
    "FreeConv": lambda: eq.FreeConv(harmonic(SO2()), harmonic(SO2()), 3, padding=1),
    "ConvMap": lambda: relax.ConvMap(2, 3, 6, stride=2),
    "SparsifiedConv": lambda: relax.SparsifiedConv(2, 3, 6),
    "Restrict": lambda: eq.Restrict(harmonic(O2()), SO2()),
    "Sequential": lambda: eq.Sequential(lattice(C4), eq.FieldBatchNorm(scalars_and(C4)), nn.ReLU()),
    "InvariantIntegration Monomials": lambda: eq.InvariantIntegration(eq.Monomials(regular(D4), count=2)),
    "InvariantIntegration WeightedSums": lambda: eq.InvariantIntegration(eq.WeightedSums(regular(C8), 3)),
    "InvariantIntegration PointwiseMLP": lambda: eq.InvariantIntegration(eq.PointwiseMLP(regular(C4), 3)),
}
RELAXED = {
    "RelaxedGroupConv2d C_4": lambda: lattice(C4, relax.RelaxedGroupConv2d),
    "RelaxedGroupConv2d D_4": lambda: lattice(D4, relax.RelaxedGroupConv2d),
    "RelaxedSteerableConv SO(2)": lambda: steerable(SO2(), relax.RelaxedSteerableConv),
    "RelaxedSteerableConv SO(3)": lambda: steerable(SO3(), relax.RelaxedSteerableConv),
    "ProbabilisticSteerableConv C_4": lambda: relax.ProbabilisticSteerableConv(regular(C4), regular(C4), 3, padding=1),
    "ProbabilisticSteerableConv O(2)": lambda: steerable(O2(), relax.ProbabilisticSteerableConv),
    "ResidualPathway lattice": lambda: relax.ResidualPathway(lattice(D4)),
    "ResidualPathway steerable": lambda: relax.ResidualPathway(steerable(SO2())),
    "ResidualPathway linear": lambda: relax.ResidualPathway(eq.EquivariantLinear(scalars_and(D4), scalars_and(D4))),
    "ProjectedLayer lattice": lambda: relax.ProjectedLayer(lattice(D4)),
    "ScaledPathway lattice": lambda: relax.ScaledPathway(lattice(D4)),
    "ScaledPathway steerable": lambda: relax.ScaledPathway(steerable(SO2())),
    "VariationalPathway": lambda: relax.VariationalPathway(lattice(C4)),
    "PartialGroupConv C_8": lambda: relax.PartialGroupConv(eq.SteerableConv(regular(C8), regular(C8), 3, padding=1)),
    "PartialGroupConv D_4": lambda: relax.PartialGroupConv(eq.GroupConv2d(regular(D4), regular(D4), 3, padding=1)),
    "PartialMean": lambda: relax.PartialMean(regular(C8)),
    "RelaxedTranslationConv": lambda: relax.RelaxedTranslationConv(lattice(C4, padding_mode="circular"), (6, 6)),
    "DenseMap": lambda: relax.DenseMap(2, 3, 6),
    "FactoredMap": lambda: relax.FactoredMap(2, 3, 6, stride=2),
    "SparsifiedMap": lambda: relax.SparsifiedMap(2, 3, 6),
    "GridPathway": lambda: relax.GridPathway(relax.DenseMap(2, 3, 6), relax.ConvMap(2, 3, 6)),
    "Streams": lambda: relax.Streams({"C_4": classifier(C4), "D_4": classifier(D4)}),
}
LAYERS = EXACT | RELAXED
PARTS = {
    *("Basis", "Constant", "IntegrationKernel", "Monomials", "OrbitInvariants", "PointwiseMLP", "WeightedSums"),
    *("Gain", "GainedLayer", "FixedSoftness", "LearnedSoftness"),
    *("Interpolation", "Likelihood", "LearnedArc", "LearnedElements", "NormalPosterior", "PartialRange"),
}
"""Modules that are parts of layers."""
AROUND_NETWORKS = {"Softened", "Spanned"}
"""Modules around whole networks, whatever their layers; tests/relax/test_softness.py and admissible have their laws."""
ON_SPHERES = {
    "HealpixTransform",
    "S2Conv",
    "S2Transform",
    "SO3Conv",
    "SO3ToS2",
    "SO3Transform",
    "SO3Mean",
    "SO3Norm",
    "SO3Pointwise",
}
"""Layers of functions on the sphere and on SO(3); tests/equivariant/sphere has their laws."""
MOVED_BY_THEIR_INPUT = {"EquivariantSubsample2d", "EquivariantUpsample2d", "ExactStride"}
"""Layers whose indices depend on the input; tests/equivariant/subsampling has their laws."""
OWN_CLASS = {"BallMask", "Gated", "InvariantPool", "NormNonlinearity", "FourierNonlinearity"}
"""Layers without a counterpart in torch, whose plain twin is a copy."""
OVER_SHIFTS = {"RelaxedTranslationConv": 1, "DenseMap": 1, "FactoredMap": 2, "SparsifiedMap": 1, "GridPathway": 1}
"""Layers that relax shifts, with their strides."""
every_layer = pytest.mark.parametrize("name", LAYERS)
every_relaxed = pytest.mark.parametrize("name", RELAXED)


def classifier(group):
    image = eq.FieldType.trivial(group, 1)
    conv = eq.GroupConv2d(image, regular(group), 3, padding=1)
    integration = eq.InvariantIntegration(eq.Monomials(regular(group), count=2))
    return nn.Sequential(conv, integration, nn.Linear(4, 3))


def make(name):
    """A layer in evaluation, away from its first weights, in double precision, and inputs."""
    layer = LAYERS[name]()
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    layer = layer.double().eval()
    return layer, inputs(name, layer)


def inputs(name, layer):
    in_type = getattr(layer, "in_type", None) or getattr(getattr(layer, "learned", None), "field_type", None)
    if in_type is None:
        return torch.randn(3, 1 if name == "Streams" else 2, 6, 6, dtype=torch.float64)
    flat = isinstance(getattr(layer, "equivariant", layer), eq.EquivariantLinear)
    pixels = [] if flat else [6] * in_type.group.n
    return torch.randn(3, in_type.size, *pixels, dtype=torch.float64)


def test_no_layer_is_left_out():
    public = {k for m in (eq, relax) for k in m.__all__ if inspect.isclass(getattr(m, k))}
    modules = {k for k in public if issubclass(getattr(eq, k, None) or getattr(relax, k), nn.Module)}
    assert modules == {name.split()[0] for name in LAYERS} | PARTS | AROUND_NETWORKS | MOVED_BY_THEIR_INPUT | ON_SPHERES


KERNELS = (eq.GroupConv2d, eq.SteerableConv, eq.EquivariantLinear)


@every_layer
def test_plain_twin_computes_the_same_without_learnsym(name):
    layer, x = make(name)
    plain = layer.plain().eval()
    torch.testing.assert_close(plain(x), layer(x), atol=1e-9, rtol=1e-9)
    if name.split()[0] not in OWN_CLASS:
        assert not [module for module in plain.modules() if type(module).__module__.startswith("learnsym")]


@every_layer
def test_gradient_reaches_every_parameter(name):
    layer, x = make(name)
    layer.train()(x.requires_grad_()).square().sum().backward()
    assert bool(x.grad.abs().sum() > 0)
    trained = [(key, p) for key, p in layer.named_parameters() if p.requires_grad]
    assert not [key for key, p in trained if p.grad is None or not bool(p.grad.abs().sum() > 0)]


@every_layer
def test_copies_and_pickles(name):
    layer, x = make(name)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(other(x), layer(x))


@every_layer
def test_state_has_the_same_keys_in_training_and_evaluation(name):
    layer, x = make(name)
    layer.train()(x)
    keys = list(layer.state_dict())
    layer.eval()(x)
    assert list(layer.state_dict()) == keys
    fresh = LAYERS[name]().double().eval()
    fresh.load_state_dict(layer.state_dict())
    torch.testing.assert_close(fresh(x), layer(x))


@every_layer
def test_precision_follows_the_module(name):
    """Weights that float32 holds give the same layer again after a way through float32."""
    layer = LAYERS[name]().eval()
    x = inputs(name, layer)
    expected = copy.deepcopy(layer).double()(x)
    torch.testing.assert_close(layer(x.float()).double(), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(layer.double().float().double()(x), expected, atol=1e-12, rtol=1e-12)


@every_layer
def test_autocast(name):
    layer, x = make(name)
    expected, single = layer(x), layer.float()
    with torch.autocast("cpu", torch.bfloat16):
        found = single(x.float())
    torch.testing.assert_close(found.double(), expected, atol=0.1 * float(expected.detach().abs().max()), rtol=0.1)


@pytest.mark.slow
@every_layer
def test_functional_transforms(name):
    layer, x = make(name)
    state = dict(layer.named_parameters()) | dict(layer.named_buffers())
    weights = {key: value for key, value in state.items() if isinstance(value, nn.Parameter)}
    rest = {key: value for key, value in state.items() if key not in weights}

    def loss(values, one):
        return torch.func.functional_call(layer, {**rest, **values}, (one[None],)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)
    layer(x.requires_grad_()).square().sum().backward()
    for key, weight in layer.named_parameters():
        expected = torch.zeros_like(weight) if weight.grad is None else weight.grad
        torch.testing.assert_close(each[key].sum(0), expected)
    x = x.detach()
    v = torch.randn_like(x)
    _, tangent = torch.func.jvp(layer, (x,), (v,))
    numeric = (layer(x + 1e-6 * v) - layer(x - 1e-6 * v)) / 2e-6
    torch.testing.assert_close(tangent, numeric, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@every_layer
def test_compiles_to_one_graph(name, monkeypatch):
    layer, x = make(name)
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), layer(x))
    compiled(x.requires_grad_()).square().sum().backward()
    assert x.grad is not None


@every_relaxed
def test_exact_twin_is_equivariant_and_its_own_projection(name):
    layer, x = make(name)
    exact = layer.exact().double().eval()
    if name in OVER_SHIFTS:
        stride = OVER_SHIFTS[name]
        moved = [exact(x.roll(2, dim)) - exact(x).roll(2 // stride, dim) for dim in (2, 3)]
    elif isinstance(layer, relax.Streams):
        moved = [exact(x.rot90(k, (-2, -1))) - exact(x) for k in range(4)]
    else:
        moved = [exact(a) - b for a, b in orbit(exact, layer, x)]
    assert max(float(difference.detach().abs().max()) for difference in moved) <= 1e-10
    if isinstance(exact, KERNELS):
        assert float(kernel_distance(exact, exact.kernel()).detach()) <= 1e-7
    assert exact(x).shape == layer(x).shape


def orbit(exact, layer, x):
    """Moved inputs and moved outputs, for all elements that map the lattice onto itself."""
    out_type = getattr(exact, "out_type", None)
    in_type = getattr(layer, "in_type", None) or layer.learned.field_type
    group = in_type.group
    candidates = D4.components if group.space == "plane" else CUBE
    y = exact(x)
    for g in candidates[group.contains(candidates)]:
        many = g.expand(len(x), *g.shape).contiguous()
        target = eq.FieldType.trivial(group, y.shape[1]) if out_type is None else out_type
        yield eq.FeatureField(in_type)(many, x), eq.FeatureField(target)(many, y)


CUBE = torch.stack([torch.eye(3, dtype=torch.float64)[list(p)] for p in ((0, 1, 2), (1, 2, 0), (2, 0, 1))])


@every_relaxed
def test_distance_is_between_zero_and_one_and_has_a_gradient(name):
    layer, _ = make(name)
    distance = layer.distance()
    assert distance.ndim == 0 and 0 < float(distance.detach()) < 1
    assert distance.requires_grad


@pytest.mark.slow
@every_relaxed
def test_degrees(name):
    layer, _ = make(name)
    found = layer.degrees("layer:0")
    assert found and all(isinstance(d, Degree) and d.notion == "task" and d.site == "layer:0" for d in found)
    assert len(ls.degrees(nn.Sequential(layer))) == len(found)
