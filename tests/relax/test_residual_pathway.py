"""Residual pathways: ends of the line, projection, prior, posterior; over every kind of exact layer."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jvp, vmap

from learnsym import groups
from learnsym.equivariant import EquivariantLinear, FeatureField, FieldType, GroupConv2d, SteerableConv, kernel_distance
from learnsym.learners import degrees
from learnsym.measure import equivariance_error
from learnsym.objectives import WithPrior
from learnsym.relax import ResidualPathway, VariationalPathway
from learnsym.relax.variational_pathway import divergence
from learnsym.symmetry import Symmetry

C4, D4, SO2, SO3 = groups.Cyclic(4), groups.Dihedral(4), groups.SO2(), groups.SO3()


def regular(group):
    return FieldType.regular(group, 2) + FieldType.trivial(group, 1)


def irreps(group):
    return FieldType.all_irreps(group, 2, 1)


EXACT = {
    "lattice C4": lambda: GroupConv2d(regular(C4), regular(C4), 3, padding=1),
    "lattice D4": lambda: GroupConv2d(FieldType.trivial(D4, 2), regular(D4), 3, padding=1, padding_mode="circular"),
    "steerable D4": lambda: SteerableConv(regular(D4), FieldType.all_irreps(D4, 1), 3, stride=2),
    "steerable SO2": lambda: SteerableConv(irreps(SO2), irreps(SO2), 5, padding=2),
    "steerable SO3": lambda: SteerableConv(irreps(SO3), irreps(SO3), 3, padding=1),
    "linear SO3": lambda: EquivariantLinear(irreps(SO3), irreps(SO3)),
}
PATHWAYS = {"residual": ResidualPathway, "variational": VariationalPathway}


@pytest.fixture(params=EXACT.values(), ids=EXACT.keys())
def exact(request):
    return request.param().double()


CASES = [("residual", name) for name in EXACT]
CASES += [("variational", name) for name in ("lattice C4", "steerable SO2", "linear SO3")]


@pytest.fixture(params=CASES, ids=lambda case: ", ".join(case))
def pathway(request):
    kind, name = request.param
    layer = PATHWAYS[kind](EXACT[name]().double())
    nn.init.normal_(layer.free, std=0.1)
    return layer.eval()


def inputs(layer, size=5):
    linear = isinstance(layer.equivariant, EquivariantLinear)
    pixels = [] if linear else [size] * layer.in_type.group.n
    return torch.randn(2, layer.in_type.size, *pixels, dtype=torch.float64)


def test_starts_as_the_exact_layer(exact):
    layer = ResidualPathway(exact)
    x = inputs(layer)
    torch.testing.assert_close(layer(x), exact(x))
    assert layer.distance() < 1e-12
    assert layer.degrees("layer:0")[0].estimate == pytest.approx(1)


def test_plain_is_the_same_function(pathway):
    x = inputs(pathway)
    plain = pathway.plain()
    assert type(plain).__module__.startswith("torch.nn")
    torch.testing.assert_close(plain(x), pathway(x))


def test_exact_is_equivariant_and_nearest(pathway):
    found = pathway.exact()
    kernel = pathway.kernel()
    removed = (kernel - found.kernel()).norm() / kernel.norm()
    torch.testing.assert_close(pathway.distance(), removed)
    assert 0 < removed < 1
    assert pathway.exact().kernel().sub(kernel).norm() <= pathway.equivariant.kernel().sub(kernel).norm() + 1e-12
    (degree,) = degrees(nn.Sequential(pathway))
    assert degree.site == "layer:0" and 0 < degree.estimate < 1
    x, group = inputs(pathway), pathway.in_type.group
    symmetry = Symmetry(group, FeatureField(found.in_type), FeatureField(found.out_type))
    if x.ndim == 2:
        assert equivariance_error(found, x, symmetry).mean < 1e-10


def test_every_parameter_gets_a_gradient(pathway):
    pathway.train()(inputs(pathway)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in pathway.parameters())


def test_functions_of_torch(pathway, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    x, parameters = inputs(pathway), dict(pathway.named_parameters())

    def loss(parameters, x):
        return functional_call(pathway, parameters, (x[None],)).square().mean()

    per_sample = vmap(grad(loss), (None, 0))(parameters, x)
    torch.testing.assert_close(
        per_sample["free"].mean(0), grad(lambda p: sum(loss(p, one) for one in x) / 2)(parameters)["free"]
    )
    torch.testing.assert_close(jvp(pathway, (x,), (x,))[1], pathway(x) - pathway(0 * x))
    torch.testing.assert_close(torch.compile(pathway, fullgraph=True, backend="eager")(x), pathway(x))
    torch.testing.assert_close(copy.deepcopy(pathway)(x), pathway(x))
    torch.testing.assert_close(pickle.loads(pickle.dumps(pathway))(x), pathway(x))
    assert list(pathway.train().state_dict()) == list(pathway.eval().state_dict())


def test_autocast_and_dtypes(pathway):
    x = inputs(pathway)
    single = pathway.float()
    expected = single(x.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = single(x.float())
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() < 0.02 * expected.norm()


def test_the_free_layer_must_fit(exact):
    free = exact.plain()
    with pytest.raises(ValueError, match="bias"):
        ResidualPathway(exact, free)
    free.bias = None
    layer = ResidualPathway(exact, free)
    torch.testing.assert_close(layer.kernel(), 2 * exact.kernel())
    with pytest.raises(ValueError, match="free: got"):
        ResidualPathway(exact, nn.Linear(2, 2, bias=False))
    with pytest.raises(ValueError, match="free_variance"):
        ResidualPathway(exact, free_variance=0.0)


def test_the_prior_is_two_weight_decays(exact):
    layer = ResidualPathway(exact, exact_variance=2.0, free_variance=0.5)
    nn.init.normal_(layer.free)
    before = layer.penalty()
    layer.free.data.zero_()
    fan_in = layer.free[0].numel()
    count = sum(weight.numel() for weight in exact.weights.values())
    expected = 0.5 * fan_in * (count / layer.free.numel()) * exact.kernel().square().sum() / 2
    torch.testing.assert_close(layer.penalty(), expected)
    assert before > expected


def test_the_prior_prefers_the_exact_path():
    """A gradient step on the prior alone shrinks the free kernel faster, by the ratio of the variances."""
    layer = ResidualPathway(GroupConv2d(regular(C4), regular(C4), 3).double(), free_variance=0.01)
    nn.init.normal_(layer.free)
    layer.penalty().backward()
    ratio = layer.free.grad / layer.free.detach()
    assert torch.allclose(ratio, torch.full_like(ratio, layer.free[0].numel() / 0.01))


def test_the_divergence_is_that_at_the_best_variance():
    mean, log_std = torch.randn(50).double(), 0.3 * torch.randn(50).double() - 1
    posterior = torch.distributions.Normal(mean, log_std.exp())
    grid = torch.linspace(0.1, 4, 4000).double()
    priors = torch.distributions.Normal(torch.zeros(()).double(), grid[:, None].sqrt())
    least = torch.distributions.kl_divergence(posterior, priors).sum(1).min()
    torch.testing.assert_close(divergence(mean, log_std), least, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("broken", [0.0, 0.1, 1.0])
def test_the_posterior_finds_how_far_the_truth_is_from_symmetric(broken, monkeypatch):
    """Linear regression with a planted matrix: the share of it, and the variance of what breaks the symmetry."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # many steps
    fields = FieldType.regular(C4, 2)
    layer = VariationalPathway(EquivariantLinear(fields, fields))
    truth = layer.equivariant.kernel().detach().clone()
    truth += broken / 3 * torch.randn_like(truth)
    removed = kernel_distance(layer.equivariant, truth).square()
    variance = (removed * truth.square().mean() / 0.75).item()  # of 64 entries 48 dimensions are broken
    x = torch.randn(300, 8)
    y = x @ truth.mT + 0.1 * torch.randn(300, 8)
    objective = WithPrior(lambda a, b: (a - b).square().sum(1).mean() / 0.02, 300)
    optimiser = torch.optim.Adam(layer.parameters(), 0.02)
    for _ in range(400):
        optimiser.zero_grad()
        objective(layer, (x, y)).total.backward()
        optimiser.step()
    degree = layer.degrees("layer:0")[0]
    assert degree.low - 0.005 < 1 - removed < degree.high + 0.005
    assert layer.variances()["free"] == pytest.approx(variance, rel=0.25, abs=2e-4)


def test_with_prior_divides_by_the_examples():
    layer = ResidualPathway(EquivariantLinear(regular(C4), regular(C4)))
    batch = torch.randn(3, 9), torch.randn(3, 9)
    a, b = (WithPrior(nn.functional.mse_loss, n)(layer, batch) for n in (10, 20))
    assert a.parts["prior"] == 2 * b.parts["prior"]
    assert WithPrior(nn.functional.mse_loss, 1)(nn.Linear(9, 9), batch).parts["prior"] == 0
    with pytest.raises(ValueError, match="examples: got 0"):
        WithPrior(nn.functional.mse_loss, 0)


def test_the_share_of_a_posterior_is_that_of_its_draws():
    torch.manual_seed(0)
    fields = FieldType.regular(groups.Cyclic(4), 1)
    layer = VariationalPathway(GroupConv2d(fields, fields, 3))
    nn.init.normal_(layer.free, std=0.1)
    nn.init.constant_(layer.free_log_std, -3.0)
    with torch.no_grad():
        drawn = torch.stack([1 - kernel_distance(layer.equivariant, layer.draw()).square() for _ in range(400)])
    degree = layer.degrees("input")[0]
    assert degree.estimate == pytest.approx(drawn.mean().item(), abs=0.02)
    assert degree.low == pytest.approx(drawn.quantile(0.05).item(), abs=0.03)
    assert degree.high == pytest.approx(drawn.quantile(0.95).item(), abs=0.03)
