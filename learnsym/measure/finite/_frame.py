"""How a feature map lies on the image it comes from, and what of it stays in view when both move.

Legend of axes: `K` elements, `n` size of their matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import warp

IN_VIEW = 1 - 1e-4


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The elements as they move a feature map, and the pixels cut off from each of its sides after each element."""

    elements: Float[Tensor, "K n n"]
    cuts: list[int]


def frame_of(
    feature: object, image: Tensor, elements: Float[Tensor, "K n n"], stride: int | None, margin: int
) -> Frame | str:
    """The frame of a feature map `(B, C, h, w)` over images `(B, C, H, W)`, or why there is none.

    A stride that is not given must divide height and width of the image. Centres of map and image lie on each other.
    """
    if not isinstance(feature, Tensor) or feature.ndim != 4 or len(feature) != len(image):
        return "returns no feature maps (B, C, H, W)"
    size, whole = feature.shape[2:], image.shape[2:]
    stride = _stride(size, whole) if stride is None else stride
    if stride is None:
        return f"maps of {size[0]}x{size[1]} have no common whole stride on images of {whole[0]}x{whole[1]}; pass one"
    moving = _scaled(elements, min(whole) / (min(size) * stride)).to(feature)
    cuts = [_out_of_view(g, size) + math.ceil(margin / stride) for g in moving]
    if min(size) - 2 * max(cuts) < 2:
        return "fewer than 2x2 pixels stay in view"
    return Frame(elements=moving, cuts=cuts)


def cropped(feature: Tensor, cut: int) -> Tensor:
    """The central part that is left when `cut` pixels go from each side."""
    height, width = feature.shape[2:]
    return feature[:, :, cut : height - cut, cut : width - cut]


def _stride(size: torch.Size, whole: torch.Size) -> int | None:
    stride = whole[0] // size[0]
    return stride if whole == torch.Size((stride * size[0], stride * size[1])) else None


def _scaled(elements: Tensor, factor: float) -> Tensor:
    """The elements with their translation in units of another half width."""
    scaled = elements.clone()
    if elements.shape[-1] == 3:
        scaled[:, :2, 2] *= factor
    return scaled


def _out_of_view(g: Float[Tensor, "n n"], size: torch.Size) -> int:
    seen = warp(torch.ones(1, 1, *size, dtype=g.dtype, device=g.device), g[None]) >= IN_VIEW
    cuts = range(min(size) // 2)
    return next((cut for cut in cuts if bool(cropped(seen, cut).all())), min(size))
