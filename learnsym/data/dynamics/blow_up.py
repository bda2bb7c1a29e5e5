"""SimulationBlewUp: a simulation that left its bounds, found before anything is returned."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


class SimulationBlewUp(ValueError):
    """A trajectory has a coordinate that is not finite or beyond the bound of its system."""


def check_bounded(x: Float[Tensor, "3 N C"], bound: float, first: int, step: int, dt: float) -> None:
    """Raise when a trajectory of a chunk has left the box `|x| <= bound`.

    Args:
        x: positions, trajectories last.
        bound: largest coordinate allowed.
        first: index of the first trajectory of the chunk.
        step: steps made so far.
        dt: time of a step.

    Raises:
        SimulationBlewUp: names the first such trajectory, the step and the time.
    """
    inside = (x.abs() <= bound).flatten(0, 1).all(0)  # NaN compares as outside
    if bool(inside.all()):
        return
    worst = int((~inside).nonzero()[0])
    raise SimulationBlewUp(
        f"trajectory {first + worst}: a coordinate is not finite or beyond {bound:g} by step {step} "
        f"(t = {step * dt:g}); take a smaller time step than {dt:g} or a larger softening, or raise `bound` if such "
        "distances are meant"
    )
