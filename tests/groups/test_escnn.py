"""Groups and elements of escnn against ours."""

import importlib.util

import pytest
import torch
from torch.testing import assert_close

from learnsym import _escnn
from learnsym.groups import O2, O3, SO2, SO3, Affine2, Cyclic, Dihedral

if importlib.util.find_spec("escnn") is None:
    NO_ESCNN = pytest.mark.skip(reason="escnn is not installed: pip install learnsym[steerable]")
else:
    NO_ESCNN = pytest.mark.filterwarnings("ignore")

QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
SHARED = [SO2(), O2(), Cyclic(1), Cyclic(4), Cyclic(5), Dihedral(1), Dihedral(4), Dihedral(3), SO3(), O3()]


def standard(group, element):
    """Matrix of an element of escnn under its standard representation, as escnn makes it."""
    target = element.group
    if group.order is None:
        return torch.as_tensor(target.standard_representation()(element))
    irrep = target.irrep(1) if group.name.startswith("C_") else target.irrep(1, 1)
    return torch.as_tensor(irrep(element))


@NO_ESCNN
@pytest.mark.parametrize("group", SHARED, ids=str)
def test_orders_agree(group):
    target = _escnn.to_escnn(group)
    assert target.order() == (-1 if group.order is None else group.order)


@NO_ESCNN
@pytest.mark.parametrize("group", SHARED, ids=str)
def test_elements_have_the_same_matrix_and_products(group):
    g, h = group.haar(12, dtype=torch.float64), group.haar(12, dtype=torch.float64)
    for a, b in zip(g, h, strict=True):
        x, y = (_escnn.element_to_escnn(group, m) for m in (a, b))
        assert x @ y == _escnn.element_to_escnn(group, a @ b)
        if group.order is None or group.order >= 3:  # the groups of order 1 and 2 have no irrep of dimension 2
            q = QUARTER if group.name == "D_3" else torch.eye(2, dtype=torch.float64)  # see element_to_escnn
            expected = q @ a @ q.T if group.space == "plane" else a
            assert_close(standard(group, x).double(), expected, rtol=1e-5, atol=1e-5)


def test_groups_without_a_counterpart(monkeypatch):
    monkeypatch.setattr(_escnn, "_builders", lambda: None)
    with pytest.raises(ValueError, match="no counterpart in escnn"):
        _escnn.to_escnn(Affine2())


def test_escnn_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "escnn.group", None)
    with pytest.raises(ImportError, match=r"pip install learnsym\[steerable\]"):
        _escnn.to_escnn(SO2())
