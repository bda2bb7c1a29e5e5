"""Saliency: where in the picture a reader sees the pose.

    S(a) = mean_x [ log p(0 | x) - log p(0 | x without patch a) ]

in nats, with `p(0 | x)` the posterior of the right pose, and a patch replaced by its mean over examples (occlusion,
Zeiler and Fergus 2014, arXiv:1311.2901). Pictures are as the camera took them: what the camera adds is at one place,
what objects show is about them. Legend of axes: `B` examples, `P` patches along an axis.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.reader import Network, Reader, prepared

PATCHES, EXAMPLES = 7, 48


def saliency_of(
    axis: PoseAxis, x: Float[Tensor, "B C H W"], reader: Reader, network: Network | None = None
) -> Float[Tensor, "P P"]:
    """How much less a reader knows of the poses of images without each patch, in nats; rows run downwards.

    Args:
        axis: along which poses are read.
        x: images that the reader has not seen; the first of them are read.
        reader: what reads them.
        network: that the reader was made with; None for the default.
    """
    ready = prepared(axis, x[:EXAMPLES], network)
    whole, mean = _right(reader, ready), ready.mean(0)
    rows, columns = (torch.arange(n, device=x.device) * PATCHES // n for n in ready.shape[2:])
    lost = [_right(reader, torch.where(_patch(rows == i, columns == j), mean, ready)) for i, j in _places()]
    return whole - torch.stack(lost).view(PATCHES, PATCHES)


def _places() -> list[tuple[int, int]]:
    return [(i, j) for i in range(PATCHES) for j in range(PATCHES)]


def _patch(row: Tensor, column: Tensor) -> Tensor:
    return row[:, None] & column


def _right(reader: Reader, x: Tensor) -> Float[Tensor, ""]:
    posterior = reader.posterior(x)
    return posterior[:, posterior.shape[1] // 2].clamp(min=1e-6).log().mean().cpu()
