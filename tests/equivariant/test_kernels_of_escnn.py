"""Spaces of kernels against those of escnn, for the same rings and harmonics."""

import importlib.util
import warnings

import pytest
import torch

from learnsym import _escnn
from learnsym.equivariant.steerable.kernel_basis import kernel_basis
from learnsym.equivariant.steerable.scalar_basis import WIDTH, positions
from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral
from learnsym.representations import Irrep, Regular, generating, invariants, tensor_product

pytestmark = [pytest.mark.filterwarnings("ignore")]
if importlib.util.find_spec("escnn") is None:
    pytestmark.append(pytest.mark.skip(reason="escnn is not installed: pip install learnsym[steerable]"))

IRREPS = {
    SO2(): [(0, 0), (1, 0), (2, 0)],
    O2(): [(0, 0), (0, 1), (1, 0), (2, 0)],
    SO3(): [(0, 0), (1, 0), (2, 0)],
    O3(): [(0, 0), (1, 1), (2, 0)],
    Cyclic(4): [(0, 0), (1, 0), (2, 0)],
    Cyclic(5): [(1, 0), (2, 0)],
    Dihedral(4): [(0, 1), (1, 0), (2, 0), (2, 1)],
}
FINITE = [Cyclic(2), Cyclic(6), Dihedral(4)]


@pytest.fixture(autouse=True)
def without_randomized_svd(monkeypatch):
    """escnn passes matrices of numpy that later versions of scikit-learn refuse; without it, it uses scipy."""
    monkeypatch.setattr(importlib.import_module("escnn.group._numerical"), "randomized_svd", None)


def space_of(group):
    from escnn import gspaces

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if group.space == "space":
            return (gspaces.rot3dOnR3 if group == SO3() else gspaces.flipRot3dOnR3)(maximum_frequency=4)
        count = len(group.components)
        if group.name.startswith(("C", "S")):
            return gspaces.rot2dOnR2(count if group.order else -1, maximum_frequency=6)
        # its reflections flip the axis at this angle; at 0 they do to the plane what its representations say
        return gspaces.flipRot2dOnR2(count // 2 if group.order else -1, maximum_frequency=6, axis=0.0)


def matrices(group, representation):
    """Of escnn, at the elements that generate our group."""
    elements = [_escnn.element_to_escnn(group, g) for g in generating(group)]
    return torch.stack([torch.as_tensor(representation(element)).double() for element in elements])


def change_of_basis(group, ours, theirs):
    """An orthogonal `Q` with `Q ρ(g) = ρ'(g) Q`, if both representations are equivalent."""
    found = invariants(tensor_product(theirs, ours(generating(group)))).unflatten(1, (theirs.shape[-1], ours.size))
    if theirs.shape[-1] != ours.size or not len(found):
        return None
    left, values, right = torch.linalg.svd(torch.tensordot(torch.randn(len(found)).double(), found, dims=1))
    return left @ right if values.min() > 1e-3 else None


def counterpart(group, ours):
    """The representation of escnn that is equivalent to ours, and the change of basis."""
    target = _escnn.to_escnn(group)
    if group.order is None:
        candidates = [target.irrep(*key) for key in _keys(group)]
    else:
        candidates = list(target.irreps()) if isinstance(ours, Irrep) else [target.regular_representation]
    for theirs in candidates:
        basis = change_of_basis(group, ours, matrices(group, theirs))
        if basis is not None:
            return theirs, basis
    raise AssertionError(f"{ours} of {group} has no counterpart")


def _keys(group):
    both = [(parity, frequency) for frequency in range(3) for parity in (0, 1)]
    if group.name == "O(2)":
        return [(1, 0), (0, 0), (1, 1), (1, 2)]
    return both if group.name == "O(3)" else [(frequency,) for frequency in range(3)]


def kernels_of_escnn(group, source, target, kernel_size):
    """All kernels of escnn on our rings and degrees, and the changes of basis."""
    (theirs_in, basis_in), (theirs_out, basis_out) = counterpart(group, source), counterpart(group, target)
    rings = [float(r) for r in range((kernel_size + 1) // 2)]
    made = space_of(group).build_kernel_basis(
        theirs_in, theirs_out, sigma=[WIDTH] * len(rings), rings=rings, maximum_frequency=kernel_size - 1
    )
    u = positions(kernel_size, 3 if group.space == "space" else 2)
    sampled = made.sample(u.flatten(0, -2).float()).double()
    kept = [i for i, attributes in enumerate(made) if attributes["irrep:frequency"] <= 2 * attributes["radius"]]
    return sampled[:, kept].movedim(0, -1), basis_in, basis_out


def span(vectors):
    left, values, _ = torch.linalg.svd(vectors.flatten(1).T, full_matrices=False)
    return left[:, values > 1e-4 * values.max()]


PAIRS = [(group, Irrep(group, *a), Irrep(group, *b)) for group, keys in IRREPS.items() for a in keys for b in keys]
PAIRS += [(group, Regular(group), Regular(group)) for group in FINITE]
PAIRS += [(group, Irrep(group, 0), Regular(group)) for group in FINITE]


@pytest.mark.parametrize(("group", "source", "target"), PAIRS, ids=str)
def test_same_span(group, source, target):
    k = 3 if group.space == "space" else 5
    ours = kernel_basis(source, target, k).flatten(3)
    if not len(ours):
        with pytest.raises(Exception, match="empty"):
            kernels_of_escnn(group, source, target, k)
        return
    theirs, basis_in, basis_out = kernels_of_escnn(group, source, target, k)
    moved = torch.einsum("oa,kabp,ib->koip", basis_out, ours, basis_in)
    a, b = span(moved), span(theirs)
    assert a.shape == b.shape
    torch.testing.assert_close(a @ (a.T @ b), b, rtol=0, atol=1e-4)
