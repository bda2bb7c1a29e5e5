"""The action on several parts of structured data at once."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions.on import On
from learnsym.groups import Group
from learnsym.parts import Part, Whole


@dataclass(frozen=True)
class Jointly(Action):
    """Several parts of a structure moved by the same element, and all else stays, such as positions with their cell.

    Args:
        parts: the action on each part; random elements are as many, of the precision, and where the first one is.

    Raises:
        ValueError: for fewer than two parts, or one part twice.

    Example:
        >>> crystal = ls.actions.Jointly(
        ...     (ls.actions.On("x", ls.actions.PointCloud()), ls.actions.On("cell", ls.actions.Cell()))
        ... )
        >>> symmetry = ls.Symmetry(ls.groups.O3(), crystal)
        >>> volume = lambda atoms: atoms["cell"].det().abs()
        >>> atoms = {"x": torch.rand(4, 5, 3), "cell": torch.eye(3) + torch.rand(4, 3, 3) / 5}
        >>> ls.measure.equivariance_error(volume, atoms, symmetry).mean < 1e-5
        True
    """

    parts: tuple[On, ...]

    def __post_init__(self) -> None:
        keys = [each.key for each in self.parts]
        if len(keys) < 2 or len(set(keys)) < len(keys):
            raise ValueError(f"parts: got those of {keys}, must be two or more, each once; give On alone for one part")

    @property
    def part(self) -> Part:
        """The first of the parts that move."""
        return self.parts[0].part

    @property
    def within(self) -> Action:
        """There is no action on one tensor: to move one part alone would be another statement.

        Raises:
            ValueError: always.
        """
        keys = " and ".join(each.key for each in self.parts)
        raise ValueError(
            f"symmetry: moves {keys} together, and one tensor moves here; take measure.equivariance_error, or a "
            "symmetry of one part"
        )

    def __call__(self, g: Float[Tensor, "B n n"], x: Whole) -> Whole:
        """The same structure with its parts moved."""
        for each in self.parts:
            x = each(g, x)
        return x

    def check(self, group: Group) -> None:
        """Every action must fit."""
        for each in self.parts:
            each.check(group)

    def check_data(self, group: Group, x: Whole) -> None:
        """The parts must be there, and fit their actions."""
        for each in self.parts:
            each.check_data(group, x)
