"""Kernels between permuted fields: the closed form against the null space."""

import pytest
import torch

from learnsym.equivariant.steerable.kernel_basis import coupling
from learnsym.equivariant.steerable.permuted_coefficients import permuted_coefficients
from learnsym.groups import Cyclic, Dihedral
from learnsym.representations import Irrep, Quotient, Regular, Restriction, invariants


def representations(group):
    found = [Regular(group), Irrep(group, 0)]
    if group.name.startswith("D"):
        found.append(Quotient(group, Dihedral(1)))
    return [*found, Restriction(Regular(Dihedral(4)), group)] if group.order in (2, 4) else found


@pytest.mark.parametrize("group", [Cyclic(1), Cyclic(3), Cyclic(4), Dihedral(1), Dihedral(3), Dihedral(4)], ids=str)
@pytest.mark.parametrize("degree", [0, 1, 2, 4])
def test_closed_form_spans_the_null_space(group, degree):
    for source in representations(group):
        for target in representations(group):
            found = permuted_coefficients(source, target, degree).flatten(1)
            wanted = invariants(coupling(source, target, degree))
            assert found.shape == wanted.shape
            torch.testing.assert_close(found.T @ found, wanted.T @ wanted)
            torch.testing.assert_close(found @ found.T, torch.eye(len(found), dtype=found.dtype))
