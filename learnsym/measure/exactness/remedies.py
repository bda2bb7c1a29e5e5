"""What to do about input sizes at which a network is not exact: a warning, the next exact size, padding."""

from __future__ import annotations

import logging

import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

from learnsym.measure._probe import Model
from learnsym.measure.exactness.sizes import Size, channels_of, exact_sizes

logger = logging.getLogger(__name__)


def warn_if_inexact(model: Model, size: int, *, channels: int | None = None, limit: int = 32) -> int | None:
    """Log a warning when an operation breaks exactness at an input size: in which layer, and the nearest exact size.

    Of two sizes equally near the larger one, which loses no pixels.

    Args:
        model: any callable of images `(B, C, H, W)`.
        size: side of square images, pixels.
        channels: `C`; that of the first convolution when None.
        limit: how many pixels more or fewer are tried.

    Returns:
        The nearest exact size, `size` itself when nothing breaks it, None when there is none within the limit.

    Raises:
        ValueError: when the network cannot run at this size.

    Example:
        >>> ls.measure.warn_if_inexact(ls.nets.P4CNN(1, 10), 27, channels=1)  # logs "not exact at 27 pixels: ..."
        28
    """
    channels = channels or channels_of(model)
    verdict = exact_sizes(model, [size], channels=channels).verdicts[0]
    if verdict.error is not None:
        raise ValueError(f"size: got {size}, at which the network cannot run: {verdict.error}")
    if verdict.exact:
        return size
    near = _nearest(model, size, channels, limit)
    remedy = f"no size within {limit} pixels is exact" if near is None else f"the nearest exact size is {near}"
    logger.warning("not exact at %d pixels: %s; %s", size, verdict.breaks[0], remedy)
    return near


def next_exact_size(model: Model, size: Size, *, channels: int | None = None, limit: int = 64) -> tuple[int, int]:
    """The nearest size, not below the given one, at which a network is exact and to which images are padded evenly.

    `(rows, columns)`, each at an even distance from the given one, so that as much is added on either side. Where no
    exact size is at an even distance, as for 32 and strides of 2 that need odd sides, the nearest at an odd one.

    Args:
        model: any callable of images `(B, C, H, W)`.
        size: side of square images, or rows and columns, pixels.
        channels: `C`; that of the first convolution when None.
        limit: how many pixels more are tried.

    Returns:
        Rows and columns, pixels.

    Raises:
        ValueError: when no size within the limit is exact; names the operation that breaks it at the given size.

    Example:
        >>> net = nn.Conv2d(1, 1, 3, stride=3)
        >>> ls.measure.next_exact_size(net, (10, 11), channels=1)
        (12, 15)
    """
    channels = channels or channels_of(model)
    rows, columns = size if isinstance(size, tuple) else (size, size)
    sides = {side: _next_side(model, side, channels, limit) for side in {rows, columns}}
    exact_size = sides[rows], sides[columns]
    verdict = exact_sizes(model, [exact_size], channels=channels).verdicts[0]
    if not verdict.exact:
        raise ValueError(f"size: got {size}, but squares alone can be made exact ({verdict}); pad to a square first")
    return exact_size


def pad_to_exact(model: Model, x: Shaped[Tensor, "B C H W"], *, limit: int = 64) -> Shaped[Tensor, "B C H2 W2"]:
    """Images padded with zeros to the nearest size at which a network is exact.

    As much is added on either side, so that padding commutes with quarter turns and flips as the network does. Where
    exact sizes are all at an odd distance, the odd row goes below and the odd column to the right, and a warning is
    logged: the network is then exact about the centre of the padded image, half a pixel from that of the given one, so
    images are to be turned *after* padding.

    Args:
        model: any callable of images; it is run on no data to find the size.
        x: images.
        limit: how many pixels more are tried.

    Returns:
        Padded images; `x` itself when its size is exact.

    Raises:
        ValueError: when no size within the limit is exact.

    Example:
        >>> net = nn.Conv2d(1, 1, 3, stride=2)
        >>> ls.measure.pad_to_exact(net, torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 1, 29, 29])
    """
    channels, height, width = x.shape[1:]
    rows, columns = next_exact_size(model, (height, width), channels=channels, limit=limit)
    more = rows - height, columns - width
    if any(extra % 2 for extra in more):
        logger.warning("%d×%d images padded unevenly to %d×%d: turn them after padding", height, width, rows, columns)
    above, left = (extra // 2 for extra in more)
    return F.pad(x, (left, more[1] - left, above, more[0] - above)) if any(more) else x


def _next_side(model: Model, side: int, channels: int, limit: int) -> int:
    for candidate in (*range(side, side + limit + 1, 2), *range(side + 1, side + limit + 1, 2)):
        if exact_sizes(model, [candidate], channels=channels).exact:
            return candidate
    broken = exact_sizes(model, [side], channels=channels)
    raise ValueError(f"limit: got {limit}, no side from {side} on is exact within it ({broken}); raise it, or resize")


def _nearest(model: Model, size: int, channels: int, limit: int) -> int | None:
    for distance in range(1, limit + 1):
        sizes = [side for side in (size + distance, size - distance) if side > 0]
        exact = exact_sizes(model, sizes, channels=channels).exact
        if exact:
            return int(exact[0])  # pyright: ignore[reportArgumentType]  sides, as asked for
    return None
