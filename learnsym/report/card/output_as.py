"""How outputs move when inputs do: as images, maps of labels, vectors or points, or not at all; guessed and said.

Legend of axes: `B` examples, `C` channels, `*S` pixels or voxels, `N` points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

from torch import Tensor

from learnsym.actions import (
    Action,
    Image,
    Invariant,
    LabelMap,
    PointCloud,
    PointVectors,
    Product,
    Set,
    Sphere,
    SphereLabels,
    VectorField,
    Volume,
)
from learnsym.measure._probe import Output
from learnsym.parts import Whole
from learnsym.report.card.targets import NO_LABEL
from learnsym.symmetry import Symmetry

OutputAs = Literal["invariant", "image", "labels", "vectors", "points"]
OTHERS = "another reading is named by --output-as (invariant, image, labels, vectors or points)"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A symmetry with its action on outputs, and what is done to outputs so that the action takes them."""

    symmetry: Symmetry
    output: Output | None
    said: str
    """What was taken, in one sentence."""


def read_outputs(
    symmetry: Symmetry, x: Whole, outputs: Tensor, y: Tensor | None, output: Output | None, named: str | None
) -> Reading:
    """How the outputs of a model move under a symmetry.

    Args:
        symmetry: whose action on outputs is kept when it moves them: the data say so.
        x: inputs.
        outputs: of the model on these.
        y: targets; integer maps tell scores of classes from pictures.
        output: takes the tensor out of what the model returns.
        named: one of `OutputAs`, or None to guess by shape.

    Raises:
        ValueError: when outputs cannot be what is named.
    """
    if named is not None and named not in get_args(OutputAs):
        raise ValueError(f"output_as: got {named!r}, must be one of {', '.join(get_args(OutputAs))}; leave it out")
    shape = tuple(outputs.shape[1:])
    if named is None and not isinstance(symmetry.on_output, Invariant):
        return Reading(
            symmetry=symmetry, output=output, said=f"Outputs of shape {shape} move as the data or their types say."
        )
    on_input = symmetry.on_input.within
    kind = named or _guess(on_input, symmetry.moving(x), outputs, y)
    layout = _LAYOUTS.get((kind, _spatial(on_input), outputs.ndim), _as_they_are)
    try:
        moved = _moved(symmetry, kind, layout(outputs))
    except ValueError as error:
        others = ", ".join(each for each in get_args(OutputAs) if each != kind)
        raise ValueError(
            f"output_as: got {kind!r} for outputs of shape {shape} under {symmetry.name}, which they cannot be "
            f"({error}); must be one of {others}"
        ) from error
    how = "stay" if isinstance(moved.on_output, Invariant) else _WORDS[kind]
    said = f"Outputs of shape {shape} are taken to {how} when inputs move"
    return Reading(
        symmetry=moved,
        output=output if layout is _as_they_are else partial(_arranged, output or _whole, layout),
        said=f"{said}." if named else f"{said}, by their shape; {OTHERS}.",
    )


def _moved(symmetry: Symmetry, kind: str, outputs: Tensor) -> Symmetry:
    """The symmetry with an action on outputs of one kind."""
    on_input = symmetry.on_input.within
    action = _KINDS[kind](on_input, outputs)
    if action is None:
        raise ValueError(f"{type(on_input).__name__} moves nothing of the kind")
    moved = replace(symmetry, on_output=action)
    action.check_data(symmetry.group, outputs)
    return moved


_WORDS = {
    "image": "move as images",
    "labels": "move as maps of labels",
    "vectors": "turn as vectors",
    "points": "move as points",
}


def _guess(on_input: Action, x: Tensor, outputs: Tensor, y: Tensor | None) -> str:
    """By shape: outputs with the pixels or points of the inputs move with them."""
    if isinstance(on_input, PointCloud):
        return "vectors" if outputs.shape[1:] == (*x.shape[1:2], on_input.dim) else "invariant"
    if isinstance(on_input, Set):
        return "points" if outputs.ndim > 2 and outputs.shape[1] == x.shape[1] else "invariant"
    pixels = tuple(x.shape[2:])
    if not pixels or not _geometric(on_input) or outputs.ndim < 1 + len(pixels):
        return "invariant"
    if not outputs.is_floating_point():
        return "labels" if outputs.shape[1:] in (pixels, (1, *pixels)) and len(pixels) == 2 else "invariant"
    if tuple(outputs.shape[1:]) == pixels:
        return "image"
    if outputs.ndim != x.ndim or max(outputs.shape[2:]) == 1 or not _similar(pixels, tuple(outputs.shape[2:])):
        return "invariant"
    is_map = y is not None and not y.is_floating_point() and y.ndim >= 1 + len(pixels)
    return "labels" if is_map else "image"


def _similar(pixels: tuple[int, ...], of_output: tuple[int, ...]) -> bool:
    """The same pixels, or all sides divided by the same whole number."""
    return len({a / b for a, b in zip(pixels, of_output, strict=True)}) == 1


def _geometric(on_input: Action) -> bool:
    """Whether pixels change their places."""
    return isinstance(on_input, (Image, Volume, Sphere)) or (
        isinstance(on_input, Product) and any(map(_geometric, on_input.actions))
    )


def _spatial(on_input: Action) -> int:
    """Number of axes of pixels; 0 for points."""
    if isinstance(on_input, Product):
        return max(map(_spatial, on_input.actions))
    return 3 if isinstance(on_input, Volume) else 0 if isinstance(on_input, (PointCloud, Set)) else 2


def _as_image(on_input: Action, outputs: Tensor) -> Action | None:
    if isinstance(on_input, Product):
        return Product(tuple(_as_image(each, outputs) or Invariant() for each in on_input.actions), on_input.sizes)
    if isinstance(on_input, (Image, Volume)):
        # what is black in an input is seldom 0 in an output
        return replace(on_input, padding="border") if outputs.ndim > 2 else None
    if isinstance(on_input, Sphere):
        return on_input if outputs.ndim > 2 else None
    return None if isinstance(on_input, (PointCloud, Set)) else on_input


def _as_labels(on_input: Action, outputs: Tensor) -> Action | None:
    if isinstance(on_input, Product):
        return Product(tuple(_as_labels(each, outputs) or Invariant() for each in on_input.actions), on_input.sizes)
    if isinstance(on_input, (Image, Sphere)) and not outputs.is_floating_point():
        return LabelMap(fill=NO_LABEL) if isinstance(on_input, Image) else SphereLabels()
    return _as_image(on_input, outputs) if _geometric(on_input) else None


def _as_vectors(on_input: Action, outputs: Tensor) -> Action | None:
    if isinstance(on_input, PointCloud):
        return PointVectors(vectors=max(1, outputs.shape[-1] // on_input.dim), dim=on_input.dim)
    if isinstance(on_input, (Image, Volume)):
        return VectorField(dim=_spatial(on_input), padding=on_input.padding)
    return None


def _as_points(on_input: Action, outputs: Tensor) -> Action | None:
    if isinstance(on_input, PointCloud):
        return PointCloud(dim=on_input.dim, vectors=max(0, outputs.shape[-1] // on_input.dim - 1))
    return on_input if isinstance(on_input, Set) else None


_KINDS: dict[str, Callable[[Action, Tensor], Action | None]] = {
    "invariant": lambda on_input, outputs: Invariant(),
    "image": _as_image,
    "labels": _as_labels,
    "vectors": _as_vectors,
    "points": _as_points,
}


def _as_they_are(outputs: Tensor) -> Tensor:
    return outputs


def _with_channel(outputs: Tensor) -> Tensor:
    """`(B, *S)` as `(B, 1, *S)`."""
    return outputs[:, None]


def _without_channel(outputs: Tensor) -> Tensor:
    """Integer labels `(B, 1, *S)` as `(B, *S)`; scores as they are."""
    return outputs[:, 0] if not outputs.is_floating_point() and outputs.shape[1] == 1 else outputs


# by what outputs are, the number of axes of pixels in inputs, and the number of axes of outputs
_LAYOUTS: dict[tuple[str, int, int], Callable[[Tensor], Tensor]] = {
    ("image", 2, 3): _with_channel,
    ("image", 3, 4): _with_channel,
    ("labels", 2, 4): _without_channel,
    ("vectors", 0, 2): _with_channel,
    ("points", 0, 2): _with_channel,
}


def _whole(returned: object) -> Tensor:
    if not isinstance(returned, Tensor):
        raise ValueError(f"output: the model returns a {type(returned).__name__}, must be one tensor; name one")
    return returned


def _arranged(take: Output, layout: Callable[[Tensor], Tensor], returned: object) -> Tensor:
    return layout(take(returned))
