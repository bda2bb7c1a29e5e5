"""The border of images and volumes: what lies beyond it is filled with zeros, which shows where the border is not zero.

Legend of axes: `B` examples, `C` channels, `*S` size of the image, `F` outermost pixels.
"""

from __future__ import annotations

import logging

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions.image import Image, Volume
from learnsym.actions.product import Product
from learnsym.groups import Group

logger = logging.getLogger(__name__)

STEADY, NOISY = 0.03, 0.3
"""Median deviation of the outermost pixels from one value, as a share of the contrast, up to which they are constant:
from pixel to pixel or from example to example, and as noise."""
BLACK = 0.02
"""Share of the contrast up to which a constant border counts as zero."""


def fills_with_zeros(action: Action) -> bool:
    """Whether an action shows zeros where a move brings in what lies outside of the images or volumes."""
    return isinstance(action, Image | Volume) and action.padding == "zeros"


def border_level(x: Float[Tensor, "B C *S"]) -> Float[Tensor, "C"] | None:
    """The value of the outermost pixels, by channel; None when they have no common one.

    Half of them may be covered by objects. Noise counts as constant up to a third of the contrast; slopes and grounds
    that differ between examples do not.

    Args:
        x: images `(B, C, H, W)` or volumes `(B, C, D, H, W)`.

    Returns:
        The median by channel; exactly 0 when it is 0 within a fiftieth of the contrast, as is that of blank images.

    Example:
        >>> x = torch.full((4, 2, 8, 8), 0.25)
        >>> x[:, :, 3:5, 3:5] = 1.0
        >>> ls.actions.border_level(x)
        tensor([0.2500, 0.2500])
        >>> ls.actions.border_level(torch.rand(4, 2, 8, 8)) is None
        True
    """
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    pixels = outermost(wide)
    level = pixels.flatten(1).median(1).values
    # standard deviation over what each channel shows
    contrast = wide.movedim(1, 0).flatten(1).std(1)
    noise = _spread(pixels.flatten(1))
    between = [(_spread(pixels.median(axis).values), pixels.shape[axis]) for axis in (1, 2)]
    varies = [spread > STEADY * contrast + 2 * noise / count**0.5 for spread, count in between]
    if bool((noise > NOISY * contrast).any() or torch.stack(varies).any()):
        return None
    return torch.where(level.abs() <= BLACK * contrast, 0.0, level).to(x.dtype)


def warn_of_border(action: Action, group: Group, x: Tensor) -> None:
    """Say it when a constant border is not zero and moves bring in zeros beside it, which show the move to a network.

    Nothing is said of borders that are not constant: moves of such images show at the edge with any padding.
    """
    for each in action.actions if isinstance(action, Product) else (action,):
        if fills_with_zeros(each) and not _stays_inside(group):
            _warn(type(each).__name__, border_level(x))


def outermost(x: Shaped[Tensor, "B C *S"]) -> Shaped[Tensor, "C B F"]:
    """The pixels at the border of each example, by channel."""
    frame = torch.ones(x.shape[2:], dtype=torch.bool, device=x.device)
    frame[(slice(1, -1),) * frame.dim()] = False
    return x[..., frame].movedim(1, 0)


def _spread(values: Tensor) -> Tensor:
    """Median deviation from the median, along the last axis."""
    return (values - values.median(-1, keepdim=True).values).abs().median(-1).values


def _warn(name: str, level: Tensor | None) -> None:
    if level is None or not bool(level.any()):
        return
    values = ", ".join(f"{value:.3g}" for value in level.tolist())
    logger.warning(
        "x: its border is constant at %s, and %s(padding='zeros') brings in zeros beside it: the network sees the edge "
        "of what was moved, and learns too little symmetry; subtract the border, or move with %s(padding='border')",
        *(values, name, name),
    )


def _stays_inside(group: Group) -> bool:
    """Whether all elements permute and flip axes."""
    elements = group.components
    return not group.dim and bool(((elements - elements.round()).abs() < 1e-6).all())
