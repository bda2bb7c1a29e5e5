"""Networks of escnn in, with a learned degree of equivariance, and their exact twins out."""

from __future__ import annotations

import importlib.util
from functools import cache

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import _escnn
from learnsym.objectives.terms import Alignment, DivergenceAlongDepth, Prior
from learnsym.relax.escnn.blocks import basis_of, blocks_of, exact_kernel
from learnsym.relax.escnn.convolution import EscnnConv
from learnsym.relax.escnn.network import LAYERS
from tests.relax.escnn_networks import NETWORKS, WideResNet, c4_regular

pytestmark = [pytest.mark.filterwarnings("ignore")]
if importlib.util.find_spec("escnn") is None:
    pytestmark.append(pytest.mark.skip(reason="escnn is not installed: pip install learnsym[steerable]"))


copied = _escnn.copied
ALL = [(name, layer) for name in NETWORKS for layer in LAYERS]
QUICK = [*(("C_4 regular", layer) for layer in LAYERS), ("SO(2) gated", "probabilistic"), ("WRN", "probabilistic")]
TRAINED = [
    ("C_4 regular", "probabilistic"),
    ("SO(3) volumes", "residual"),
    ("WRN", "residual"),
    ("O(2) gated", "relaxed"),
]


def pairs(quick):
    """Networks and layers; those that are not quick are slow together."""
    return [pytest.param(*pair, marks=() if pair in quick else pytest.mark.slow) for pair in ALL]


@pytest.fixture(autouse=True, scope="module")
def without_randomized_svd():
    """escnn passes matrices of numpy that later versions of scikit-learn refuse; without it, it uses scipy."""
    with _escnn.numerical_coefficients():
        yield


@pytest.fixture(scope="module")
def network():
    """A copy of each network; its running statistics are others than at the start."""
    return cache(_network)


@pytest.fixture(scope="module")
def learned_network(network):
    """And with learned layers."""
    return cache(lambda name, layer: ls.relax.from_escnn(network(name), layer=layer))


def _network(name):
    torch.manual_seed(0)
    net = NETWORKS[name]().train()
    called(net, images(name))
    return net


def images(name, count=4):
    size = (5, 5, 5) if "SO(3)" in name else (9, 9)
    return torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(1))


def called(net, x):
    out = net(x if isinstance(net, WideResNet) else net.in_type(x))
    return out if isinstance(out, torch.Tensor) else out.tensor.flatten(2).mean(2)


def learned_layers(net):
    return [module for module in net.modules() if isinstance(module, EscnnConv)]


@pytest.mark.parametrize(("name", "layer"), pairs(QUICK))
def test_outputs_weights_and_exact_twin_are_those_of_the_network(network, learned_network, name, layer):
    net, learned, x = network(name), learned_network(name, layer), images(name)
    twin = ls.relax.to_escnn(learned)
    assert len(learned_layers(learned)) == sum(type(m).__name__ in ("R2Conv", "R3Conv") for m in net.modules())
    assert not learned_layers(twin)
    for mode in (True, False):
        expected, *others = (called(copied(each).train(mode), x) for each in (net, learned, twin))
        assert all(torch.allclose(other, expected, atol=1e-6) for other in others)
    assert all(degree.estimate == pytest.approx(1, abs=1e-6) for degree in ls.degrees(learned))
    assert list(twin.state_dict()) == list(net.state_dict())
    # weights that are fitted to a kernel differ by rounding
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(net.parameters(), twin.parameters(), strict=True))


@pytest.mark.parametrize(("name", "layer"), pairs(TRAINED))
def test_the_learned_twin_trains_where_the_symmetry_is_broken(learned_network, name, layer):
    """To tell images from themselves turned by a quarter: an invariant network cannot."""
    torch.manual_seed(0)
    learned, x = copied(learned_network(name, layer)), images(name)
    x, target = torch.cat([x, x.rot90(1, (-2, -1))]), torch.arange(2).repeat_interleave(4)
    losses = list(trained(learned, x, target))
    assert losses[-1] < losses[0] - 0.05
    assert min(degree.estimate for degree in ls.degrees(learned)) < 0.999
    upright, turned = called(ls.relax.to_escnn(learned).eval(), x).chunk(2)
    assert torch.allclose(upright, turned, atol=1e-4)


def trained(net, x, target, steps=15):
    """Losses of a classifier of the mean outputs, normalised."""
    head = nn.Sequential(nn.LazyBatchNorm1d(affine=False), nn.LazyLinear(2))
    head(called(net, x))
    optimiser = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=0.03)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(head(called(net, x)), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield float(loss)


def d4(layer):
    """A convolution between regular fields of D_4."""
    from escnn import gspaces
    from escnn import nn as enn

    torch.manual_seed(0)
    space = gspaces.flipRot2dOnR2(4)
    fields = enn.FieldType(space, [space.regular_repr])
    return ls.relax.from_escnn(enn.R2Conv(fields, fields, 3, padding=1), layer=layer)


def moved_alike(layer, element, x):
    return torch.allclose(layer(x).transform(element).tensor, layer(x.transform(element)).tensor, atol=1e-5)


def test_a_likelihood_on_a_subgroup_keeps_the_equivariance_of_the_subgroup():
    layer = d4("probabilistic")
    turns = torch.linalg.det(layer.likelihood.elements()) > 0
    layer.likelihood.assign(torch.where(turns, 0.0, -30.0).double())
    x = layer.in_type(torch.randn(2, 8, 7, 7))
    kept = {element: moved_alike(layer, element, x) for element in layer.in_type.fibergroup.elements}
    assert all(alike == (not element.value[0]) for element, alike in kept.items())
    assert {d.generator: round(d.estimate, 4) for d in ls.degrees(layer)} == {
        "all": 0.5,
        "rotations": 1.0,
        "reflections": 0.0,
    }


OTHERS = {
    "flips": lambda space, conv: conv(space.flip2dOnR2(), lambda s: [s.regular_repr], {}),
    "quotients of C_6, dilated": lambda space, conv: conv(
        space.rot2dOnR2(6), lambda s: [s.quotient_repr(2), s.regular_repr], {"dilation": 2, "padding": 2}
    ),
    "groups of channels": lambda space, conv: conv(space.rot2dOnR2(4), lambda s: 4 * [s.regular_repr], {"groups": 2}),
    "transposed": lambda space, conv: conv(
        space.rot2dOnR2(4),
        lambda s: [s.regular_repr, s.trivial_repr],
        {"stride": 2, "padding": 1, "output_padding": 1},
        "R2ConvTransposed",
    ),
    "transposed, groups of channels": lambda space, conv: conv(
        space.flipRot2dOnR2(2), lambda s: 4 * [s.regular_repr], {"groups": 2, "dilation": 2}, "R2ConvTransposed"
    ),
    "own rings": lambda space, conv: conv(
        space.rot2dOnR2(3), lambda s: [s.regular_repr], {"rings": [0.0, 1.0], "sigma": [0.5, 0.5], "stride": 2}
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_options_of_a_convolution(name):
    from escnn import gspaces
    from escnn import nn as enn

    def made(space, representations, options, kind="R2Conv"):
        fields = enn.FieldType(space, representations(space))
        return getattr(enn, kind)(fields, fields, 3, **options)

    torch.manual_seed(0)
    net = OTHERS[name](gspaces, made)
    x = torch.randn(2, net.in_type.size, 9, 9)
    for layer in LAYERS:
        learned = ls.relax.from_escnn(net, layer=layer)
        assert torch.allclose(called(learned, x), called(net, x), atol=1e-6)
        assert torch.allclose(called(ls.relax.to_escnn(learned), x), called(net, x), atol=1e-6)
        assert torch.allclose(called(ls.relax.plain_twin(learned), x), called(net, x), atol=1e-6)
        called(learned, x).sum().backward()
        free = [parameter for key, parameter in learned.named_parameters() if not key.startswith("equivariant")]
        assert free and any(parameter.grad is not None and parameter.grad.any() for parameter in free)


def test_a_likelihood_at_the_identity_frees_the_kernel():
    """All kernels are spanned, of frequency 0 at the centre and up to 2 on the ring: six for each pair of channels."""
    layer = d4("probabilistic")
    (block,) = blocks_of(layer.equivariant)
    both = torch.cat([basis_of(layer.equivariant, block), layer.deviation.bases[block.name]()]).flatten(1)
    assert torch.linalg.matrix_rank(both.double(), rtol=1e-4) == 64 * 6 == len(both)


def test_a_residual_kernel_is_projected_onto_the_nearest_exact_one():
    layer = d4("residual")
    with torch.no_grad():
        layer.free.normal_(std=0.1)
    twin = ls.relax.to_escnn(layer)
    rest = layer.kernel() - exact_kernel(twin)
    assert float((rest * exact_kernel(twin)).sum().abs()) < 1e-4
    share = ls.degrees(layer)[0].estimate
    assert share == pytest.approx(float((exact_kernel(twin).norm() / layer.kernel().norm()) ** 2), abs=1e-5)
    assert 0.1 < share < 0.99


def test_terms_find_the_layers():
    x = torch.zeros(1)
    layer = d4("probabilistic")
    ls.relax.peaked(layer.likelihood, 2.0)
    assert float(DivergenceAlongDepth()(layer, x).total) > 0
    assert float(Alignment()(layer, x).total) == 0
    assert ls.learners.symmetry_parameters(layer) == list(layer.likelihood.parameters())
    for name in LAYERS:
        other = d4(name)
        start = float(Prior(1)(other, x).total)
        for parameter in other.parameters():
            nn.init.normal_(parameter)
        assert float(Prior(1)(other, x).total) > start


def test_networks_in_double_precision(network):
    net, x = copied(network("C_4 regular")).double(), images("C_4 regular").double()
    learned = ls.relax.from_escnn(net)
    assert {parameter.dtype for parameter in learned.parameters()} == {torch.float64}
    assert torch.allclose(called(learned, x), called(net, x), atol=1e-12)


def test_a_convolution_that_is_used_twice_stays_one():
    from escnn import gspaces
    from escnn import nn as enn

    space = gspaces.rot2dOnR2(2)
    fields = enn.FieldType(space, [space.regular_repr])
    conv = enn.R2Conv(fields, fields, 3, padding=1)
    learned = ls.relax.from_escnn(enn.SequentialModule(conv, enn.ReLU(fields), conv), layer="residual")
    assert learned[0] is learned[2]


def test_networks_without_a_counterpart_are_refused():
    from escnn import gspaces
    from escnn import nn as enn

    space = gspaces.rot2dOnR2(2)
    fields = enn.FieldType(space, [space.regular_repr])

    class Mine(enn.R2Conv):
        pass

    net = enn.SequentialModule(enn.R2Conv(fields, fields, 3), enn.R2PointConv(fields, fields, width=1.0, n_rings=2))
    with pytest.raises(ValueError, match=r"has R2PointConv of escnn, without a counterpart here; .*R2Conv, R3Conv"):
        ls.relax.from_escnn(net)
    with pytest.raises(ValueError, match="has Mine of escnn"):
        ls.relax.from_escnn(Mine(fields, fields, 3))
    with pytest.raises(ValueError, match=r"net: has no R2Conv and no .* and no Linear of escnn"):
        ls.relax.from_escnn(enn.ReLU(fields))
    with pytest.raises(ValueError, match="layer: got 'soft', must be one of probabilistic, residual, relaxed"):
        ls.relax.from_escnn(net, layer="soft")
    with pytest.raises(ValueError, match="net: has no layer that from_escnn made"):
        ls.relax.to_escnn(net)
    tilted = gspaces.flip2dOnR2(axis=0.3)
    scalars = enn.FieldType(tilted, [tilted.trivial_repr])
    conv = enn.R2Conv(scalars, scalars, 3)
    with pytest.raises(ValueError, match="has no counterpart here; take rot2dOnR2"):
        ls.relax.from_escnn(conv)
    assert ls.degrees(ls.relax.from_escnn(conv, layer="residual"))[0].estimate == pytest.approx(1)
    nothing = gspaces.trivialOnR2()
    scalars = enn.FieldType(nothing, [nothing.trivial_repr])
    with pytest.raises(ValueError, match="has one element, so that there is no symmetry to learn"):
        ls.relax.from_escnn(enn.R2Conv(scalars, scalars, 3))
    with pytest.raises(ValueError, match="x: got fields"):
        d4("residual")(scalars(torch.zeros(1, 1, 5, 5)))


def test_copies_of_evaluated_networks():
    """escnn itself keeps filters that `deepcopy` refuses."""
    net = c4_regular().train().eval()
    twin = copied(net)
    x = images("C_4 regular")
    assert torch.equal(called(twin, x), called(net, x))
    with torch.no_grad():
        twin[1].weights.zero_()
    assert not torch.equal(called(twin.train().eval(), x), called(net, x))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_plain_twin_computes_the_same_and_is_free(layer):
    learned, x = ls.relax.from_escnn(_network("C_4 regular"), layer=layer), images("C_4 regular")
    for parameter in learned.parameters():
        nn.init.normal_(parameter, std=0.1)
    plain = ls.relax.plain_twin(learned.eval())
    assert torch.allclose(called(plain, x), called(learned, x), atol=1e-5)
    assert plain[1].weight.shape == (8, 1, 3, 3)
    assert not ls.degrees(plain)


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    """Evaluations between steps leave no filters of escnn behind, which a checkpoint could not take back."""
    from learnsym.objectives import Regularised, Supervised

    x, y = images("WRN", 8), torch.arange(8) % 2
    objective = Regularised(Supervised(nn.functional.cross_entropy), (Prior(8),))

    def weights(folder, *steps):
        torch.manual_seed(0)
        for count in steps:
            model = ls.relax.from_escnn(_network("WRN"), layer="relaxed")
            run, every = ls.training.Run.new(folder), ls.training.TrainConfig(steps=count, eval_every=1)
            ls.training.fit(model, objective, [(x, y)], run=run, train=every, validate=measured)
        return [*model.parameters()]

    def measured(model):
        return {"error": ls.measure.equivariance_error(model, x, "quarter_turns2d").mean}

    whole, again = weights(tmp_path / "whole", 2), weights(tmp_path / "again", 2, 2)
    assert all(torch.equal(a, b) for a, b in zip(whole, again, strict=True))
