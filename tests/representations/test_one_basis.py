"""Bases in which weights are coefficients: the same whatever eigenvectors a library gives to one eigenvalue."""

import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor

import learnsym as ls
from learnsym.equivariant.steerable.kernel_basis import coupling, kernel_basis
from learnsym.equivariant.steerable.permuted_coefficients import permuted_coefficients
from learnsym.representations import Irrep, Regular, basis_of, intertwiners, isotypic

SO2, SO3, D4 = ls.groups.SO2(), ls.groups.SO3(), ls.groups.Dihedral(4)
BASES = {
    "intertwiners": lambda: intertwiners(Irrep(SO2, 1), Irrep(SO2, 1)),
    "of permutations": lambda: intertwiners(Regular(D4), Regular(D4)),
    "kernels": lambda: kernel_basis.__wrapped__(Irrep(SO3, 1), Irrep(SO3, 1), 3),
    "permuted": lambda: permuted_coefficients(Regular(D4), Regular(D4), 2),
    "components": lambda: isotypic(coupling(Irrep(SO2, 1), Irrep(SO2, 1), 2), (Irrep(SO2, 2),))[0].embeddings,
    "admissible": lambda: _space().equivariant_basis,
    "along": lambda: _space().along,
}


def _space():
    return ls.relax.AdmissibleSpace.supported(ls.relax.KernelPixels(3), ls.groups.Cyclic(4), torch.ones(3, 3))


def _mixed(vectors: Tensor, values: Tensor) -> Tensor:
    """Other vectors to the same values, which are as right: those to equal ones are turned among themselves."""
    vectors = vectors.clone()
    for value in values:
        same = (values - value).abs() < 1e-6
        count = int(same.sum())
        mixing = torch.linalg.qr(torch.randn(count, count, dtype=vectors.dtype))[0]
        mixing = mixing * torch.randn(count).sign()
        vectors[..., same] = vectors[..., same] @ mixing
    return vectors


@pytest.mark.parametrize("name", BASES)
def test_does_not_depend_on_the_choice_among_eigenvectors(name, monkeypatch):
    expected = BASES[name]()
    eigh, svd = torch.linalg.eigh, torch.linalg.svd

    def other_eigh(matrix):
        values, vectors = eigh(matrix)
        return values, vectors if matrix.dim() > 2 else _mixed(vectors, values)

    def other_svd(matrix, full_matrices=True):
        u, values, v = svd(matrix, full_matrices=full_matrices)
        beyond = v.shape[0] - len(values)
        every = torch.cat([values, values.new_zeros(beyond)])
        mixed = _mixed(v.mT, every).mT
        back = torch.where(every > 1e-9, every, 1.0)[: len(values)]
        return (matrix @ mixed[: len(values)].mT / back) if not full_matrices else u, values, mixed

    monkeypatch.setattr(torch.linalg, "eigh", other_eigh)
    monkeypatch.setattr(torch.linalg, "svd", other_svd)
    torch.testing.assert_close(BASES[name](), expected, rtol=0, atol=1e-10)


def test_spans_the_image_in_orthonormal_rows():
    columns = torch.linalg.qr(torch.randn(7, 3, dtype=torch.float64))[0]
    rows = basis_of(columns @ columns.mT, 3)
    torch.testing.assert_close(rows @ rows.mT, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(rows.mT @ rows, columns @ columns.mT)


def test_rounding_does_not_decide_among_equal_pivots():
    vectors = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))[0][:, :4]
    exact = torch.eye(6, dtype=torch.float64) - torch.full((6, 6), 1 / 6, dtype=torch.float64)
    noise = 1e-13 * (vectors @ vectors.mT)
    torch.testing.assert_close(basis_of(exact + noise, 5), basis_of(exact - noise, 5), rtol=0, atol=1e-11)


OUTPUTS = """
import sys, torch
import learnsym as ls
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
fields = ls.equivariant.FieldType.irreps(ls.groups.SO3(), {0: 1, 1: 2})
layers = [ls.equivariant.SteerableConv(fields, fields, 3), ls.equivariant.EquivariantLinear(fields, fields)]
for layer, shape in zip(layers, [(1, 7, 4, 4, 4), (2, 7)]):
    torch.manual_seed(1)
    for weight in layer.parameters():
        weight.data = torch.randn_like(weight)
    print(*layer.double()(torch.rand(shape, dtype=torch.float64)).flatten()[:60].tolist())
"""


@pytest.mark.slow
def test_weights_mean_the_same_with_other_kernels_of_the_processor_and_more_threads():
    """Intel's library takes other code where it must give equal results on all processors."""
    found = []
    for threads, more in (("1", {}), ("1", {"MKL_CBWR": "COMPATIBLE"}), ("2", {})):
        ran = subprocess.run(
            [sys.executable, "-c", OUTPUTS, threads], capture_output=True, text=True, check=True, env=os.environ | more
        )
        found.append(torch.tensor([float(number) for number in ran.stdout.split()], dtype=torch.float64))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=1e-10)
