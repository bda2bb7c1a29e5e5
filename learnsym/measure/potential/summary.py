"""From what a calculator says of a frame in many poses to errors, and from those of frames to a summary.

Legend of axes: `S` moves, `A` rows of an output (one, atoms, or three), `C` numbers of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from learnsym.measure.potential.characters import powers, total
from learnsym.measure.potential.errors import Quantity
from learnsym.measure.potential.moved import Answer
from learnsym.statistics import Estimate, ratio_of_means

if TYPE_CHECKING:
    from ase import Atoms

UNITS = {"energy": "meV/atom", "forces": "meV/Å", "stress": "meV/Å³"}
ROUNDING = 2.0**-24
"""Half a unit in the last place of float32, relative."""


@dataclass(frozen=True)
class FrameError:
    """Of one output of one frame; see `Quantity`."""

    error: float
    worst: float
    square: float
    """The square of the spread."""
    floor: float
    powers: dict[str, float]
    """The part of each irrep in `total`."""
    total: float
    """The mean square of the response, summed over its numbers."""


FrameErrors = dict[str, FrameError]


def errors_of_frame(first: Answer, others: list[Answer], moves: np.ndarray, atoms: int) -> FrameErrors:
    """Of each output that the calculator has; energies are per atom."""
    found = {}
    for name, turn in (("energy", _stays), ("forces", _turns), ("stress", _turns_as_tensor)):
        built = getattr(first, name)
        if built is not None:
            scale = atoms if name == "energy" else 1
            z = np.stack([np.atleast_2d(getattr(each, name)) for each in others]) / scale
            found[name] = _error(np.atleast_2d(built) / scale, z, turn(z - z.mean(0), moves), moves, name == "forces")
    return found


def _error(built: np.ndarray, z: np.ndarray, response: np.ndarray, moves: np.ndarray, rows: bool) -> FrameError:
    """Of one output `(A, C)` as built and `(S, A, C)` moved and moved back; the worst of rows or of numbers."""
    apart = z - built
    u, g = torch.from_numpy(response.reshape(len(z), -1)), torch.from_numpy(moves)
    return FrameError(
        error=float(np.abs(apart).mean()),
        worst=float((np.linalg.norm(apart, axis=-1) if rows else np.abs(apart)).max()),
        square=float(z.var(0, ddof=1).mean()),
        floor=float(ROUNDING * np.abs(built).mean()),
        powers=powers(g, u),
        total=total(u),
    )


def _stays(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    return z


def _turns(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    return z @ g.transpose(0, 2, 1)


def _turns_as_tensor(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    return g @ z @ g.transpose(0, 2, 1)


def summarised(found: Mapping[int, FrameErrors]) -> dict[str, Quantity]:
    """Of each output, over the frames that have it."""
    names = [name for name in UNITS if any(name in each for each in found.values())]
    return {name: _quantity(name, {k: each[name] for k, each in found.items() if name in each}) for name in names}


def _quantity(name: str, frames: Mapping[int, FrameError]) -> Quantity:
    worst = max(frames, key=lambda k: frames[k].worst)
    error, floor = _estimate([each.error for each in frames.values()]), np.mean([f.floor for f in frames.values()])
    spread = _estimate([each.square**0.5 for each in frames.values()])
    quantity = Quantity(
        name=name,
        unit=UNITS[name],
        error=error,
        worst=frames[worst].worst,
        worst_frame=worst,
        spread=spread,
        floor=float(floor),
        irreps={},
    )
    return quantity if quantity.is_exact else replace(quantity, irreps=_shares(name, [*frames.values()]))


def _shares(name: str, frames: list[FrameError]) -> dict[str, Estimate]:
    total = _estimate([each.total for each in frames])
    irreps = [irrep for irrep in frames[0].powers if (name, irrep) != ("energy", "0e")]  # it has lost its mean
    return {irrep: ratio_of_means(_estimate([each.powers[irrep] for each in frames]), total) for irrep in irreps}


def _estimate(values: list[float]) -> Estimate:
    return Estimate.of(torch.tensor(values, dtype=torch.float64))


def net_load(frame: Atoms, built: Answer) -> tuple[float, float]:
    """Lengths of the net force, in meV/Å, and of the net torque about the centroid, in meV; NaN where there is none."""
    if built.forces is None:
        return np.nan, np.nan
    force = float(np.linalg.norm(built.forces.sum(0)))
    if frame.pbc.any():
        return force, np.nan
    arms = frame.positions - frame.positions.mean(0)
    return force, float(np.linalg.norm(np.cross(arms, built.forces).sum(0)))
