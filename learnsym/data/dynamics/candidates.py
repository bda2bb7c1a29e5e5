"""Candidates: the symmetries that a simulator of bodies in space is asked about."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from learnsym.actions import Action, PointCloud, Set
from learnsym.distributions import GroupDistribution, LieBox
from learnsym.groups import O3, SE3, SO3, AxialSO2, Permutation, SignedPermutations
from learnsym.symmetry import Symmetry


@dataclass(frozen=True)
class CandidateSymmetry:
    """A symmetry that is asked about, and the law of the elements with which it is asked.

    Args:
        name: the name of its row in the certificate.
        symmetry: a group with its actions on inputs and outputs.
        law: how its elements are drawn; None for the Haar measure of a compact group.
    """

    name: str
    symmetry: Symmetry
    law: GroupDistribution | None = None


def standard_candidates(
    bodies: int,
    on_input: PointCloud = PointCloud(1, 1),  # noqa: B008 - immutable
    on_output: Action = PointCloud(),  # noqa: B008 - immutable
    reach: float = 1.0,
) -> tuple[CandidateSymmetry, ...]:
    """The usual questions to a simulator of bodies in space.

    Rotations and reflections, the 48 signed permutations of the axes, rotations about x, y, z and (1, 1, 1),
    translations by up to `reach` along each axis, and permutations of the bodies.

    Args:
        bodies: number of bodies.
        on_input: layout of a state; position, velocity and one scalar by default.
        on_output: layout of what is predicted; positions by default.
        reach: largest translation.

    Raises:
        ValueError: for no bodies, or a reach that is not positive.

    Example:
        >>> [candidate.name for candidate in ls.data.dynamics.standard_candidates(5)][:3]
        ['SO(3)', 'O(3)', 'O_h']
    """
    if reach <= 0:
        raise ValueError(f"reach: got {reach}, must be above 0; the size of the system is usual")
    groups = (SO3(), O3(), SignedPermutations(), *(AxialSO2(axis) for axis in range(3)), AxialSO2((1, 1, 1)))
    turned = (CandidateSymmetry(group.name, Symmetry(group, on_input, on_output)) for group in groups)
    box = LieBox(SE3(), torch.tensor([reach] * 3 + [0.0] * 3, dtype=torch.float64))
    shifted = CandidateSymmetry(f"translations up to {reach:g}", Symmetry(SE3(), on_input, on_output), box)
    mixed = Symmetry(Permutation(bodies), Set(), Set())
    return (*turned, shifted, CandidateSymmetry(f"permutations S_{bodies}", mixed))
