"""Signature: what a network and a symmetry must know of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from learnsym.actions import PointCloud, PointVectors, Sphere
from learnsym.groups import (
    E3,
    O2,
    O3,
    SE2,
    SE3,
    SO2,
    SO3,
    AxialSO2,
    Cyclic,
    Dihedral,
    Group,
    Octahedral,
    SignedPermutations,
    Translation1,
    Translation2,
)
from learnsym.symmetry import Symmetry, symmetry_by_name

SPACE: dict[str, Callable[[], Group]] = {
    "so3": SO3,
    "o3": O3,
    "so2_x": lambda: AxialSO2(0),
    "so2_y": lambda: AxialSO2(1),
    "so2_z": lambda: AxialSO2(2),
    "octahedral": Octahedral,
    "signed_permutations": SignedPermutations,
    "se3": SE3,
    "e3": E3,
}
"""Groups that clouds of points in space can be moved by."""
PLANE: dict[str, Callable[[], Group]] = {
    "translation2d": Translation2,
    "rotation2d": SO2,
    "orthogonal2d": O2,
    "quarter_turns2d": lambda: Cyclic(4),
    "square2d": lambda: Dihedral(4),
    "se2": SE2,
}
"""Groups that clouds of points of the plane can be moved by."""
OF_POINTS: dict[int, dict[str, Callable[[], Group]]] = {1: {"translation1d": Translation1}, 2: PLANE, 3: SPACE}
"""By the dimension of the points."""

_KINDS = {kind.__name__: kind for kind in (PointCloud, PointVectors)}


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a network and a symmetry must know of data: shape, number of classes, and what points carry.

    Args:
        in_shape: shape of one example.
        classes: number of classes, 0 for a regression.
        on_input: types of the numbers of a point, None for data that are no clouds.
        on_output: types of the targets of a point.
        moves: which of several inputs a symmetry moves, by its key; empty for inputs of one tensor.
        on_sphere: whether images are pictures of the sphere on an equiangular grid.
        shapes: shape of each of several inputs, by its key; empty for inputs of one tensor.

    Example:
        >>> points = ls.actions.PointCloud(vectors=1)
        >>> cloud = ls.data.Signature(in_shape=(5, 6), on_input=points, on_output=ls.actions.PointCloud())
        >>> cloud.symmetry("so2_z").group
        SO(2) about z
    """

    in_shape: tuple[int, ...]
    classes: int = 0
    on_input: PointCloud | None = None
    on_output: PointCloud | PointVectors | None = None
    moves: str = ""
    on_sphere: bool = False
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def symmetry(self, name: str) -> Symmetry:
        """The symmetry called `name`, as it moves these data: inputs and, for clouds, the targets too.

        Raises:
            ValueError: for a name that is unknown, or does not fit these data.
        """
        if self.on_input is None:
            return self._fitting(name)
        known = OF_POINTS.get(self.on_input.dim, {})
        if name not in known:
            of = "" if self.on_input.dim == 3 else f" of dimension {self.on_input.dim}"
            raise ValueError(f"symmetry: got {name!r} for clouds of points{of}, must be one of {', '.join(known)}")
        assert self.on_output is not None
        return Symmetry(known[name](), self.on_input, self.on_output).at(input=self.moves)

    def _fitting(self, name: str) -> Symmetry:
        symmetry = symmetry_by_name(name)
        if self.on_sphere and not isinstance(symmetry.on_input, Sphere):
            raise ValueError(
                f"symmetry: got {name!r} for pictures of the sphere, must be sphere or sphere_vertical; moves of the "
                "plane tear them apart"
            )
        try:
            symmetry.check_data(torch.zeros(1, *self.in_shape))
        except ValueError as error:
            what = f"{self.moves}, of shape {self.in_shape}" if self.moves else f"examples of shape {self.in_shape}"
            other = ", or another input by data.moves" if self.moves else ""
            raise ValueError(
                f"symmetry: got {name!r}, which does not move {what} ({error}); name one of these data, such as "
                f"rotation2d for images{other}"
            ) from None
        return symmetry.at(input=self.moves)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "in_shape": list(self.in_shape),
            "classes": self.classes,
            "on_input": _written(self.on_input),
            "on_output": _written(self.on_output),
            "moves": self.moves,
            "on_sphere": self.on_sphere,
            "shapes": {key: list(shape) for key, shape in self.shapes},
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> Signature:
        """The inverse of `to_json`.

        Raises:
            ValueError: when the sizes are no sizes.
        """
        shape, classes = content["in_shape"], content["classes"]
        if not all(isinstance(size, int) and size > 0 for size in shape) or classes < 0:
            raise ValueError(f"in_shape is {shape} and classes {classes}, must be whole numbers above 0, and 0 or more")
        return Signature(
            in_shape=tuple(shape),
            classes=classes,
            on_input=_read(content.get("on_input")),
            on_output=_read(content.get("on_output")),
            moves=str(content.get("moves", "")),
            on_sphere=bool(content.get("on_sphere", False)),
            shapes=tuple((key, tuple(shape)) for key, shape in content.get("shapes", {}).items()),
        )


def _written(types: PointCloud | PointVectors | None) -> dict[str, Any] | None:
    return None if types is None else {"kind": type(types).__name__, **asdict(types)}


def _read(content: dict[str, Any] | None) -> Any:  # noqa: ANN401
    if content is None:
        return None
    fields = dict(content)
    return _KINDS[fields.pop("kind")](**fields)
