"""Laws of the relaxed translation."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import fx, nn

import learnsym as ls
from learnsym.equivariant import FieldType, GroupConv2d, SteerableConv
from learnsym.groups import SO2, SO3, Cyclic
from learnsym.relax import RelaxedTranslationConv

KINDS = {
    "lattice": (GroupConv2d, FieldType.regular(Cyclic(4), 2)),
    "steerable": (SteerableConv, FieldType.all_irreps(SO2(), 2, band_limit=1)),
    "volumes": (SteerableConv, FieldType.all_irreps(SO3(), 1, band_limit=1)),
}


@pytest.fixture(params=KINDS)
def layer(request):
    kind, fields = KINDS[request.param]
    conv = kind(fields, fields, 3, padding=1, padding_mode="circular")
    return RelaxedTranslationConv(conv, [6] * fields.group.n, banks=2).double()


def data(layer):
    return torch.randn(2, layer.in_type.size, *[6] * layer.in_type.group.n, dtype=torch.float64)


def violation(layer, x):
    moved = layer(x.roll((1, 2), (2, 3))).roll((-1, -2), (2, 3))
    return float((moved - layer(x)).abs().max().detach())


def loosened(layer):
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return layer


def test_exact_at_the_start_and_broken_by_unequal_weights(layer):
    x = data(layer)
    assert violation(layer, x) <= 1e-10
    assert float(layer.distance().detach()) <= 1e-7
    loosened(layer)
    assert violation(layer, x) > 1e-3
    assert float(layer.distance().detach()) > 0.05
    assert float(layer.penalty().detach()) > 1.0


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_output_is_the_mixture_of_the_outputs_of_the_banks(bias, training):
    fields = FieldType.regular(Cyclic(4), 2)
    layer = RelaxedTranslationConv(GroupConv2d(fields, fields, 3, padding=1, bias=bias), (6, 6), banks=3).double()
    x = data(loosened(layer).train(training)).requires_grad_()
    parts = [
        w * nn.functional.conv2d(x, b.kernel(), padding=1) for w, b in zip(layer.weights, layer.banks, strict=True)
    ]
    expected = sum(parts) / 3 + (layer.banks[0].channel_bias()[:, None, None] if bias else 0)
    torch.testing.assert_close(layer(x), expected)
    inputs = [x, layer.weights] if not training else [x, *layer.parameters()]
    cotangent = torch.randn_like(expected)
    found, wanted = (torch.autograd.grad(y, inputs, cotangent) for y in (layer(x), expected))
    torch.testing.assert_close(found, wanted)


def test_exact_is_the_mean_over_places(layer):
    x = data(layer)
    exact = loosened(layer).exact()
    moves = [(a, b) for a in range(6) for b in range(6)]
    if x.ndim == 4:
        means = torch.stack([layer(x.roll(m, (2, 3))).roll([-k for k in m], (2, 3)) for m in moves]).mean(0)
        torch.testing.assert_close(exact(x), means)
    assert violation(exact, x) <= 1e-10


def test_distance_against_the_kernels_of_all_places(layer):
    kernels = torch.stack([bank.kernel() for bank in loosened(layer).banks]).flatten(1)
    places = layer.weights.flatten(1).mT @ kernels
    expected = (places - places.mean(0)).norm() / places.norm()
    torch.testing.assert_close(layer.distance(), expected)
    assert ls.degrees(layer)[0].estimate == pytest.approx(1 - float(expected.detach()) ** 2)


def test_contract(layer, monkeypatch):
    x = data(layer)
    y = loosened(layer)(x)
    y.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in layer.parameters())
    plain = layer.plain()
    assert isinstance(plain, fx.GraphModule)
    torch.testing.assert_close(plain(x), y)
    assert {type(part) for part in plain.modules()} <= {type(plain), nn.Module, nn.Conv2d, nn.Conv3d, nn.ModuleList}
    parameters = dict(layer.named_parameters())

    def loss(values, x):
        return torch.func.functional_call(layer, values, (x[None],)).square().mean()

    assert len(torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)) == len(parameters)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(other(x), y)
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(x), y)
    with torch.autocast("cpu", torch.bfloat16):
        assert copy.deepcopy(layer).float()(x.float()).dtype == torch.bfloat16


def test_bad_input():
    fields = FieldType.regular(Cyclic(4), 1)
    with pytest.raises(ValueError, match="out_shape"):
        RelaxedTranslationConv(GroupConv2d(fields, fields, 3), (5,))
