"""A sheet of examples: one picture with a row a class."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.files import replacing

ROWS, COLUMNS = 12, 10
SIDE = 64
"""Pixels that an example has at the least on the sheet."""
GAP = 2
LABEL = 90
"""Pixels for the name of the class."""


def write_sheet(data: Dataset, path: Path) -> Path:
    """Write up to 12 rows of 10 examples as PNG: a row a class, or examples in order where there are none.

    Of volumes the middle slice is shown; values are scaled so that the sheet is black to white.

    Raises:
        ValueError: when they are no images or volumes.
    """
    from PIL import Image, ImageDraw

    shape = data.in_shape
    if len(shape) not in (3, 4):
        raise ValueError(f"out: examples of {data.name} have shape {shape}, only images and volumes have a sheet")
    rows = _rows(data)
    chosen = torch.cat([indices for _, indices in rows])
    x = data.subset(chosen).moving[:].float()
    images = _pixels(x[:, :, x.shape[2] // 2] if x.ndim == 5 else x)
    scale = max(1, -(-SIDE // min(images.shape[-2:])))
    tall, wide = images.shape[-2] * scale + GAP, images.shape[-1] * scale + GAP
    sheet = Image.new("RGB", (LABEL + COLUMNS * wide, len(rows) * tall), "white")
    draw, number = ImageDraw.Draw(sheet), 0
    for row, (name, indices) in enumerate(rows):
        draw.text((4, row * tall + tall // 2 - 6), name[:14], fill="black")
        for column in range(len(indices)):
            tile = Image.fromarray(images[number].permute(1, 2, 0).numpy())
            tile = tile.resize((wide - GAP, tall - GAP), Image.Resampling.NEAREST)
            sheet.paste(tile, (LABEL + column * wide, row * tall))
            number += 1
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        sheet.save(temporary)
    return path


def _rows(data: Dataset) -> list[tuple[str, Tensor]]:
    if not data.classes or data.y.ndim != 1:
        parts = torch.arange(min(len(data), ROWS * COLUMNS)).split(COLUMNS)
        return [(str(int(part[0])), part) for part in parts]
    classes = range(min(data.classes, ROWS))
    found = [(k, (data.y == k).nonzero()[:COLUMNS, 0]) for k in classes]
    return [(data.class_names[k] if data.class_names else str(k), part) for k, part in found if len(part)]


def _pixels(x: Tensor) -> Tensor:
    """Three channels of bytes: grey three times, two with an empty third, the first three of more."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 1e-12)
    scaled = ((x - low) / (high - low) * 255.0).round().clamp(0, 255).byte()
    if x.shape[1] == 1:
        return scaled.expand(-1, 3, -1, -1)
    missing = 3 - min(x.shape[1], 3)
    return torch.nn.functional.pad(scaled[:, :3], (0, 0, 0, 0, 0, missing))
