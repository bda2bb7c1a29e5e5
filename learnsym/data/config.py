"""What an experiment says about its data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from learnsym.data.registry import source_by_name

Law = Literal["uniform", "atoms", "normal", "two_modes"]
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class PlantConfig:
    """A symmetry planted in the data: each example is moved once by a random transformation."""

    law: Law = "uniform"
    """`uniform`: every coordinate from U(-h, h). `normal`: from N(0, h²). `atoms`: the rotation is one of `angles`.
    `two_modes`: the rotation is U(-h, h) plus one of `angles` (by default 0 and 180)."""
    rotation: float = 0.0
    """Half-width h (`normal`: standard deviation) in degrees, counter-clockwise."""
    translation: float = 0.0
    """Half-width along both axes, as a fraction of the shortest side of the image."""
    scale: float = 0.0
    """Half-width of the logarithm of the scale factor."""
    flip: float = 0.0
    """Probability of a left-right reflection, made before the rest."""
    angles: list[float] = field(default_factory=list)
    """Atoms or modes, in degrees."""
    splits: list[str] = field(default_factory=lambda: list(SPLITS))
    """Splits in which the symmetry is planted; the others stay as they are."""

    def __post_init__(self) -> None:
        if self.law not in get_args(Law):
            raise ValueError(f"plant.law: got {self.law!r}, must be one of {', '.join(get_args(Law))}")
        for name, high in (("rotation", 180.0), ("translation", 1.0), ("scale", 3.0), ("flip", 1.0)):
            if not 0.0 <= getattr(self, name) <= high:
                raise ValueError(f"plant.{name}: got {getattr(self, name)}, must lie in [0, {high:g}]")
        self._check_lists()

    def _check_lists(self) -> None:
        if self.law == "atoms" and (not self.angles or self.rotation):
            raise ValueError("plant.angles: the law `atoms` needs angles and no rotation; or use `two_modes`")
        if self.law in ("uniform", "normal") and self.angles:
            raise ValueError(f"plant.angles: got {self.angles} with the law {self.law!r}; use `atoms` or `two_modes`")
        if not all(math.isfinite(angle) for angle in self.angles):
            raise ValueError(f"plant.angles: got {self.angles}, must be finite degrees")
        unknown = [split for split in self.splits if split not in SPLITS]
        if unknown:
            raise ValueError(f"plant.splits: got {unknown[0]!r}, must be among {', '.join(SPLITS)}")

    @property
    def is_trivial(self) -> bool:
        """Whether nothing is moved."""
        return not (self.rotation or self.translation or self.scale or self.flip or self.modes != [0.0])

    @property
    def modes(self) -> list[float]:
        """Angles to which the rotation is added, in degrees."""
        return self.angles or ([0.0, 180.0] if self.law == "two_modes" else [0.0])

    def describe(self) -> str:
        """The law in a few words; empty when nothing is planted."""
        if self.is_trivial:
            return ""
        shape = "N(0, {:g}{}²)" if self.law == "normal" else "±{:g}{}"
        widths = (("rotation", self.rotation, "°"), ("translation", self.translation, ""), ("scale", self.scale, ""))
        parts = [f"{name} {shape.format(width, unit)}" for name, width, unit in widths if width]
        if self.modes != [0.0]:
            parts.append("rotation + {" + ", ".join(f"{angle:g}°" for angle in self.modes) + "}")
        return ", ".join(parts + ([f"flip {self.flip:g}"] if self.flip else []))


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which data set, how much of it, at which size, and what is planted in it."""

    name: str = "digits"
    """A name that `learnsym data list` prints."""
    label: str = ""
    """What tables and figures call these data; empty for name and planted law (see `title`)."""
    size: int | None = None
    """Shorter side of the images in pixels: padded with zeros or scaled down; null keeps the size of the data set."""
    train: int | None = None
    """Number of training examples; null for the usual number of the data set."""
    val: int | None = None
    """Number of validation examples, taken from the training pool unless the authors made a validation set."""
    test: int | None = None
    """Number of test examples, of the official test set where there is one."""
    plant: PlantConfig = field(default_factory=PlantConfig)
    """Planted symmetry."""
    seed: int = 0
    """Determines which examples are chosen and how they are transformed where a symmetry is planted."""

    def __post_init__(self) -> None:
        source_by_name(self.name)
        for name, low in (("size", 4), ("train", 1), ("val", 1), ("test", 1)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"data.{name}: got {value}, must be >= {low}, or null for the usual number")
        if self.seed < 0:
            raise ValueError(f"data.seed: got {self.seed}, must be >= 0")

    @property
    def title(self) -> str:
        """The label, or one made from the name and the planted law."""
        return self.label or " ".join(filter(None, (self.name, self.plant.describe())))
