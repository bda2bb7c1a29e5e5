"""Periodic cells, and the tensors that belong to them.

Legend of axes: `B` examples.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_finite, check_floating, check_size, check_space
from learnsym.actions._linear import apply_linear
from learnsym.groups import Group

FLATTEST = 1e-6
"""A cell whose volume is less than this part of the product of its edges has none."""


@dataclass(frozen=True)
class Cell(Action):
    """Periodic cells `(B, 3, 3)`, one lattice vector a row: of `g = (R, t)` each row takes `R`, `a -> R a`.

    Positions and cell move together, see `Jointly`: with the cell left behind, images of atoms are somewhere else.

    Example:
        >>> quarter_turn = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
        >>> ls.actions.Cell()(quarter_turn, torch.diag(torch.tensor([2.0, 3.0, 4.0]))[None])[0, 0]
        tensor([0., 2., 0.])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each cell turned by its own element."""
        _check_shape(x, "one lattice vector a row")
        return apply_linear(g[..., :3, :3], x).to(x.dtype)

    def check(self, group: Group) -> None:
        """The group must act on space."""
        _check_group(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point cells with a volume; reads every value."""
        _check_shape(x, "one lattice vector a row")
        check_floating(x)
        check_finite(x)
        flat = x.double().det().abs() <= FLATTEST * x.double().norm(dim=-1).prod(-1)
        if flat.any():
            raise ValueError(
                f"x: the cell of example {int(flat.nonzero()[0])} has no volume, must have three independent rows; "
                "give molecules without a cell, or repair it"
            )


@dataclass(frozen=True)
class SymmetricTensor(Action):
    """Symmetric tensors of rank two `(B, 3, 3)`, such as stress or polarisability: `T -> R T Rᵀ` for `g = (R, t)`.

    Example:
        >>> quarter_turn = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
        >>> stress = torch.diag(torch.tensor([1.0, 2.0, 3.0]))[None]
        >>> ls.actions.SymmetricTensor()(quarter_turn, stress).diagonal(0, 1, 2)
        tensor([[2., 1., 3.]])
    """

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each tensor turned by its own element."""
        _check_shape(x, "a tensor of rank two")
        R = g[..., :3, :3]
        return apply_linear(R, apply_linear(R, x).mT).mT.to(x.dtype)

    def check(self, group: Group) -> None:
        """The group must act on space."""
        _check_group(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point symmetric tensors; reads every value."""
        _check_shape(x, "a tensor of rank two")
        check_floating(x)
        check_finite(x)
        askew = (x - x.mT).flatten(1).norm(dim=1) > 1e-3 * x.flatten(1).norm(dim=1)
        if askew.any():
            raise ValueError(
                f"x: the tensor of example {int(askew.nonzero()[0])} is not symmetric; give (x + x.mT) / 2, or look "
                "for exchanged entries"
            )


def _check_group(action: Action, group: Group) -> None:
    check_space(action, group, "space")
    check_size(action, group, 3)


def _check_shape(x: Tensor, what: str) -> None:
    if x.ndim != 3 or x.shape[1:] != (3, 3) or len(x) == 0:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, must be (B, 3, 3), {what}; six numbers in the order of Voigt, and cells "
            "of three lengths, are written out as matrices first"
        )
