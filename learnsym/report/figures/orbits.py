"""Figure: example images and their orbits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from learnsym.report.results import Orbit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def orbit(found: Orbit, ax: Axes) -> Axes:
    """One row an example: the image itself, then the image moved by elements of the learned distribution."""
    originals, moved = np.asarray(found.originals, dtype=float), np.asarray(found.moved, dtype=float)
    rows = [_row(original, images) for original, images in zip(originals, moved, strict=True)]
    mosaic = np.clip(np.concatenate(rows, axis=0), 0.0, 1.0)
    ax.imshow(1.0 - mosaic if mosaic.ndim == 2 else mosaic, cmap="gray", vmin=0.0, vmax=1.0, interpolation="none")
    ax.set_axis_off()
    return ax


def _row(original: np.ndarray, images: np.ndarray) -> np.ndarray:
    gap, wide = (np.zeros((original.shape[0], width, *original.shape[2:])) for width in (2, 8))
    parts = [original, wide]
    for image in images:
        parts += [image, gap]
    row = np.concatenate(parts[:-1], axis=1)
    return np.concatenate([row, np.zeros((2, *row.shape[1:]))], axis=0)
