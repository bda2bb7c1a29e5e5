"""Which coset to sample: the pose of the strongest response, found from the features alone.

Legend of axes: `B` batch, `F` fields, `G` components of regular fields, `Q` cosets, `H W` pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.subsampling.cosets import Cosets
from learnsym.equivariant.subsampling.pose import LatticePose


class PoseIndex(NamedTuple):
    """A pose for each example, and how clearly it was found."""

    pose: LatticePose
    margin: Float[Tensor, "B"]
    """Lead of the chosen coset over the next one, by the lead over the mean: 0 for a tie, at most 1."""


def response(x: Float[Tensor, "B F *G"]) -> Float[Tensor, "B *G"]:
    """`Σ_F |f - mean f|`, with the mean over the group; no gradient, since the index is piecewise constant."""
    x = x.detach()
    return (x - x.mean(tuple(range(2, x.ndim)), keepdim=True)).abs_().sum(1)


def blurred(responses: Float[Tensor, "B G H W"], blur: float) -> Float[Tensor, "B G H W"]:
    """Responses blurred by a Gaussian that wraps around: a function on the group that moves with it.

    In double precision, so that rounding decides as seldom as possible.

    Args:
        responses: to the features of an example.
        blur: standard deviation, pixels.
    """
    rows, columns = (_circulant(side, blur, responses.device) for side in responses.shape[2:])
    return rows @ responses.double() @ columns


def best_pose(scores: Float[Tensor, "B G H W"], cosets: Cosets) -> PoseIndex:
    """The pose of the highest score; of equal ones the first, by component, row, column.

    An example that is symmetric itself has a tie: its pose is only known up to that symmetry, and so is every choice
    that depends on it. Features on the tied cosets are the same, so that invariant outputs do not depend on the choice.
    After any other tie, or a margin as small as the rounding of the features, a moved example may get an unrelated
    index; then, and only then, the output does not move with the input.
    """
    place = scores.flatten(1).argmax(1)
    height, width = scores.shape[2:]
    pixel = place % (height * width)
    shift = torch.stack([torch.div(pixel, width, rounding_mode="floor"), pixel % width], 1)
    pose = LatticePose(shift, torch.div(place, height * width, rounding_mode="floor"))
    return PoseIndex(pose, _margin(scores, cosets))


def _margin(scores: Tensor, cosets: Cosets) -> Float[Tensor, "B"]:
    s = cosets.stride
    by_shift = scores.unflatten(3, (-1, s)).unflatten(2, (-1, s)).amax((2, 4))
    by_coset = by_shift[:, cosets.members].amax(2).flatten(1)
    if by_coset.shape[1] == 1:
        return scores.new_ones(len(scores))
    best, second = by_coset.topk(2, 1).values.unbind(1)
    above_mean = best - scores.mean((1, 2, 3))
    return torch.where(above_mean > 0, (best - second) / above_mean.clamp(min=1e-300), 0.0)


def _circulant(side: int, blur: float, device: torch.device) -> Float[Tensor, "n n"]:
    place = torch.arange(side, device=device, dtype=torch.float64)
    apart = (place[:, None] - place).abs()
    weights = (-0.5 * (torch.minimum(apart, side - apart) / blur) ** 2).exp()
    return weights / weights.sum(1, keepdim=True)
