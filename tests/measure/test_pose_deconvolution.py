"""The non-parametric law: several modes are seen, and one uniform law is not refused."""

import pytest
import torch

from learnsym.measure.pose.choice import Choice
from learnsym.measure.pose.deconvolution import deconvolve, extent_of, modes_of, npmle
from learnsym.measure.pose.interval import is_rejected
from learnsym.measure.pose.law import fit_law, law_table


def deconvolved(a, noise=9.0):
    """Whether a uniform law is rejected, and the free law, of simulated poses around `a`."""
    c = (a + noise * torch.randn(len(a)) + 180) % 360 - 180
    fit = fit_law(c, torch.rand(len(a)), torch.arange(len(a)) % 2, law_table(True, 3.0))
    free = deconvolve(c, fit, True)
    return is_rejected(Choice("uniform", free, {"uniform": fit}, {"uniform": fit.evidence})), free


@pytest.mark.parametrize("atoms", [[-60.0, 60.0], [-60.0, 0.0, 60.0], [-90.0, 45.0, 135.0]])
def test_atoms_are_found(atoms):
    rejected, free = deconvolved(torch.tensor(atoms)[torch.randint(len(atoms), (2000,))])
    found = free.modes()
    assert rejected
    assert len(found) == len(atoms)
    for (centre, mass), atom in zip(found, atoms, strict=True):
        assert abs(centre - atom) < 5.0 and abs(mass - 1 / len(atoms)) < 0.08


@pytest.mark.parametrize("half_width", [30.0, 60.0, 120.0])
def test_one_uniform_law_is_kept(half_width):
    rejected, free = deconvolved((2 * torch.rand(2000) - 1) * half_width)
    assert not rejected
    assert float(free.mass.sum()) == pytest.approx(1.0)


def test_two_modes_next_to_the_cut():
    _, free = deconvolved(torch.where(torch.rand(2000) < 0.5, 175.0, 20.0))
    assert len(free.modes()) == 2


def test_extent_of_two_atoms():
    density = torch.zeros(120, dtype=torch.float64)
    density[[40, 80]] = 0.5
    assert extent_of(density) == pytest.approx(61.5)
    assert modes_of(torch.ones(120)) == [(0.0, 1.0)]


def test_likelihood_of_the_free_law_is_that_of_the_truth_or_better():
    kernel = torch.softmax(torch.randn(1, 30, 20, dtype=torch.float64), 1)
    truth = torch.softmax(2 * torch.randn(20, dtype=torch.float64), 0)
    counts = 1000 * (kernel[0] @ truth)[None]
    found = npmle(counts, kernel)
    assert float(counts[0] @ (kernel[0] @ found).log()) >= float(counts[0] @ (kernel[0] @ truth).log()) - 0.5
