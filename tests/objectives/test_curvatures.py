"""Every curvature against the dense matrix, where it is exact, and what each leaves out."""

import logging

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives.marginal_likelihood.diagonal import Diagonal
from learnsym.objectives.marginal_likelihood.evidence import log_evidence
from learnsym.objectives.marginal_likelihood.full import Full
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker, KroneckerAndDiagonal, acting
from learnsym.objectives.marginal_likelihood.last_layer import LastLayer
from learnsym.objectives.marginal_likelihood.layers import LINEAR, NORMALISATIONS
from learnsym.objectives.marginal_likelihood.likelihoods import Classes, NormalNoise
from learnsym.objectives.marginal_likelihood.precisions import ByGradient, Kept, MacKay
from learnsym.objectives.marginal_likelihood.whole import whole_evidence
from tests.objectives.curvature_cases import LAYERS, dense, network

CLASSES = torch.arange(5) % 3
NORMED = [name for name in LAYERS if "norm" in name]


def images(count=5):
    torch.manual_seed(1)
    return torch.randn(count, 2, 4, 4, dtype=torch.float64)


def deltas(weights):
    """A precision of each tensor, all different."""
    return {name: torch.tensor(0.5 + i / 3, dtype=torch.float64) for i, name in enumerate(weights)}


def blocks(H, weights):
    """The diagonal block of each tensor."""
    starts = torch.tensor([0] + [w.numel() for w in weights.values()]).cumsum(0).tolist()
    return {name: H[a:b, a:b] for name, a, b in zip(weights, starts, starts[1:], strict=False)}


@pytest.mark.parametrize("name", LAYERS)
def test_what_tensors_take_in_and_give_makes_their_gradient(name):
    """`Σ_t g_t a_t^T` in each group, by the chain rule; of normalisations and biases `Σ_t g_t`."""
    net, x = network(name), images()
    seen = {}
    table = {**LINEAR, **NORMALISATIONS}
    layers = acting(net, table)
    for path, (module, _) in layers.items():
        module.register_forward_hook(lambda m, taken, out, path=path: seen.update({path: (taken[0], out)}))
    f = net(x)
    loss = (f * torch.randn_like(f)).sum()
    checked = 0
    for path, (module, each) in layers.items():
        taken, out = seen[path]
        (g,) = torch.autograd.grad(loss, out, retain_graph=True)
        a, given = each.taken(taken), each.given(taken, g)
        for tensor, moments in each.blocks.items():
            weight = module.get_parameter(tensor)
            (expected,) = torch.autograd.grad(loss, weight, retain_graph=True)
            if len(moments) == 2:
                found = torch.einsum("rmto,rmti->moi", given[moments[0]], a[moments[1]])
            else:
                found = given[moments[0]].sum((0, 2))
            if tensor == "writing" or (tensor == "reading" and isinstance(module, ls.relax.FactoredMap)):
                found = found.mT  # kept the other way round
            torch.testing.assert_close(found.reshape(expected.shape), expected)
            checked += 1
    assert checked == len(list(net.parameters()))


@pytest.mark.parametrize("name", ["linear", "dense map", "factored map", "sparsified map"])
@pytest.mark.parametrize("likelihood", [Classes(), NormalNoise(0.3)], ids=["classes", "numbers"])
def test_kronecker_blocks_of_one_example_are_exact_without_shared_positions(name, likelihood):
    net, x = network(name), images(1)
    held = {n: w for n, w in net.named_parameters() if n.startswith("0") and "bias" not in n}
    _, found = Kronecker().of(net, held, x, likelihood)
    exact = blocks(dense(net, held, x, likelihood), held)
    precisions = deltas(held)
    expected = torch.zeros((), dtype=torch.float64)
    for tensor, H in exact.items():
        groups = found.means[found.blocks[tensor][0]].shape[0]
        if name != "dense map" and groups > 1:
            H = _within_groups(H, net.get_parameter(tensor), tensor, groups)
        expected = expected + torch.logdet(torch.eye(len(H)).double() + H / precisions[tensor])
    torch.testing.assert_close(found.occam(precisions, 1).log_determinant, expected)


def _within_groups(H, weight, tensor, groups):
    """Without the couplings between groups: the first axis of patterns."""
    number = torch.arange(groups).repeat_interleave(weight.numel() // groups)
    return H * (number[:, None] == number)


@pytest.mark.parametrize("name", NORMED)
def test_the_diagonal_of_normalisations_is_exact(name):
    net, x = network(name), images()
    weights = dict(net.named_parameters())
    held = KroneckerAndDiagonal().held(net, weights)
    assert set(held) == set(weights) and len(Kronecker().held(net, weights)) < len(weights)
    _, found = KroneckerAndDiagonal().of(net, held, x, Classes())
    exact = blocks(dense(net, weights, x, Classes()), weights)
    scales = [n for n, moments in found.blocks.items() if found.means[moments[0]].shape[-1] == 1]
    assert len(scales) >= 2
    for tensor in scales:
        diagonal = 5 * found.means[found.blocks[tensor][0]].flatten()
        torch.testing.assert_close(diagonal, exact[tensor].diagonal())


@pytest.mark.parametrize("name", ["conv, stride, zeros", "group norm"])
@pytest.mark.parametrize("form", [Full(), Diagonal()], ids=["full", "diagonal"])
def test_full_and_diagonal_are_those_of_the_dense_matrix(form, name):
    net, x = network(name), images(3)
    held = form.held(net, dict(net.named_parameters()))
    precisions = deltas(held)
    H = dense(net, held, x, Classes())
    H = H if isinstance(form, Full) else H.diagonal().diag()
    delta = torch.cat([precisions[n].expand(w.numel()) for n, w in held.items()])
    f, curvature = form.of(net, held, x, Classes())
    found = curvature.occam(precisions, 3)
    torch.testing.assert_close(f, net(x))
    torch.testing.assert_close(found.log_determinant, torch.logdet(H + delta.diag()) - delta.log().sum())
    shares = (H @ torch.linalg.inv(H + delta.diag())).diagonal().split([w.numel() for w in held.values()])
    for tensor, share in zip(held, shares, strict=True):
        torch.testing.assert_close(found.dimensions[tensor], share.sum())


@pytest.mark.parametrize("name", LAYERS)
def test_couplings_that_are_left_out_make_determinants_larger(name):
    """Fischer's and Hadamard's inequality; of the blocks KFAC has the determinant up to a factor."""
    net, x = network(name), images()
    held = KroneckerAndDiagonal().held(net, dict(net.named_parameters()))
    precisions, H = deltas(held), dense(net, held, x, Classes())
    delta = torch.cat([precisions[n].expand(w.numel()) for n, w in held.items()])
    whole = torch.logdet(torch.eye(len(H)).double() + H / delta)
    parts = blocks(H, held)
    apart = sum(torch.logdet(torch.eye(len(B)).double() + B / precisions[n]) for n, B in parts.items())
    diagonal = (H.diagonal() / delta).log1p().sum()
    assert 0 < whole <= apart <= diagonal
    _, factors = KroneckerAndDiagonal().of(net, held, x, Classes(), create_graph=False)
    assert 0.8 < float(factors.occam(precisions, 5).log_determinant / apart) < 1.6


def test_curvature_of_halves_is_the_mean_of_theirs():
    net, x = network("group convolution"), images(6)
    held = Kronecker().held(net, dict(net.named_parameters()))
    _, whole = Kronecker().of(net, held, x, Classes())
    parts = [Kronecker().of(net, held, x[rows], Classes(), create_graph=False)[1] for rows in (slice(3), slice(3, 6))]
    for name, mean in whole.means.items():
        torch.testing.assert_close((parts[0].means[name] + parts[1].means[name]) / 2, mean.detach())
        assert not parts[0].means[name].requires_grad
    assert any(mean.requires_grad for mean in whole.means.values())


@pytest.mark.parametrize("form", [Kronecker(), Full(), Diagonal()], ids=["kronecker", "full", "diagonal"])
def test_the_whole_evidence_does_not_depend_on_its_batches_and_is_the_exact_one_with_the_full_curvature(form):
    net, x = network("linear"), images(6)
    y = torch.arange(6) % 3
    weights = dict(net.named_parameters())
    precisions = deltas(weights)
    found = whole_evidence(net, precisions, x, y, Classes(), form, batch=4)
    once = whole_evidence(net, precisions, x, y, Classes(), form, create_graph=True)
    torch.testing.assert_close(found.total, once.total.detach())
    assert once.total.requires_grad and not found.total.requires_grad
    if isinstance(form, Full):
        exact = log_evidence(net, weights, precisions, x, y, Classes())
        torch.testing.assert_close(found.total, exact.total.detach())
        assert float(found.dimensions["1.0.weight" if "1.0.weight" in weights else "0.1.weight"]) > 0
    with pytest.raises(ValueError, match="precisions: got one of other"):
        whole_evidence(net, {**precisions, "other": torch.ones(())}, x, y, Classes(), form)


def test_its_gradient_reaches_what_is_inside_of_the_model():
    """The bandwidth of a sparsified layer: by automatic differentiation as by differences."""
    layer = ls.relax.SparsifiedConv(2, 3, 4, learned_bandwidth=True)
    net = nn.Sequential(layer, nn.Tanh(), nn.Flatten(), nn.Linear(48, 3)).double().eval()
    bandwidth = layer.over_kernel.log_bandwidth
    held = Kronecker().held(net, {n: w for n, w in net.named_parameters() if w is not bandwidth})
    x, precisions = images(), deltas(held)

    def value():
        return whole_evidence(net, precisions, x, CLASSES, Classes(), create_graph=True).total

    (slope,) = torch.autograd.grad(value(), bandwidth)
    step, values = 1e-5, []
    for sign in (1, -1):
        bandwidth.data += sign * step
        values.append(float(value().detach()))
        bandwidth.data -= sign * step
    assert abs(float(slope)) > 1e-3
    assert float(slope) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


def test_its_gradient_in_precisions_is_that_of_mackay():
    """`d log p / d log δ_l = 1/2 (γ_l - δ_l |w_l|²)`, and both rules end where it is 0."""
    net, x = network("factored map"), images(8)
    y = torch.arange(8) % 3
    logs = {n: d.log().requires_grad_() for n, d in deltas(dict(net.named_parameters())).items()}
    precisions = {n: log.exp() for n, log in logs.items()}
    found = whole_evidence(net, precisions, x, y, Classes(), create_graph=True)
    slopes = torch.autograd.grad(found.total, list(logs.values()))
    for (name, weight), slope in zip(net.named_parameters(), slopes, strict=True):
        expected = (found.dimensions[name] - precisions[name] * weight.square().sum()) / 2
        torch.testing.assert_close(slope, expected)


def test_precision_rules_have_one_fixed_point():
    net, x = network("factored map"), images(8)
    held = Kronecker().held(net, dict(net.named_parameters()))
    _, curvature = Kronecker().of(net, held, 3 * x, NormalNoise(0.01), create_graph=False)
    squares = {name: weight.detach().square().sum() for name, weight in held.items()}
    ends = []
    for rule, looks in ((MacKay(), 100), (ByGradient(steps=150, rate=0.1), 3)):
        precisions = {name: torch.ones((), dtype=torch.float64) for name in held}
        for _ in range(looks):
            precisions = rule(precisions, squares, curvature, 8)
        ends.append(precisions)
    for name in held:
        assert float(ends[0][name]) == pytest.approx(float(ends[1][name]), rel=0.02)
        gamma = curvature.occam(ends[0], 8).dimensions[name]
        torch.testing.assert_close(ends[0][name] * squares[name], gamma, rtol=1e-3, atol=1e-6)
    assert Kept(2.0)(ends[0], squares, curvature, 8) == ends[0]


def test_the_last_layer_alone_warns_and_is_blind_to_what_is_before_it(caplog):
    net, x = network("linear"), images()
    with caplog.at_level(logging.WARNING):
        held = LastLayer().held(net, dict(net.named_parameters()))
    assert set(held) == {"3.weight", "3.bias"} and "follows the training likelihood" in caplog.text
    _, found = LastLayer().of(net, held, x, Classes())
    torch.testing.assert_close(5 * found.means["matrix"].detach(), dense(net, held, x, Classes()))
    conv = nn.Sequential(nn.Conv2d(2, 3, 4), nn.Flatten())
    with pytest.raises(ValueError, match="its last layer with weights is a Conv2d, must be Linear"):
        LastLayer().held(conv, dict(conv.named_parameters()))


def test_moving_scales_between_layers_of_relu_leaves_the_evidence_at_its_own_precisions():
    """Which layer has the scale says nothing of a network, and precisions of each tensor follow it."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(32, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    x, y = images(12), torch.arange(12) % 3

    def at_its_precisions():
        held = Kronecker().held(net, dict(net.named_parameters()))
        _, curvature = Kronecker().of(net, held, x, Classes(), create_graph=False)
        squares = {name: weight.detach().square().sum() for name, weight in held.items()}
        precisions = {name: torch.ones((), dtype=torch.float64) for name in held}
        for _ in range(60):
            precisions = MacKay()(precisions, squares, curvature, 12)
        return whole_evidence(net, precisions, x, y, Classes())

    before = at_its_precisions()
    with torch.no_grad():
        for parameter in (net[1].weight, net[1].bias):
            parameter *= 10
        net[3].weight /= 10
    after = at_its_precisions()
    torch.testing.assert_close(after.fit, before.fit)
    torch.testing.assert_close(after.total, before.total, rtol=1e-4, atol=0)


def test_networks_without_such_a_curvature_are_named():
    net = nn.Sequential(nn.Bilinear(2, 2, 2))
    with pytest.raises(ValueError, match=r"0\.weight belongs to a layer without Kronecker factors"):
        Kronecker().held(net, dict(net.named_parameters()))
    normed = nn.Sequential(nn.BatchNorm1d(4))
    with pytest.raises(ValueError, match="no trained Linear layer or convolution"):
        Kronecker().held(normed, dict(normed.named_parameters()))
    twice = nn.Linear(3, 3)
    shared = nn.Sequential(twice, twice)
    with pytest.raises(ValueError, match="used several times"):
        Kronecker().of(shared, dict(shared.named_parameters()), torch.randn(2, 3), Classes())
    wide = nn.Linear(2000, 3)
    with pytest.raises(ValueError, match=r"model: has 6003 trained weights, must be 1 to 4096 for the full"):
        Full().held(wide, dict(wide.named_parameters()))
    with pytest.raises(ValueError, match="model: has no trained weights"):
        Diagonal().held(wide, {})
    large = nn.Linear(5000, 2)
    with pytest.raises(ValueError, match="has weights of 5000 numbers"):
        Kronecker().of(large, dict(large.named_parameters()), torch.randn(2, 5000), Classes())


def test_copies_that_are_all_alike_change_nothing():
    """Weights are shared by copies: they are no further data."""
    net, x = network("conv, two groups"), images()
    narrow = ls.distributions.Fixed(ls.distributions.LieBox(ls.groups.SO2(), torch.tensor([1e-9])))
    model = ls.augment.Augmented(net, "rotation2d", narrow, test_copies=5).double().eval()
    _, alone = Kronecker().of(net, Kronecker().held(net, dict(net.named_parameters())), x, Classes())
    own = {name: weight for name, weight in model.named_parameters() if name.startswith("net.")}
    _, copied = Kronecker().of(model, Kronecker().held(model, own), x, Classes())
    assert len(alone.means) == 4
    for name, mean in alone.means.items():
        torch.testing.assert_close(copied.means[f"net.{name}"], mean, atol=1e-6, rtol=1e-6)


PEER = {"full": -23.24353969341785, "kronecker": -28.316818626088075, "diagonal": -42.77495667951273}
"""Log evidence of the network below by laplace-torch 0.3 with curvlinops 3.0.1 (prior precision 1, float64)."""


def wave(shape, frequency):
    """Numbers that no generator draws."""
    entries = torch.arange(1, int(torch.tensor(shape).prod()) + 1, dtype=torch.float64)
    return torch.sin(frequency * entries).reshape(shape)


@pytest.mark.parametrize(("form", "name"), [(Full(), "full"), (Kronecker(), "kronecker"), (Diagonal(), "diagonal")])
def test_evidences_are_those_of_laplace_torch(form, name):
    """Whose definition is the same: `fit - 1/2 (log det(1 + H / δ) + δ |w|²)`."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(32, 3)).double()
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(0.5 * wave(parameter.shape, 1.3 + 0.7 * index))
    ones = {tensor: torch.ones((), dtype=torch.float64) for tensor, _ in net.named_parameters()}
    found = whole_evidence(net, ones, wave((6, 1, 4, 4), 0.9), torch.arange(6) % 3, Classes(), form, batch=4)
    assert float(found.total) == pytest.approx(PEER[name], abs=1e-9)
