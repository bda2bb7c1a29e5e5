"""A sparse basis of a span of candidates, in the units of the data.

Legend of axes: `K` candidates, `R` directions, `d` chosen ones, `V` variables, `M` monomials of these.
"""

from __future__ import annotations

import scipy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.certified.directions import Directions
from learnsym.measure.equation.frame import Frame


def sparse_places(frame: Frame, theta: Float[Tensor, "d K"]) -> Int[Tensor, "d"]:
    """One candidate for each direction, by QR with pivots among candidates of like motion."""
    if len(theta) == 0:
        return torch.zeros(0, dtype=torch.long)
    flat = theta * (frame.to_moves > 0)
    return torch.as_tensor(scipy.linalg.qr(flat.numpy(), pivoting=True)[-1])[: len(flat)].long().sort().values


def sparse_span(frame: Frame, theta: Float[Tensor, "d K"], place: Int[Tensor, "d"]) -> Float[Tensor, "d V M"]:
    """The basis of a span in which each element has a coefficient 1 at a place where all others have 0."""
    flat = frame.coefficients(theta).flatten(1)
    return torch.linalg.solve(flat[:, place], flat).unflatten(1, (len(frame.prolongation.variables), -1))


def unseen(frame: Frame, found: Directions) -> Float[Tensor, "U V M"]:
    """Directions that move no coordinate."""
    still = frame.to_moves == 0
    # what moves nothing on its own has no size to be scaled by
    own = (torch.eye(len(still), dtype=torch.float64)[still] * frame.to_data).unflatten(
        1, (len(frame.prolongation.variables), -1)
    )
    among = found.unseen * ~still
    return torch.cat([own, frame.coefficients(among[among.norm(dim=1) > 0.5])])
