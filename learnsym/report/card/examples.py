"""On which examples a symmetry card measures: a data set by name, data of one's own, or the test set of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data import DataConfig, Dataset, Signature, load, load_splits
from learnsym.data.inputs import Inputs, as_float, check_inputs, count, first_part, taken
from learnsym.data.own import read_own
from learnsym.data.own.reading import Reading
from learnsym.data.room import check_room
from learnsym.parts import Part
from learnsym.report.card.targets import NO_LABEL
from learnsym.symmetry import Symmetry, symmetry_by_name
from learnsym.training.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs, and targets where there are any.

    Args:
        name: what tables call them.
        x: inputs: floats as they are, uint8 divided by 255, or bool, as `Dataset` takes them.
        y: targets, one per input.
        signature: how these data are moved, where it is known; by the symmetry's own default otherwise.
        rows: which row of their source each example is; None for the rows in order.
        notes: what was guessed or converted when they were read, in sentences.

    Raises:
        ValueError: when the inputs are empty, not finite, of an unfit dtype or of another number than the targets.
    """

    name: str
    x: Inputs
    y: Tensor | None = None
    signature: Signature | None = None
    rows: Tensor | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_inputs(self.x, self.moves)
        object.__setattr__(self, "x", as_float(self.x))
        if self.y is not None and (self.y.ndim == 0 or len(self.y) != len(self)):
            raise ValueError(f"y: got shape {tuple(self.y.shape)} for {len(self)} inputs x, must be one each")

    @property
    def moves(self) -> str:
        """Which of several inputs a symmetry moves, by its key; empty for inputs of one tensor."""
        return (self.signature.moves if self.signature else "") or first_part(self.x)

    @property
    def said(self) -> tuple[str, ...]:
        """The notes, as a card has them."""
        return tuple(f"{self.name}: {note.rstrip('.')}." for note in self.notes)

    @staticmethod
    def of(data: Dataset, rows: Tensor, name: str = "") -> Examples:
        """Those of a data set at `rows`, in memory."""
        x, y = data.batch(rows)
        if data.ignore is not None:
            y = y.masked_fill(y == data.ignore, NO_LABEL)
        known = data.on_input is not None or data.moves or not data.fingerprint
        return Examples(
            name=name or data.name,
            x=x,
            y=y if data.has_targets else None,
            signature=data.signature if known else None,
            rows=rows,
            notes=data.notes,
        )

    def subset(self, rows: Tensor) -> Examples:
        """The examples at `rows`, in memory."""
        source = rows if self.rows is None else self.rows[rows]
        return replace(self, x=taken(self.x, rows), y=None if self.y is None else self.y[rows], rows=source)

    def __len__(self) -> int:
        return count(self.x)

    def row(self, index: int) -> int:
        """The row of the source that an example is."""
        return index if self.rows is None else int(self.rows[index])

    def symmetry(self, name: str) -> Symmetry:
        """The symmetry called `name` on these examples."""
        found = symmetry_by_name(name) if self.signature is None else self.signature.symmetry(name)
        return found.at(input=self.moves)


def load_examples(
    source: str | None,
    count: int,
    *,
    size: int | None = None,
    seed: int = 0,
    config: RunConfig | None = None,
    reading: Reading | None = None,
) -> Examples:
    """Some examples of a data set, the same for the same seed.

    Args:
        source: a name that `learnsym data list` prints, or data of one's own (a file, a folder, or FILE.py:function,
            which is executed): the test examples where they are told apart, or all; None for the test set of a run.
        count: at most so many.
        size: images are resized to `size x size` by bilinear interpolation; None leaves them.
        seed: determines which examples are chosen.
        config: the configuration of the run that is measured, if a run is measured.
        reading: how data of one's own are read, where that cannot be told.

    Raises:
        ValueError: when there are no such data, or the images of that size do not fit into memory; it names the remedy.
    """
    if size is not None and size < 1:
        raise ValueError(f"size: got {size}, must be >= 1 pixel; leave it out to keep the images as they are")
    name, data = _all_examples(source, config, reading, size)
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:count]
    examples = Examples.of(data, rows, name)
    if size is None:
        return examples
    part = Part(examples.moves)
    return replace(examples, x=part.put(examples.x, _resized(part.get(examples.x), size)))


def _resized(x: Tensor, size: int) -> Tensor:
    if x.ndim != 4:
        shape = tuple(x.shape)
        raise ValueError(f"size: got {size} for inputs of shape {shape}, only images (B, C, H, W) are resized")
    check_room("size", (*x.shape[:2], size, size), x.element_size(), "choose a smaller size or fewer examples")
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True)


def _all_examples(
    source: str | None, config: RunConfig | None, reading: Reading | None, size: int | None
) -> tuple[str, Dataset]:
    if source is None and config is not None:
        return config.data.title, load_splits(config.data).test
    if source is None:
        raise ValueError("data: got none; name a data set (learnsym data list), or a file or folder of your own")
    place = DataConfig(name=source).place
    if place is None:
        return source, load(source, "test")
    pools = read_own(place, replace(reading or Reading(), ask=False, size=size))
    return place.name, pools.get("test", pools["train"])
