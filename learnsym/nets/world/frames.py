"""A world model whose latent state is a frame of SO(3), which actions turn.

Legend of axes: `B` examples, `P` numbers of a picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.mlp import MLP
from learnsym.nets.world.model import predicted
from learnsym.parts import Whole


def orthonormal(y: Float[Tensor, "B 6"]) -> Float[Tensor, "B 3 3"]:
    """The frame of two vectors by the method of Gram and Schmidt: columns `e_1`, `e_2` and `e_1 × e_2`.

    `e_1 = y_1 / |y_1|`, `e_2 ∝ y_2 - (y_2·e_1) e_1`. A rotation of both vectors turns the frame.
    """
    first = F.normalize(y[:, :3], dim=1)
    second = F.normalize(y[:, 3:] - (y[:, 3:] * first).sum(1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


class FrameEncoder(nn.Module):
    """A perceptron from a picture to nine numbers: a frame, or whatever nine numbers training makes.

    Args:
        size: `P`.
        width: units of its two hidden layers.
        frame: whether the numbers are a frame, of two vectors that the perceptron gives.
    """

    def __init__(self, size: int = 64, width: int = 128, frame: bool = True) -> None:
        super().__init__()
        self.frame = frame
        self.net = MLP(size, 6 if frame else 9, width=width, depth=2)

    def forward(self, x: Float[Tensor, "B P"]) -> Float[Tensor, "B 3 3"]:
        """The latent state."""
        y = self.net(x)
        return orthonormal(y) if self.frame else y.unflatten(1, (3, 3))


class Turn(nn.Module):
    """`T(z, a) = a z`, exactly equivariant where `g` moves frames to `g z` and actions to `g a g^-1`; no parameters."""

    def forward(self, z: Float[Tensor, "B 3 3"], action: Float[Tensor, "B 9"]) -> Float[Tensor, "B 3 3"]:
        """The turned frame."""
        return action.unflatten(1, (3, 3)) @ z


class FreeTurn(nn.Module):
    """`T(z, a) = z + perceptron(z, a)`, bound to no symmetry."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.net = MLP(18, 9, width=width, depth=2)

    def forward(self, z: Float[Tensor, "B 3 3"], action: Float[Tensor, "B 9"]) -> Float[Tensor, "B 3 3"]:
        """The latent state after the action."""
        return z + self.net(torch.cat([z.flatten(1), action], 1)).unflatten(1, (3, 3))


class FrameModel(nn.Module):
    """Latent states after a turn, predicted from the picture before and encoded from the picture after it.

    Args:
        encoder: pictures to latent states `(B, 3, 3)`.
        transition: latent states and actions to latent states.

    Reference: Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371, section on SO(3).

    Example:
        >>> transitions = ls.data.worlds.FrameWorld().transitions(2)
        >>> ls.nets.world.FrameModel()(transitions.inputs).shape
        torch.Size([2, 18])
    """

    def __init__(self, encoder: nn.Module | None = None, transition: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = FrameEncoder() if encoder is None else encoder
        self.transition = Turn() if transition is None else transition

    def forward(self, x: Whole) -> Float[Tensor, "B 18"]:
        """`(T(z, a), z')`, of inputs with the parts `before`, `action` and `after`."""
        return predicted(self.encoder, self.transition, x)
