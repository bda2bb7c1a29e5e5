"""Functions with their derivatives in closed form against slow twins: values, derivatives and gradients of both."""

import pytest
import torch

from learnsym.measure.lie.closed_forms import batch_norm, gelu, layer_norm, scaled_dot_product_attention
from tests.reference import directional as slow


def numbers(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def statistics(size):
    return {"running_mean": numbers(size), "running_var": numbers(size).exp()}


ONE = {
    "batch norm": (
        batch_norm,
        slow.batch_norm,
        (5, 3, 4, 2),
        statistics(3) | {"weight": numbers(3), "bias": numbers(3)},
    ),
    "batch norm of vectors, without weights": (batch_norm, slow.batch_norm, (5, 3), statistics(3) | {"eps": 0.1}),
    "layer norm": (
        layer_norm,
        slow.layer_norm,
        (5, 2, 6),
        {"normalized_shape": [6], "weight": numbers(6), "bias": numbers(6)},
    ),
    "layer norm of two axes, without weights": (layer_norm, slow.layer_norm, (5, 2, 6), {"normalized_shape": (2, 6)}),
    "gelu": (gelu, slow.gelu, (5, 6), {}),
    "gelu by tanh": (gelu, slow.gelu, (5, 6), {"approximate": "tanh"}),
}


def check(form, function, x, dx, **named):
    """Results, derivatives, and gradients of both with respect to inputs and tangents are those of the twin."""
    leaves = [t.requires_grad_() for t in (*x, *dx)]
    weights = [torch.randn_like(t) for t in form(*x, *dx, **named)]
    for pairs in zip(
        *(_all(pair, weights, leaves) for pair in (form(*x, *dx, **named), slow.directional(function, x, dx, **named))),
        strict=True,
    ):
        torch.testing.assert_close(*pairs, rtol=1e-10, atol=1e-12)


def _all(pair, weights, leaves):
    return [*pair, *torch.autograd.grad(pair, leaves, weights)]


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_tensor(name):
    form, function, shape, named = ONE[name]
    check(form, function, (numbers(*shape),), (numbers(*shape),), **named)


@pytest.mark.parametrize("named", [{}, {"scale": 0.3}])
def test_attention(named):
    x, dx = ([numbers(2, 3, size, 4) for size in (5, 7, 7)] for _ in range(2))
    check(scaled_dot_product_attention, slow.scaled_dot_product_attention, tuple(x), tuple(dx), **named)


@pytest.mark.parametrize("name", ONE)
def test_several_directions_at_once(name):
    form, _, shape, named = ONE[name]
    x, directions = numbers(*shape), numbers(3, *shape)
    together = torch.vmap(lambda dx: form(x, dx, **named)[1])(directions)
    for dx, found in zip(directions, together, strict=True):
        torch.testing.assert_close(found, form(x, dx, **named)[1], rtol=1e-12, atol=1e-14)


def test_batch_statistics_are_left_to_torch():
    x = numbers(5, 3)
    assert batch_norm(x, x, None, None, training=True) is None
    assert batch_norm(x, x, **statistics(3), training=True) is None
