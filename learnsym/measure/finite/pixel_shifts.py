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

    Example:
        >>> x = torch.eye(4)[None, None]
        >>> ls.actions.Image()(ls.measure.pixel_shifts(x, [(1, 0)]).float(), x)[0, 0, 0]
        tensor([0., 1., 0., 0.])
    """
    elements = torch.eye(3, dtype=torch.float64).repeat(len(shifts), 1, 1)
    # an image is 2 units wide along its shorter side
    elements[:, :2, 2] = torch.tensor(shifts, dtype=torch.float64) * (2 / min(x.shape[2:]))
    return elements
