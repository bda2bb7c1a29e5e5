"""What an experiment says about its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from learnsym._places import USES, Place, check_named, place_of
from learnsym._settings import Count, Distinct, In, PathText, Seed, check_settings, shown
from learnsym.data.own.reading import Layout, Reading, Targets, Units
from learnsym.data.registry import registry
from learnsym.data.spherical import SphereConfig

Law = Literal["uniform", "atoms", "normal", "two_modes"]
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
READ = ("layout", "x", "y", "targets", "moves", "energies", "energy", "forces", "units")
"""Keys that say how data are read, of one's own for the most part."""


@dataclass(frozen=True, kw_only=True)
class PlantConfig:
    """A symmetry planted in the data: each example is moved once by a random transformation."""

    law: Law = "uniform"
    """`uniform`: every coordinate from U(-h, h). `normal`: from N(0, h²). `atoms`: the rotation is one of `angles`.
    `two_modes`: the rotation is U(-h, h) plus one of `angles` (by default 0 and 180)."""
    rotation: Annotated[float, In("[0, 180]")] = 0.0
    """Half-width h (`normal`: standard deviation) in degrees, counter-clockwise."""
    translation: Annotated[float, In("[0, 1]")] = 0.0
    """Half-width along both axes, as a fraction of the shortest side of the image."""
    scale: Annotated[float, In("[0, 3]")] = 0.0
    """Half-width of the logarithm of the scale factor."""
    flip: Annotated[float, In("[0, 1]")] = 0.0
    """Probability of a left-right reflection, made before the rest."""
    angles: Annotated[list[Annotated[float, In("[-360, 360]")]], Distinct()] = field(default_factory=list)
    """Atoms or modes, in degrees."""
    splits: Annotated[list[Split], Distinct(1)] = field(default_factory=lambda: list(SPLITS))
    """Splits in which the symmetry is planted; the others stay as they are."""

    def __post_init__(self) -> None:
        check_settings(self, "data.plant.")
        if self.law == "atoms" and (not self.angles or self.rotation):
            raise ValueError("data.plant.angles: the law `atoms` needs angles and no rotation; or use `two_modes`")
        if self.law in ("uniform", "normal") and self.angles:
            raise ValueError(
                f"data.plant.angles: got {self.angles} with the law {self.law!r}; use `atoms` or `two_modes`"
            )

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

    name: PathText = "digits"
    """A name that `learnsym data list` prints, or data of your own: FILE.npz, FILE.npy, FILE.csv of paths and labels, a
    folder of images or NIfTI scans by class, FILE.xyz, or FILE.py:function, which is executed: name none that you do
    not trust. A path is kept as an absolute one."""
    label: str = ""
    """What tables and figures call these data; empty for name and planted law (see `title`)."""
    size: Annotated[int, In("[4, 16384]")] | None = None
    """Shorter side of the images in pixels: padded with zeros or scaled down; null keeps the size of the data set."""
    train: Count | None = None
    """Number of training examples; null for the usual number of the data set."""
    val: Count | None = None
    """Number of validation examples, taken from the training pool unless the authors made a validation set."""
    test: Count | None = None
    """Number of test examples, of the official test set where there is one."""
    plant: PlantConfig = field(default_factory=PlantConfig)
    """Planted symmetry."""
    sphere: SphereConfig = field(default_factory=SphereConfig)
    """How figures are drawn on the sphere; for the data sets spherical-digits, spherical-mnist and
    spherical-fashion-mnist."""
    seed: Seed = 0
    """Determines which examples are chosen and how they are transformed where a symmetry is planted."""
    layout: Layout | None = None
    """Order of axes of your arrays: n examples, c channels, d slices, h rows, w columns; null where sizes tell."""
    x: str = ""
    """Name of the array of inputs in your file .npz, or of the column of paths in your table."""
    y: str = ""
    """Name of the array of targets in your file .npz, or of the column of labels in your table."""
    targets: Targets | None = None
    """What your targets are: `labels` from 0, `names` (each value a class) or `numbers` (a regression); null for
    integers as labels, floats as numbers and text as names."""
    moves: str = ""
    """Which of several inputs a symmetry moves, by its key; empty for the first."""
    energies: bool = False
    """Molecules: whether energies are targets beside forces; both go with the loss `potential`."""
    centred: bool = False
    """Clouds of points: whether positions are relative to their mean, so that networks need not know translations."""
    energy: str = ""
    """Key of the energy in your file .xyz; empty for `energy`."""
    forces: str = ""
    """Column of the forces in your file .xyz; empty for `forces`."""
    units: Units | None = None
    """Units of your file .xyz; null for eV/Angstrom."""

    def __post_init__(self) -> None:
        check_settings(self, "data.")
        place = self.place
        check_named(self.name, registry)
        if place is not None:
            object.__setattr__(self, "name", str(place))
        self._check_sphere()
        used = _uses(self.name) if place is None else USES[place.kind]
        for key in READ:
            if getattr(self, key) and key not in used:
                what = f"the data set {self.name}" if place is None else f"{place.kind} data"
                raise ValueError(f"data.{key}: got {getattr(self, key)!r}, but {what} has no use for it; leave it out")

    def _check_sphere(self) -> None:
        on_sphere = self.place is None and registry[self.name].on_sphere is not None
        if not on_sphere and self.sphere != SphereConfig():
            names = ", ".join(name for name, source in registry.items() if source.on_sphere is not None)
            raise ValueError(
                f"data.sphere: {shown(self.name)} is not drawn on the sphere; leave it out, or take {names}"
            )
        if on_sphere and not self.plant.is_trivial:
            raise ValueError(
                f"data.plant: moves images of the plane, {self.name} are on the sphere; turn them by "
                "data.sphere.rotated"
            )

    @property
    def place(self) -> Place | None:
        """Where data of one's own are; None for a data set with a name."""
        return None if self.name in registry else place_of(self.name)

    @property
    def reading(self) -> Reading:
        """How data of one's own are read."""
        return Reading(size=self.size, **{key: getattr(self, key) for key in READ})

    @property
    def title(self) -> str:
        """The label, or one made from the name and the planted law."""
        name = self.name if self.place is None else self.place.name
        return self.label or " ".join(filter(None, (name, self.plant.describe())))


def _uses(name: str) -> tuple[str, ...]:
    """Which of `READ` a data set with a name has a use for."""
    return () if registry[name].with_energies is None else ("energies",)
