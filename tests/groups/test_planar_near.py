"""Exponentials of planar affine groups without the branch for far coordinates, where nothing is far."""

import pytest
import torch

from learnsym.groups import _planar
from learnsym.symmetry import symmetry_by_name


def derivatives(group, a):
    """The exponential of `a` with its first and second derivatives along a fixed cotangent."""
    g = group.exp(a)
    (first,) = torch.autograd.grad((g * torch.arange(9.0).view(3, 3).sin()).sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), a)
    return g, first, second


@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_the_same_to_the_last_bit(monkeypatch, dtype, scale):
    group = symmetry_by_name("affine2d").group
    a = (scale * torch.randn(40, 6, dtype=dtype)).clamp(-20, 20).requires_grad_()
    short = derivatives(group, a)
    monkeypatch.setattr(_planar, "may_look", lambda _: False)
    for found, expected in zip(short, derivatives(group, a), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


def test_it_is_taken_where_values_may_be_looked_at(monkeypatch):
    group, calls = symmetry_by_name("affine2d").group, []
    monkeypatch.setattr(_planar, "cosine_and_sine", lambda x: calls.append(x) or (x, x))
    group.exp(torch.zeros(3, 6))
    assert not calls
    torch.vmap(group.exp)(torch.zeros(3, 6))
    group.exp(torch.full((3, 6), 9.0))
    assert len(calls) == 2
