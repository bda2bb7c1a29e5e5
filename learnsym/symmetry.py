"""Symmetry: the one object that every learner, every measure and every test takes; the ones that have a name; and
several at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from learnsym import actions, groups
from learnsym._settings import shown
from learnsym.actions import Action, Invariant
from learnsym.groups import Group, MatrixGroup
from learnsym.parts import Whole, described


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
        found = self.on_input.part.get(x)
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
        found = self.on_output.part.get(returned)
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


def sphere(on_output: Action | None = None) -> Symmetry:
    """Rotations of functions on the sphere, pictures on an equiangular grid."""
    return Symmetry(groups.SO3(), actions.Sphere(), on_output or Invariant())


def sphere_vertical(on_output: Action | None = None) -> Symmetry:
    """Turns about the vertical of functions on the sphere: of upright panoramas."""
    return Symmetry(groups.AxialSO2(2), actions.Sphere(), on_output or Invariant())


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
    "sphere": sphere,
    "sphere_vertical": sphere_vertical,
    "so3": so3,
    "o3": o3,
    "se3": se3,
    "e3": e3,
    "lorentz": lorentz,
}


SymmetryLike = Symmetry | str | Sequence[Symmetry | str]
"""A symmetry, its name, or a list of them that are to hold at once."""


def as_symmetry(value: SymmetryLike) -> Symmetry:
    """A symmetry from itself, its name, or a list of several that are to hold at once: see `together`.

    Every public function that asks for a symmetry calls this first.

    Raises:
        ValueError: for an unknown name, an empty list, or symmetries that do not go together.

    Example:
        >>> ls.as_symmetry("rotation2d").group, ls.as_symmetry(["rotation2d", "flip2d"]).group
        (SO(2), O(2))
    """
    if isinstance(value, Symmetry):
        return value
    if isinstance(value, str):
        return symmetry_by_name(value)
    if isinstance(value, Sequence) and value:
        return together([as_symmetry(part) for part in value])
    raise ValueError(
        f"symmetry: got {shown(value)}, must be a Symmetry, a name such as 'rotation2d', or a list of them"
    )


def symmetry_by_name(name: str) -> Symmetry:
    """One of `named`, `permutation<n>` for sets of `n` members, or several with `+` between; outputs are invariant.

    Raises:
        ValueError: for an unknown name, or names that do not go together.

    Example:
        >>> ls.symmetry_by_name("quarter_turns2d").group
        C_4
        >>> ls.symmetry_by_name("rotation2d+flip2d+scale2d").group
        SO(2)+scale2d+D_1
    """
    if "+" in name:
        return together([symmetry_by_name(part.strip()) for part in name.split("+")])
    if name in named:
        return named[name]()
    size = name.removeprefix("permutation")
    if name.startswith("permutation") and size.isdecimal() and len(size) < 10 and int(size) > 0:
        return permutation(int(size))
    raise ValueError(
        f"symmetry: got {shown(name)}, must be one of {', '.join(named)} or permutation<n>, or several with + between"
    )


Part = tuple[Group, Action]


def together(symmetries: Sequence[Symmetry]) -> Symmetry:
    """The symmetry that holds where all of the given ones do: that of the group they generate.

    Moves of the plane are joined into one group of matrices (see `groups.Join`), since they do not commute. Changes of
    colour commute with them and are further factors of a product; brightness and contrast do so only where the border
    of an image is repeated, which is then what moves do, instead of filling in zeros.

    Args:
        symmetries: of images; or one of any kind.

    Raises:
        ValueError: when they are about different kinds of data, or their outputs move differently.

    Example:
        >>> several = ls.symmetry.together([ls.symmetry.rotation2d(), ls.symmetry.flip2d(), ls.symmetry.colour()])
        >>> several.name
        'O(2) x colour'
    """
    first = symmetries[0]
    if all(symmetry == first for symmetry in symmetries):
        return first
    if any(symmetry != symmetry.of_tensors for symmetry in symmetries):
        return _of_one_part(symmetries)
    parts = [part for symmetry in symmetries for part in parts_of(symmetry)]
    outputs = {symmetry.on_output for symmetry in symmetries}
    coloured = any(not isinstance(action, actions.Image) for _, action in parts)
    if len(outputs) > 1 or (coloured and outputs != {Invariant()}):
        raise ValueError(
            f"symmetry: the outputs of {_names(symmetries)} move differently; join those with invariant outputs, or "
            "make one Symmetry of their group with the action of your outputs"
        )
    factors = [*_moves(parts, symmetries), *_colours(parts)]
    if len(factors) == 1:
        return Symmetry(*factors[0], first.on_output)
    group = groups.Product(*[group for group, _ in factors if isinstance(group, MatrixGroup)])
    sizes = tuple(group.n for group, _ in factors)
    return Symmetry(group, actions.Product(tuple(action for _, action in factors), sizes), first.on_output)


def _of_one_part(symmetries: Sequence[Symmetry]) -> Symmetry:
    places = {(symmetry.on_input.part.key, symmetry.on_output.part.key) for symmetry in symmetries}
    if len(places) > 1:
        raise ValueError(
            f"symmetry: {_names(symmetries)} are about different parts of inputs or outputs; join those of one part"
        )
    return together([symmetry.of_tensors for symmetry in symmetries]).at(*places.pop())


def parts_of(symmetry: Symmetry) -> list[Part]:
    """The groups of a symmetry that act independently, each with its action on inputs."""
    action = symmetry.on_input
    if isinstance(action, actions.Product):
        return list(zip(getattr(symmetry.group, "factors", ()), action.actions, strict=True))
    return [(symmetry.group, action)]


def _moves(parts: list[Part], symmetries: Sequence[Symmetry]) -> list[Part]:
    if not all(isinstance(action, actions.Image | actions.Channels | actions.RGB) for _, action in parts):
        raise ValueError(
            f"symmetry: {_names(symmetries)} do not go together, since they are not all of images; name one that holds "
            "the others, such as e3 for so3 and o3, or learn them one by one"
        )
    planar = [(group, action) for group, action in parts if isinstance(action, actions.Image)]
    if not planar:
        return []
    warps = {action for _, action in planar}
    if any(isinstance(action, actions.Channels) for _, action in parts):
        warps = {replace(action, padding="border") for action in warps}
    if len(warps) > 1:
        raise ValueError(
            f"symmetry: {_names(symmetries)} warp images differently; give all the same mode and padding of Image"
        )
    return [(groups.Join(*[group for group, _ in planar if isinstance(group, MatrixGroup)]), warps.pop())]


def _colours(parts: list[Part]) -> list[Part]:
    return list(dict.fromkeys(part for part in parts if not isinstance(part[1], actions.Image)))


def _names(symmetries: Sequence[Symmetry]) -> str:
    return ", ".join(dict.fromkeys(symmetry.name for symmetry in symmetries))


def _image(group: Group, on_output: Action | None) -> Symmetry:
    return Symmetry(group, actions.Image(), on_output or Invariant())


def _points(group: Group, vectors: int, scalars: int, on_output: Action | None) -> Symmetry:
    return Symmetry(group, actions.PointCloud(vectors, scalars), on_output or Invariant())
