"""Symmetry: the one object that every learner, every measure and every test takes; and the ones that have a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from learnsym import actions, groups
from learnsym._settings import shown
from learnsym.actions import Action, Invariant
from learnsym.groups import Group
from learnsym.parts import Part, Whole, described


@dataclass(frozen=True)
class Symmetry:
    """A group with an action on inputs and an action on outputs: the statement `f(g·x) = g·f(x)`.

    Args:
        group: the group.
        on_input: how its elements move inputs.
        on_output: how they move outputs; `Invariant()` for a classifier.

    Raises:
        ValueError: when an action does not fit the group.

    Example:
        >>> symmetry = ls.Symmetry(ls.groups.SO2(), on_input=ls.actions.Image(), on_output=ls.actions.Invariant())
        >>> symmetry.name
        'SO(2)'
    """

    group: Group
    on_input: Action
    on_output: Action = Invariant()  # noqa: RUF009 - immutable

    def __post_init__(self) -> None:
        self.on_input.check(self.group)
        self.on_output.check(self.group)

    @property
    def name(self) -> str:
        """Name of the group."""
        return self.group.name

    def at(self, input: str = "", output: str = "") -> Symmetry:
        """The same symmetry of one part of structured inputs and outputs, see `actions.On`.

        Args:
            input: key of the part of inputs that moves; empty for inputs that are one tensor.
            output: key of the part of what a model returns that is its output; empty for one tensor.

        Example:
            >>> symmetry = ls.symmetry_by_name("rotation2d").at(input="image", output="logits")
            >>> symmetry.on_output
            On(key='logits', action=Invariant())
        """
        on_input = actions.On(input, self.on_input.within) if input else self.on_input
        on_output = actions.On(output, self.on_output.within) if output else self.on_output
        return replace(self, on_input=on_input, on_output=on_output)

    @property
    def of_tensors(self) -> Symmetry:
        """The same symmetry of the tensors that move, taken out of their structures."""
        return replace(self, on_input=self.on_input.within, on_output=self.on_output.within)

    def moving(self, x: Whole) -> Tensor:
        """The tensor of inputs that moves.

        Raises:
            ValueError: when the inputs have no such part, or it is not said which one moves.
        """
        found = Part(self.on_input.part.key, "on_input").get(x)
        if not isinstance(found, Tensor):
            raise ValueError(
                f"x: got {described(found)}, of which one tensor moves; say which, as by symmetry.at(input='image')"
            )
        return found

    def output(self, returned: Whole) -> Tensor:
        """The tensor of what a model returns that is its output; a single tensor is the output itself.

        Raises:
            ValueError: when there is no such part, or it is not said which one is the output.
        """
        if isinstance(returned, Tensor):
            return returned
        found = Part(self.on_output.part.key, "on_output").get(returned)
        if not isinstance(found, Tensor):
            raise ValueError(
                f"output: the model returns {described(found)}, of which one tensor is the output; say which, as by "
                "symmetry.at(output='logits')"
            )
        return found

    def check_data(self, x: Whole, y: Whole = None) -> None:
        """Raise ValueError when inputs `x` or outputs `y` are not the data that the actions move.

        Reads every value, so call it once per data set rather than at each step.
        """
        self.on_input.check_data(self.group, x)
        if y is not None:
            self.on_output.check_data(self.group, y)


def rotation2d(on_output: Action | None = None) -> Symmetry:
    """Rotations of images."""
    return _image(groups.SO2(), on_output)


def orthogonal2d(on_output: Action | None = None) -> Symmetry:
    """Rotations and reflections of images."""
    return _image(groups.O2(), on_output)


def translation2d(on_output: Action | None = None) -> Symmetry:
    """Translations of images."""
    return _image(groups.Translation2(), on_output)


def scale2d(on_output: Action | None = None) -> Symmetry:
    """Scalings of images."""
    return _image(groups.Scale2(), on_output)


def se2(on_output: Action | None = None) -> Symmetry:
    """Rotations and translations of images."""
    return _image(groups.SE2(), on_output)


def similarity2d(on_output: Action | None = None) -> Symmetry:
    """Rotations, translations and scalings of images."""
    return _image(groups.Similarity2(), on_output)


def affine2d(on_output: Action | None = None) -> Symmetry:
    """Affine maps of images: translations, rotation, scale, stretch, shear."""
    return _image(groups.Affine2(), on_output)


def flip2d(on_output: Action | None = None) -> Symmetry:
    """Left-right flips of images."""
    return _image(groups.Dihedral(1), on_output)


def quarter_turns2d(on_output: Action | None = None) -> Symmetry:
    """Rotations of images by multiples of 90°."""
    return _image(groups.Cyclic(4), on_output)


def square2d(on_output: Action | None = None) -> Symmetry:
    """Quarter turns and flips of images: the symmetry of the square."""
    return _image(groups.Dihedral(4), on_output)


def colour(on_output: Action | None = None) -> Symmetry:
    """Brightness and contrast of images."""
    return Symmetry(groups.Colour(), actions.Channels(), on_output or Invariant())


def hue_saturation(on_output: Action | None = None) -> Symmetry:
    """Hue and saturation of colour images."""
    return Symmetry(groups.HueSaturation(), actions.RGB(), on_output or Invariant())


def affine2d_colour(on_output: Action | None = None) -> Symmetry:
    """Affine maps of images together with brightness and contrast; the border is repeated, so that the two commute."""
    group = groups.Product(groups.Affine2(), groups.Colour())
    moves = (actions.Image(padding="border"), actions.Channels())
    return Symmetry(group, actions.Product(moves, sizes=(3, 2)), on_output or Invariant())


def so3(vectors: int = 0, scalars: int = 0, on_output: Action | None = None) -> Symmetry:
    """Rotations of point clouds with `vectors` and `scalars` per point beside the position."""
    return _points(groups.SO3(), vectors, scalars, on_output)


def o3(vectors: int = 0, scalars: int = 0, on_output: Action | None = None) -> Symmetry:
    """Rotations and reflections of point clouds."""
    return _points(groups.O3(), vectors, scalars, on_output)


def se3(vectors: int = 0, scalars: int = 0, on_output: Action | None = None) -> Symmetry:
    """Rigid motions of point clouds, without reflections."""
    return _points(groups.SE3(), vectors, scalars, on_output)


def e3(vectors: int = 0, scalars: int = 0, on_output: Action | None = None) -> Symmetry:
    """Rigid motions of point clouds, with reflections."""
    return _points(groups.E3(), vectors, scalars, on_output)


def lorentz(vectors: int = 0, scalars: int = 0, on_output: Action | None = None) -> Symmetry:
    """Lorentz transformations of clouds of four-vectors `(t, x, y, z)`."""
    on_input = actions.PointCloud(vectors, scalars, dim=4)
    return Symmetry(groups.Lorentz(), on_input, on_output or Invariant())


def permutation(n: int, on_output: Action | None = None) -> Symmetry:
    """Permutations of sets of `n` members."""
    return Symmetry(groups.Permutation(n), actions.Set(), on_output or Invariant())


named: dict[str, Callable[[], Symmetry]] = {
    "rotation2d": rotation2d,
    "orthogonal2d": orthogonal2d,
    "translation2d": translation2d,
    "scale2d": scale2d,
    "se2": se2,
    "similarity2d": similarity2d,
    "affine2d": affine2d,
    "flip2d": flip2d,
    "quarter_turns2d": quarter_turns2d,
    "square2d": square2d,
    "colour": colour,
    "hue_saturation": hue_saturation,
    "affine2d_colour": affine2d_colour,
    "so3": so3,
    "o3": o3,
    "se3": se3,
    "e3": e3,
    "lorentz": lorentz,
}


def symmetry_by_name(name: str) -> Symmetry:
    """One of `named`, or `permutation<n>` for sets of `n` members; outputs are invariant.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> ls.symmetry_by_name("quarter_turns2d").group
        C_4
    """
    if name in named:
        return named[name]()
    size = name.removeprefix("permutation")
    if name.startswith("permutation") and size.isdecimal() and len(size) < 10 and int(size) > 0:
        return permutation(int(size))
    raise ValueError(f"symmetry: got {shown(name)}, must be one of {', '.join(named)} or permutation<n>")


def _image(group: Group, on_output: Action | None) -> Symmetry:
    return Symmetry(group, actions.Image(), on_output or Invariant())


def _points(group: Group, vectors: int, scalars: int, on_output: Action | None) -> Symmetry:
    return Symmetry(group, actions.PointCloud(vectors, scalars), on_output or Invariant())
