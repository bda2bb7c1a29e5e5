"""Data augmentation by the whole orbit: the loss on every example moved by every element of a finite group."""

from __future__ import annotations

from torch import Tensor

from learnsym.distributions import full_precision
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.moved_examples import Moved
from learnsym.objectives.regularised import Regularised
from learnsym.parts import Whole, examples
from learnsym.symmetry import SymmetryLike, as_symmetry


class FullOrbit(Regularised):
    """The loss on examples moved by all elements of a finite group, with their moved targets: the augmented risk.

        R_aug(f) = mean over g of  loss(f(g · x), g · y)

    The mean is over losses, so it is not the loss of the averaged network `augment.OrbitAveraged`: for a convex loss
    that orthogonal actions leave as it is, that one is at most `R_aug`; for others neither bounds the other. In
    evaluation the loss is that on the examples as they are.

    With `objectives.MovedExamples`, which draws one element for each example, the same holds in the mean over draws
    alone. If the parametrisation of the layers is orthonormal and compatible with the group, see
    `measure.compatibility`, gradient descent on `R_aug` of every batch leaves an equivariant network equivariant; on
    single draws it does not.

    Reference: Nordenfors, Ohlsson, Flinth, "Optimization dynamics of equivariant and augmented neural networks" (2023),
    arXiv 2303.13458.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        symmetry: how the elements of a finite group move inputs and targets; or its name.

    Raises:
        ValueError: for a group without a list of all of its elements.

    Example:
        >>> objective = ls.objectives.FullOrbit(ls.objectives.mse, "quarter_turns2d")
        >>> net, x, y = nn.Flatten(), torch.rand(2, 1, 3, 3), torch.rand(2, 9)
        >>> moved = torch.stack([(x.rot90(k, (2, 3)).flatten(1) - y).square().mean() for k in range(4)])
        >>> torch.allclose(objective(net, (x, y)).total, moved.mean())
        True
    """

    def __init__(self, loss_fn: LossFunction, symmetry: SymmetryLike) -> None:
        symmetry = as_symmetry(symmetry)
        if symmetry.group.order is None or symmetry.group.order != len(symmetry.group.components):
            raise ValueError(
                f"symmetry: got {symmetry.name}, must be of a finite group with a list of its elements, such as "
                "'quarter_turns2d'; take MovedExamples, which draws elements"
            )
        super().__init__(OnOrbit(loss_fn, symmetry, 1, None))


class OnOrbit(Moved):
    """The loss on examples moved by all elements, and nothing else: the task of `FullOrbit`."""

    def elements(self, x: Whole) -> Tensor:
        """All elements `(G, B, n, n)`, the same for every example."""
        statement = self.moves.statement
        moving = statement.moving(x)
        with full_precision(moving.device):
            g = statement.group.components.to(moving)
            return g[:, None].expand(-1, examples(x), -1, -1)
