"""Translations of images by whole pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def pixel_shifts(x: Float[Tensor, "B C H W"], shifts: Sequence[tuple[int, int]]) -> Float[Tensor, "K 3 3"]:
    """Translations of images by whole pixels, as elements of `translation2d`.

    Args:
        x: images, of which the size is read.
        shifts: pixels to the right and upwards, one pair for each of `K` translations.

    Returns:
        Homogeneous matrices in float64.

    Raises:
        ValueError: when `x` is no batch of images.

    Example:
        >>> x = torch.eye(4)[None, None]
        >>> ls.actions.Image()(ls.measure.pixel_shifts(x, [(1, 0)]).float(), x)[0, 0, 0]
        tensor([0., 1., 0., 0.])
    """
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"x: got shape {tuple(x.shape)}, must be (B, C, H, W) and hold data; give a batch of images")
    elements = torch.eye(3, dtype=torch.float64).repeat(len(shifts), 1, 1)
    # the shortest side is 2 units long
    elements[:, :2, 2] = torch.tensor(shifts, dtype=torch.float64) * (2 / min(x.shape[2:]))
    return elements
