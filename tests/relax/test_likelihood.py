"""Laws of likelihoods over groups: normalisation, Fourier matrices, divergences, cells, degrees."""

import math

import pytest
import torch

import learnsym as ls
from learnsym import groups as G
from learnsym.relax import Likelihood, cell_masses, coverage_degrees, planted_masses
from learnsym.relax.deviation import kernel_columns
from learnsym.representations import Irrep, generating, irreps

GROUPS = [G.Cyclic(1), G.Cyclic(4), G.Cyclic(5), G.Dihedral(1), G.Dihedral(4), G.SO2(), G.O2(), G.SO3(), G.O3()]
FINITE = [group for group in GROUPS if group.order is not None]


def randomised(group, scale=0.5, **options):
    likelihood = Likelihood(group, **(({"band_limit": 1} if group.space == "space" else {}) | options)).double()
    for parameter in likelihood.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return likelihood


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_density_has_mean_one_and_trivial_coefficient_one(group):
    likelihood = randomised(group)
    assert (likelihood.weights() * likelihood.density()).sum().item() == pytest.approx(1, abs=1e-12)
    trivial, *others = likelihood.fourier()
    assert trivial.item() == pytest.approx(1, abs=1e-12)
    assert all(torch.linalg.matrix_norm(matrix, 2) <= 1 + 1e-12 for matrix in others)


def limits(group):
    """Band limits 1 to 6, as far as a finite group has them; slow from 4 on for rotations of space."""
    highest = 6 if group.order is None else max(irrep.frequency for irrep in irreps(group))
    slow = [pytest.mark.slow] if group.space == "space" else []
    return [pytest.param(group, limit, marks=slow if limit > 3 else []) for limit in range(1, highest + 1)]


@pytest.mark.parametrize(("group", "band_limit"), [case for group in GROUPS for case in limits(group)])
def test_every_band_limit_has_positive_densities_and_finite_divergences(group, band_limit):
    likelihood, other = (randomised(group, band_limit=band_limit) for _ in range(2))
    density = likelihood.density()
    assert (density > 0).all() and (likelihood.weights() > 0).all()
    assert (likelihood.weights() * density).sum().item() == pytest.approx(1, abs=1e-12)
    divergences = torch.stack([likelihood.kl_to_uniform(), likelihood.kl_to(other)])
    assert divergences.isfinite().all() and (divergences >= 0).all()
    gradients = torch.autograd.grad(divergences.sum(), [*likelihood.parameters(), *other.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all(matrix.isfinite().all() for matrix in likelihood.fourier())


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_uniform_at_the_start(group):
    likelihood = Likelihood(group, 1 if group.space == "space" else None).double()
    assert all(matrix.abs().max() < 1e-12 for matrix in likelihood.fourier()[1:])
    assert likelihood.kl_to_uniform().item() == pytest.approx(0, abs=1e-12)
    assert likelihood.alignment().item() == 0


@pytest.mark.parametrize("group", FINITE, ids=str)
def test_every_density_on_a_finite_group_can_be_assigned(group):
    likelihood = Likelihood(group).double()
    values = torch.randn(group.order, dtype=torch.float64)
    likelihood.assign(values)
    torch.testing.assert_close(likelihood.masses(), values.softmax(0))


@pytest.mark.parametrize("group", [G.Cyclic(4), G.Dihedral(4), G.SO2(), G.O2()], ids=str)
def test_shift_multiplies_fourier_matrices(group):
    """λ'(g) = λ(h⁻¹ g) has the matrices ψ(h) λ̂(ψ)."""
    likelihood = randomised(group)
    index = 1
    h, g = likelihood.elements()[index], likelihood.elements()
    moved = torch.cdist((group.inverse(h[None]) @ g).flatten(1), g.flatten(1)).argmin(1)
    expected = likelihood.density()[moved]
    basis = [irrep(g).flatten(1) for irrep in likelihood.irreps]
    for irrep, matrix, entries in zip(likelihood.irreps, likelihood.fourier(), basis, strict=True):
        found = ((likelihood.weights() * expected)[:, None] * entries).sum(0).view(irrep.size, -1)
        torch.testing.assert_close(found, irrep(h[None])[0] @ matrix)
    distance = (likelihood.weights() * (expected - likelihood.density()).abs()).sum()
    torch.testing.assert_close(likelihood.shift_distance(h[None])[0], distance)


@pytest.mark.parametrize("group", GROUPS[1:], ids=str)
def test_divergences(group):
    one, two = randomised(group), randomised(group)
    assert one.kl_to(two) > 0
    assert one.kl_to(one).item() == pytest.approx(0, abs=1e-12)
    assert one.kl_to(Likelihood(group, one.band_limit).double()).item() == pytest.approx(one.kl_to_uniform().item())
    assert one.total_variation(one.masses()).item() == 0
    two.zero_grad()
    one.kl_to(two, detached=True).backward()
    assert all(parameter.grad is None for parameter in two.parameters())


def test_alignment_is_zero_only_at_a_mode():
    likelihood = Likelihood(G.SO2(), 1).double()
    likelihood.coefficients.assign(torch.tensor([1.0, 0.0]))
    peak = likelihood.density().argmax()
    torch.testing.assert_close(likelihood.elements()[peak], torch.eye(2, dtype=torch.float64))
    assert likelihood.alignment().item() == pytest.approx(0, abs=1e-12)
    likelihood.coefficients.assign(torch.tensor([-1.0, 0.0]))
    assert likelihood.alignment() > 1


def test_cells_of_planted_subgroups():
    likelihood = Likelihood(G.O2(), 2).double()
    for subgroup, count in ((G.Cyclic(1), 1), (G.Cyclic(4), 4), (G.SO2(), 8), (G.O2(), 16), (G.Dihedral(4), 8)):
        masses = planted_masses(subgroup, G.Dihedral(8))
        assert int((masses > 0).sum()) == count
        assert masses.max().item() == pytest.approx(1 / count)
    torch.testing.assert_close(cell_masses(likelihood, G.Dihedral(8)), planted_masses(G.O2(), G.Dihedral(8)))
    likelihood.assign(torch.where(torch.linalg.det(likelihood.elements()) > 0, 0.0, -30.0))
    found = cell_masses(likelihood, G.Dihedral(8))
    assert 0.5 * (found - planted_masses(G.SO2(), G.Dihedral(8))).abs().sum() < 1e-9


@pytest.mark.parametrize(("subgroup", "covered"), [(1, 1 / 8), (4, 1 / 2), (2, 1 / 4)])
def test_degrees_are_fractions_of_the_group(subgroup, covered):
    group, part = G.Dihedral(4), G.Cyclic(subgroup)
    likelihood = Likelihood(group).double()
    likelihood.assign(torch.where(part.contains(likelihood.elements()), 0.0, -30.0).double())
    whole, rotations, reflections = coverage_degrees(likelihood, "layer:a")
    assert whole.estimate == pytest.approx(covered, abs=1e-6)
    assert rotations.estimate == pytest.approx(2 * covered, abs=1e-6)
    assert reflections.estimate == pytest.approx(0, abs=1e-6)
    assert whole.low is None


def test_columns_turn_by_their_irrep():
    """k_i(g⁻¹ u), mixed by the representations, is Σ_j ψ(g)_ji k_j(u): quarter turns and flips of the pixel grid."""
    group = G.O2()
    source, target = Irrep(group, 1), Irrep(group, 2)
    wanted = tuple(irreps(group, 3))
    columns = kernel_columns(source, target, 5, None, wanted)
    symmetry = ls.actions.warp
    for g in G.Dihedral(4).components.double():
        for irrep, kernels in zip(wanted, columns, strict=True):
            count = len(kernels)
            images = kernels.flatten(0, 3)[:, None]
            moved = symmetry(images, g.expand(len(images), 2, 2).contiguous())[:, 0].unflatten(
                0, (count, irrep.size, target.size, source.size)
            )
            moved = torch.einsum("ac,mdce...,be->mdab...", target(g[None])[0], moved, source(g[None])[0])
            expected = torch.einsum("ji,mj...->mi...", irrep(g[None])[0], kernels)
            torch.testing.assert_close(moved, expected, atol=1e-9, rtol=0)


def test_columns_of_the_trivial_irrep_are_the_steerable_basis():
    group = G.SO2()
    source, target = Irrep(group, 1), Irrep(group, 2)
    (columns,) = kernel_columns(source, target, 5, None, (Irrep(group, 0),))
    basis = ls.equivariant.steerable.kernel_basis.kernel_basis(source, target, 5)
    stacked = torch.cat([columns.flatten(1), basis.flatten(1)])
    assert torch.linalg.matrix_rank(stacked) == torch.linalg.matrix_rank(basis.flatten(1)) == len(basis)
    assert len(generating(group)) > 0


def test_bad_input():
    with pytest.raises(ValueError, match="band_limit: got 3, must be in 0"):
        Likelihood(G.Cyclic(4), 3)
    with pytest.raises(ValueError, match="band_limit: got -1, must be at least 0"):
        Likelihood(G.SO2(), -1)
    with pytest.raises(ValueError, match="degree: got 5, the band limits 4 and 8 need at least 12"):
        Likelihood(G.SO2(), 4, degree=5)
    with pytest.raises(ValueError, match="other: got a likelihood over 4 elements of C_4"):
        Likelihood(G.SO2()).kl_to(Likelihood(G.Cyclic(4)))
    with pytest.raises(ValueError, match="log_density: got values that are not finite"):
        Likelihood(G.Cyclic(2)).assign(torch.tensor([0.0, -math.inf]))
    with pytest.raises(ValueError, match="cells: got SO\\(2\\)"):
        cell_masses(Likelihood(G.O2()), G.SO2())
