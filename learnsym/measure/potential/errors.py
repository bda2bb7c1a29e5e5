"""What a rotation check of a potential finds, and its table."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor

from learnsym.measure.potential.characters import WORDS
from learnsym.statistics import Estimate

SHOWN = 3
"""How many of the largest shares the table shows."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How far one output of a potential is from moving as it should, over all frames.

    With `z_s = g_s⁻¹·f(g_s·x)`, what the potential says of a moved frame, moved back, and `z_0 = f(x)`.
    """

    name: str
    """`energy`, `forces` or `stress`."""
    unit: str
    """Of all errors: meV/atom, meV/Å, or meV/Å³."""
    error: Estimate
    """The mean of `|z_s - z_0|` over moves, atoms and components; one value a frame, and a standard error over them."""
    worst: float
    """The largest `|z_s - z_0|`: of an atom for forces, of a component for stress."""
    worst_frame: int
    """Where."""
    spread: Estimate
    """The root mean square of `z_s - mean z` over moves, atoms and components, without the bias of the mean."""
    floor: float
    """The mean over frames of what rounding an exact output to float32 would do, half a unit in its last place."""
    irreps: dict[str, Estimate]
    """The share of each irreducible representation, such as `1o` (vector), in the mean square of `f(g·x) - g·mean z` as
    a function of `g`, with a standard error over frames; empty where there is no error. What is missing from 1 is of
    higher degree."""

    @property
    def is_exact(self) -> bool:
        """Whether the error is not larger than ten times what rounding to float32 would do."""
        return self.error.mean <= 10 * self.floor


@dataclass(frozen=True, kw_only=True, eq=False)
class PotentialErrors:
    """How far a potential is from rotations and reflections: what `measure.potential` returns."""

    orientations: int
    """Moves of each frame."""
    frames: Int[Tensor, "B"]
    """Indices of the frames that were measured."""
    quantities: dict[str, Quantity]
    """`energy`, `forces` and `stress`, as far as the potential has them."""
    net_force: Estimate | None
    """Length of the sum of all forces as built, in meV/Å; None without forces."""
    net_torque: Estimate | None
    """Length of the sum of their torques about the centroid, in meV, of frames that are not periodic."""
    seconds: float
    """Of one call of the calculator, on average."""
    calls: int
    failures: dict[int, str]
    """Frames on which the calculator failed, with its message."""

    @property
    def energy(self) -> Quantity:
        """Of energies."""
        return self.quantities["energy"]

    @property
    def forces(self) -> Quantity:
        """Of forces."""
        return self.quantities["forces"]

    def rows(self) -> list[dict[str, object]]:
        """The table as plain values, one row a quantity."""
        return [
            {
                "quantity": q.name,
                "unit": q.unit,
                "mean": q.error.mean,
                "stderr": q.error.stderr,
                "worst": q.worst,
                "worst_frame": q.worst_frame,
                "spread": q.spread.mean,
                "float32": q.floor,
                "irreps": {name: share.mean for name, share in q.irreps.items()},
            }
            for q in self.quantities.values()
        ]

    def to_json(self) -> dict[str, object]:
        """Everything as plain values."""
        loads = {"net_force": self.net_force, "net_torque": self.net_torque}
        return {
            "version": 1,
            "group": "O(3)",
            "orientations": self.orientations,
            "quantities": self.rows(),
            "per_frame": {name: q.error.per_sample.tolist() for name, q in self.quantities.items()},
            "frames": self.frames.tolist(),
            "failures": {str(k): why for k, why in self.failures.items()},
            **{name: None if load is None else load.mean for name, load in loads.items()},
            "seconds_per_call": self.seconds,
            "calls": self.calls,
        }

    def __str__(self) -> str:
        head = f"{'':8}{'unit':10}{'mean':>11}{'± stderr':>11}{'worst':>11}{'frame':>7}{'spread':>11}{'float32':>11}"
        lines = [head, *map(_line, self.quantities.values())]
        lines += [f"{q.name}: {_shares(q)}" for q in self.quantities.values() if q.irreps]
        lines += [f"net force {self.net_force} meV/Å"] if self.net_force else []
        lines += [f"net torque {self.net_torque} meV"] if self.net_torque else []
        lines.append(
            f"{len(self.frames)} frames, {self.orientations} moves of O(3) each against the frame as it is; "
            f"{self.calls} calls of {1e3 * self.seconds:.3g} ms"
        )
        return "\n".join([*lines, *(f"frame {k} failed: {why}" for k, why in self.failures.items())])


def _line(q: Quantity) -> str:
    numbers = (q.error.mean, q.error.stderr, q.worst)
    first = "".join(f"{value:11.3g}" for value in numbers)
    exact = "  exact up to rounding" if q.is_exact else ""
    return f"{q.name:8}{q.unit:10}{first}{q.worst_frame:7d}{q.spread.mean:11.3g}{q.floor:11.3g}{exact}"


def _shares(q: Quantity) -> str:
    largest = sorted(q.irreps.items(), key=lambda item: -item[1].mean)
    shares = [f"{WORDS[name]} {share.mean:.0%} ± {share.stderr:.0%}" for name, share in largest]
    return f"the error is {', '.join(shares[:SHOWN])}"
