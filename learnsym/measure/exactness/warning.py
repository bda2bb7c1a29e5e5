"""A word about input sizes at which a network built to be equivariant is not."""

from __future__ import annotations

import logging

from learnsym.measure._probe import Model
from learnsym.measure.exactness.sizes import exact_sizes

logger = logging.getLogger(__name__)


def warn_if_inexact(model: Model, size: int, *, channels: int = 3, limit: int = 32) -> int | None:
    """Log a warning when an operation breaks exactness at an input size: in which layer, and the nearest exact size.

    Of two sizes equally near the larger one, which loses no pixels.

    Args:
        model: any callable of images `(B, C, H, W)`.
        size: side of square images, pixels.
        channels: `C`.
        limit: how many pixels more or fewer are tried.

    Returns:
        The nearest exact size, `size` itself when nothing breaks it, None when there is none within the limit.

    Raises:
        ValueError: when the network cannot run at this size.

    Example:
        >>> ls.measure.warn_if_inexact(ls.nets.P4CNN(1, 10), 27, channels=1)  # logs "not exact at 27 pixels: ..."
        28
    """
    verdict = exact_sizes(model, [size], channels=channels).verdicts[0]
    if verdict.error is not None:
        raise ValueError(f"size: got {size}, at which the network cannot run: {verdict.error}")
    if verdict.exact:
        return size
    near = _nearest(model, size, channels, limit)
    remedy = f"no size within {limit} pixels is exact" if near is None else f"the nearest exact size is {near}"
    logger.warning("not exact at %d pixels: %s; %s", size, verdict.breaks[0], remedy)
    return near


def _nearest(model: Model, size: int, channels: int, limit: int) -> int | None:
    for distance in range(1, limit + 1):
        sizes = [side for side in (size + distance, size - distance) if side > 0]
        exact = exact_sizes(model, sizes, channels=channels).exact
        if exact:
            return int(exact[0])  # pyright: ignore[reportArgumentType]  sides, as asked for
    return None
