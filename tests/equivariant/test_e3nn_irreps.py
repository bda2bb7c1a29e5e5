"""Irreps of e3nn, against e3nn itself where it is installed."""

from __future__ import annotations

import importlib.util

import pytest
import torch

import learnsym as ls
from learnsym.equivariant import FieldType, e3nn_basis, e3nn_of_fields, fields_of_e3nn

STRINGS = ["16x0e + 8x1o", "1o", "2x0o+3x1e + 2x2e+1x3o", "0e+1y+2y", "0x4e + 1x2o"]
needs_e3nn = pytest.mark.skipif(
    importlib.util.find_spec("e3nn") is None, reason="e3nn is not installed: pip install learnsym[e3nn]"
)


@pytest.mark.parametrize("text", STRINGS)
def test_there_and_back(text):
    fields = fields_of_e3nn(text)
    assert fields_of_e3nn(e3nn_of_fields(fields)) == fields
    inversion = -torch.eye(3)[None]
    for (irrep, _), term in zip(fields.parts, e3nn_of_fields(fields).split("+"), strict=True):
        sign = -1.0 if term.endswith("o") else 1.0
        assert torch.allclose(irrep(inversion), sign * torch.eye(irrep.size), atol=1e-5)


def test_vectors_are_in_the_order_of_coordinates():
    """`1o` of e3nn is `(x, y, z)`, whose matrices are the elements themselves."""
    fields = fields_of_e3nn("1o")
    g, q = ls.groups.O3().haar(5).double(), e3nn_basis(fields)
    matrices = fields.parts[0][0](g)
    assert torch.allclose(q @ matrices @ q.T, g, atol=1e-6)


@needs_e3nn
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", STRINGS)
def test_matrices_are_those_of_e3nn(text):
    from e3nn import o3

    fields, theirs = fields_of_e3nn(text), o3.Irreps(text).remove_zero_multiplicities()
    torch.manual_seed(0)
    g, q = ls.groups.O3().haar(6), e3nn_basis(fields).float()
    expected = theirs.D_from_matrix(g)
    x = torch.randn(6, theirs.dim)
    moved = fields.mix(g, x @ q) @ q.T
    assert fields.size == theirs.dim
    assert torch.allclose(moved, (expected @ x[..., None])[..., 0], atol=1e-4)
    assert o3.Irreps(e3nn_of_fields(fields)) == theirs
    assert fields_of_e3nn(theirs) == fields


def test_what_is_refused():
    for text, term in (("16x0", "16x0"), ("1o + ", ""), ("1o 2e", "1o 2e")):
        with pytest.raises(ValueError, match=f"irreps: got .*of which '{term}' is no term"):
            fields_of_e3nn(text)
    with pytest.raises(ValueError, match="irreps: got '0x1e', which has no channels"):
        fields_of_e3nn("0x1e")
    with pytest.raises(ValueError, match="must be of O"):
        e3nn_of_fields(FieldType.trivial(ls.groups.SO3(), 2))
    harmonics = ls.representations.Harmonics(ls.groups.O3(), 1)
    with pytest.raises(ValueError, match="must be irreps alone"):
        e3nn_basis(FieldType(ls.groups.O3(), ((harmonics, 1),)))
