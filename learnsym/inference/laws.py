"""The law of poses of one candidate: over which range do the data show it?"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from learnsym import measure
from learnsym.inference.candidates import Candidate
from learnsym.inference.views import positioned, view_of

MOVES_PIXELS = ("rotation", "translation_x", "translation_y", "scale", "stretch", "shear")


def law_of(x: Tensor, candidate: Candidate, *, steps: int, level: float, seed: int, memory: float) -> dict[str, Any]:
    """The law of poses along a generator, as plain values.

    Args:
        x: examples.
        candidate: whose generator moves them.
        steps: training steps per fold.
        level: coverage that the interval aims at.
        seed: of folds, networks and bootstrap.
        memory: limit in GiB.

    Returns:
        The law, or the `reason` why there is none.
    """
    view = view_of(x, candidate)
    try:
        law = measure.pose_posterior(
            view.x, view.symmetry, candidate.name, network=view.network, steps=steps, moves=view.moves, level=level,
            seed=seed, memory=memory,
        )  # fmt: skip
    except ValueError as error:
        return {"reason": str(error)}
    return {**_law(law), "resolution": resolution(view.x, candidate)}


def resolution(x: Tensor, candidate: Candidate) -> float:
    """The half-width that moves the border of an image by one pixel, 0 where nothing is moved on a lattice.

    The lattice alone spreads objects over that: where they are put in the middle, it is so by whole pixels.

    Example:
        >>> shift = ls.inference.candidates_of(torch.rand(2, 1, 20, 20))[1]
        >>> resolution(torch.rand(2, 1, 20, 20), shift)
        0.05
    """
    if x.dim() != 4 or candidate.name not in MOVES_PIXELS:
        return 0.0
    pixel = 1 / min(x.shape[2:])
    if candidate.unit == "shortest side":
        return pixel
    return math.degrees(2 * pixel) if candidate.unit == "degree" else 2 * pixel


def _law(law: measure.PosePosterior) -> dict[str, Any]:
    grid, density, fitted = law.grid()
    return {
        "estimate": law.half_width,
        "low": law.low,
        "high": law.high,
        "is_flat": law.is_flat,
        "is_open": not law.axis.closed,
        "is_cut": law.is_cut,
        "can_learn": law.can_learn,
        "told_apart": law.fit.told_apart,
        "is_rejected": law.is_rejected,
        "order": law.order,
        "form": law.form,
        "modes": [place for place, _ in law.modes()],
        "bound": law.bound,
        "noise": law.fit.noise * law.unit,
        "window": law.axis.window / law.axis.generator.per_unit,
        "grid": grid,
        "density": [] if law.is_flat else density,
        "fitted": fitted,
        "flags": law.flags,
        "cue": law.cue,
        "saliency": [] if law.saliency is None else law.saliency.tolist(),
        "examples": len(law.posterior),
    }


def space_law_of(
    x: Tensor, candidate: Candidate, *, steps: int, level: float, seed: int, memory: float
) -> dict[str, Any]:
    """The law of poses over all rotations of space, as plain values."""
    symmetry = candidate.symmetry
    assert symmetry is not None  # since it fits
    options = {"steps": steps, "level": level, "seed": seed, "memory": memory}
    law = measure.space_pose_posterior(positioned(x, symmetry), symmetry, **options)
    return {
        "estimate": law.half_width,
        "low": law.low,
        "high": law.high,
        "is_flat": law.is_flat,
        "noise": law.fit.noise,
        "flags": law.flags,
        "examples": len(law.fold),
    }
