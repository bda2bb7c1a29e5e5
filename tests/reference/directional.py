"""Slow twins of `measure.lie.closed_forms`: the same functions in elementary operations, differentiated by torch.

Third derivatives of torch's own layer norm (the gradient of a derivative taken by two reverse passes) are wrong in
torch 2.13, those of elementary operations are not.
"""

import math

import torch


def directional(function, x, dx, **named):
    """The result and its derivative along `dx`, both with gradients."""
    return torch.autograd.functional.jvp(lambda *x: function(*x, **named), x, dx, create_graph=True)


def batch_norm(x, running_mean, running_var, weight=None, bias=None, eps=1e-5):
    mean, var, weight, bias = (
        None if t is None else t.view(-1, *[1] * (x.ndim - 2)) for t in (running_mean, running_var, weight, bias)
    )
    return _affine((x - mean) / (var + eps).sqrt(), weight, bias)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    dims = list(range(-len(normalized_shape), 0))
    centred = x - x.mean(dims, keepdim=True)
    return _affine(centred / (centred.square().mean(dims, keepdim=True) + eps).sqrt(), weight, bias)


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def scaled_dot_product_attention(q, k, v, scale=None):
    weights = torch.exp(torch.einsum("...qc,...kc->...qk", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale))
    return torch.einsum("...qk,...kc->...qc", weights / weights.sum(-1, keepdim=True), v)


def _affine(x, weight, bias):
    return x if weight is None else x * weight + bias
