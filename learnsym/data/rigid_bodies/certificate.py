"""The symmetry certificate of a system of rigid bodies: measured once, kept beside its simulations."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from learnsym.data.dynamics import CandidateSymmetry, CertificateRow, SymmetryCertificate, symmetry_certificate
from learnsym.data.rigid_bodies import store
from learnsym.data.rigid_bodies.surface_points import SurfacePoints
from learnsym.data.rigid_bodies.system import RigidBodies
from learnsym.distributions import LieBox
from learnsym.groups import O3, SE3, SO3, AxialSO2, MatrixGroup
from learnsym.groups._finite import Listed
from learnsym.symmetry import Symmetry

CERTIFICATE = "certificate.json"
EXAMPLES, SAMPLES = 100, 4
SEED = 2**31 - 1
"""The seed of the scenes of a certificate, which belong to no data set."""
REACH = 1.0
"""Largest translation in m."""


def mirror(axis: int) -> MatrixGroup:
    """The mirror that changes the sign of one coordinate, with the identity; 3 x 3.

    Example:
        >>> ls.data.rigid_bodies.mirror(0).elements()[1].diagonal()
        tensor([-1.,  1.,  1.])
    """
    eye = torch.eye(3, dtype=torch.float64)
    flip = eye.clone()
    flip[axis, axis] = -1.0
    elements = torch.stack([eye, flip])
    return MatrixGroup(
        name=f"mirror of {'xyz'[axis]}",
        space="space",
        generators=(),
        algebra=torch.zeros(0, 3, 3, dtype=torch.float64),
        components=elements,
        is_compact=True,
        formulas=Listed(elements),
    )


def candidates(system: RigidBodies) -> tuple[CandidateSymmetry, ...]:
    """What a system is asked about: rotations, mirrors and translations, about and along the vertical and across it.

    Rotations about z with translations along x and y are the motions of a floor, SE(2); with vertical mirrors all of
    E(2). Over a slope whose gravity leans along y the mirror of x is left.
    """
    groups = (SO3(), O3(), AxialSO2(2), mirror(0), mirror(1), mirror(2))
    pair = (system.on_input, system.on_output)
    turned = (CandidateSymmetry(group.name, Symmetry(group, *pair)) for group in groups)
    boxes = {
        "translations along x, y": [REACH, REACH, 0.0, 0.0, 0.0, 0.0],
        "translations along z": [0.0, 0.0, REACH, 0.0, 0.0, 0.0],
        "motions of the floor": [REACH, REACH, 0.0, 0.0, 0.0, math.pi],
    }
    moved = (
        CandidateSymmetry(name, Symmetry(SE3(), *pair), LieBox(SE3(), torch.tensor(box, dtype=torch.float64)))
        for name, box in boxes.items()
    )
    return (*turned, *moved)


def certify(system: RigidBodies, examples: int = EXAMPLES, samples: int = SAMPLES) -> SymmetryCertificate:
    """Measure the simulator for symmetries, see `dynamics.symmetry_certificate`.

    States are those of a data set, float32: `exact` means that a defect is no larger than what the digits of the data
    explain. In float64 it is 1e-13 m², where iterative collision detection stops, and not 1e-28. Over a floor the size
    of a defect under SO(3), mirrors of z and translations along z tells little: bodies turned into the floor are
    thrown out of it.

    Args:
        system: with the tokens that are moved.
        examples: number of scenes.
        samples: elements for each.

    Raises:
        ValueError: for fewer than 2 examples or samples, or when MuJoCo is missing.
    """
    if min(examples, samples) < 2:
        raise ValueError(f"examples, samples: got {examples}, {samples}, must be at least 2; 100 and 4 are usual")
    x = system.initial(examples, SEED).float()
    return symmetry_certificate(system.future, x, candidates(system), samples)


def certificate_of(system: RigidBodies) -> SymmetryCertificate:
    """The certificate of the physics of a system, as its surface points show it; measured once, then read.

    With `WithSurroundings` the map from tokens to tokens has more: all of E(3), see `certify`.

    Raises:
        ValueError: when it has not been measured and MuJoCo is missing.
    """
    known = store.read_json(system.title, CERTIFICATE)
    if known is None:
        measured = certify(replace(system, tokens=SurfacePoints()), EXAMPLES, SAMPLES)
        store.write_json(system.title, CERTIFICATE, measured.to_dict())
        return measured
    rows = tuple(CertificateRow(**row) for row in known.pop("rows"))
    return SymmetryCertificate(rows=rows, **known)
