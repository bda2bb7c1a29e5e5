"""What is fast on a CPU against what is obvious: values and gradients."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch.nn.functional import pad

import learnsym as ls
from learnsym.equivariant.lattice.orbits import gathered, kernel_orbits
from learnsym.equivariant.memory_order import around, channels_last
from learnsym.groups import Cyclic, Dihedral
from learnsym.representations import Irrep, Quotient, Regular
from tests.reference.group_kernels import gathered_by_entries

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-14}
"""The sum of a few numbers."""


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 0), (0, 3), (0, 0)])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 1, 3, 4, 5)], ids=["images", "volumes"])
def test_around_is_a_circular_border(shape, before, after, dtype):
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    y, expected = around(x, before, after), pad(x, (before, after) * (x.ndim - 2), mode="circular")
    assert torch.equal(y, expected)
    cotangent = torch.randn_like(expected)
    gradients = [torch.autograd.grad(z, x, cotangent)[0] for z in (y, expected)]
    torch.testing.assert_close(*gradients, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_channels_last_has_the_same_values_and_channels_side_by_side():
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(channels_last(x), x)
    assert channels_last(x).is_contiguous(memory_format=torch.channels_last)
    laid_out = channels_last(x)
    assert channels_last(laid_out).data_ptr() == laid_out.data_ptr()
    for other in (torch.randn(2, 3, 4, 5, 6), x.double()):
        assert channels_last(other) is other


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("group", [Cyclic(4), Dihedral(4)], ids=str)
@pytest.mark.parametrize("source", ["trivial", "regular", "quotient"])
@pytest.mark.parametrize("target", ["trivial", "regular", "quotient"])
def test_a_gathered_kernel_is_that_of_loops(group, source, target, dtype):
    fields = {"trivial": Irrep(group, 0), "regular": Regular(group), "quotient": Quotient(group, Cyclic(2))}
    orbits = kernel_orbits(fields[source], fields[target], 3)
    weights = torch.randn(2, 3, int(orbits.max()) + 1, dtype=dtype, requires_grad=True)
    kernel, expected = gathered(weights, orbits), gathered_by_entries(weights, orbits)
    assert torch.equal(kernel, expected)
    cotangent = torch.randn_like(expected)
    gradients = [torch.autograd.grad(k, weights, cotangent)[0] for k in (kernel, expected)]
    torch.testing.assert_close(*gradients, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


LAYERS = {
    "GroupConv2d": lambda fields: ls.equivariant.GroupConv2d(fields, fields, 3, padding=1),
    "circular": lambda fields: ls.equivariant.GroupConv2d(fields, fields, 3, padding=1, padding_mode="circular"),
    "SteerableConv": lambda fields: ls.equivariant.SteerableConv(fields, fields, 3, padding=1),
}


def layer_of(name):
    torch.manual_seed(0)
    return LAYERS[name](ls.equivariant.FieldType.regular(Cyclic(4), 2))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_plain_twin_in_either_order_of_memory(name):
    layer, x = layer_of(name), torch.randn(2, 8, 5, 6)
    for given in (x, channels_last(x)):
        torch.testing.assert_close(layer(given), layer.plain()(x), rtol=1e-5, atol=1e-5)
    layer, x = layer.double(), x.double()
    torch.testing.assert_close(layer(x), layer.plain()(x), rtol=1e-12, atol=1e-12)


def expanded(layer, x):
    """What the layer gives when nothing is kept."""
    return layer.applied(x, layer.kernel())


def by_data(layer):
    next(iter(layer.weights.values())).data.mul_(2.0)


def by_loading(layer):
    twice = {name: 2 * weight for name, weight in layer.named_parameters()}
    layer.load_state_dict({**layer.state_dict(), **twice})


def by_optimiser(layer):
    for weight in layer.weights.values():
        weight.grad = torch.ones_like(weight)
    torch.optim.SGD(layer.parameters(), 0.1).step()


def by_other_parameters(layer):
    for key, weight in list(layer.weights.items()):
        layer.weights[key] = torch.nn.Parameter(2 * weight.detach())


@pytest.mark.parametrize("change", [by_data, by_loading, by_optimiser, by_other_parameters])
@pytest.mark.parametrize("name", LAYERS)
def test_a_kept_kernel_follows_its_weights(name, change):
    layer, x = layer_of(name).eval(), torch.randn(2, 8, 5, 5)
    with torch.no_grad():
        before = layer(x)
    change(layer)
    with torch.no_grad():
        after = layer(x)
        assert torch.equal(after, expanded(layer, x))
    assert not torch.allclose(after, before)


def test_a_kernel_is_expanded_once_in_evaluation_and_each_time_in_training(monkeypatch):
    layer, x, calls = layer_of("GroupConv2d"), torch.randn(2, 8, 5, 5), []
    block = type(layer).block
    monkeypatch.setattr(type(layer), "block", lambda *arguments: (calls.append(1), block(*arguments))[1])
    with torch.no_grad():
        for _ in range(2):
            layer.eval()(x)
        assert len(calls) == 1
        for _ in range(2):
            layer.train()(x)
        assert len(calls) == 3
    layer.eval()(x).sum().backward()
    assert len(calls) == 4
    assert all(weight.grad is not None for weight in layer.weights.values())


def test_a_kept_kernel_is_no_part_of_state_copies_and_pickles():
    layer, x = layer_of("GroupConv2d").eval(), torch.randn(2, 8, 5, 5)
    keys, fresh = set(layer.state_dict()), len(pickle.dumps(layer))
    with torch.no_grad():
        y = layer(x)
        assert set(layer.state_dict()) == keys
        assert len(pickle.dumps(layer)) == fresh
        assert torch.equal(copy.deepcopy(layer)(x), y)
        torch.testing.assert_close(layer.double()(x.double()), y.double(), rtol=1e-5, atol=1e-5)
        doubled = {name: 2 * value for name, value in layer.state_dict().items()}
        assert torch.equal(torch.func.functional_call(layer, doubled, x.double()), 2 * layer(x.double()))
        assert torch.equal(torch.func.vmap(lambda one: layer(one[None])[0])(x.double()), layer(x.double()))


@pytest.mark.parametrize("name", LAYERS)
def test_a_kernel_that_was_kept_in_inference_mode_gives_gradients_of_inputs(name):
    layer = layer_of(name).eval().requires_grad_(False)
    x = torch.randn(1, 8, 6, 6)
    with torch.inference_mode():
        expected = layer(x)
    y = layer(x.requires_grad_())
    assert torch.equal(y, expected) and torch.autograd.grad(y.sum(), x)[0].abs().sum() > 0
