"""Local frames of pairs of points: vectors become scalars and scalars vectors, with no tensor between.

The frame of a pair is made of the positions from the centroid, `x_i` and `x_j`, with `s(y) = y / (1 + |y|²)^(1/2)`:

    a = s(x_i - x_j),    b = s(x_i × x_j),    c = a × b.

`s` is smooth everywhere, so the frame fades to zero instead of jumping where it has no direction: `a`, `b` and `c` for
coincident points, `b` and `c` when both points and the centroid are on one line, as two points alone always are, and as
any point with one in the centroid. Its vectors are orthogonal and shorter than 1; lengths below 1 (in the units of the
data) shrink them.

A rotation turns all three. A reflection `R` takes `a` to `R a` and `c` to `R c` but `b`, a pseudovector, to `-R b`.

Legend of axes: `B` clouds, `N` points, `V` vectors, `P` components in the plane of `a` and `c`, `Q` components along
`b`, `A` axes, `K` vectors that are made.
"""

from __future__ import annotations

import abc
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import E3, SE3, Group
from learnsym.nets.points.pairs import differences, soft_unit


def local_frames(x: Float[Tensor, "B N 3"]) -> Float[Tensor, "B N N 3 3"]:
    """`a`, `b`, `c` of all pairs, as rows; 0 on the diagonal.

    Args:
        x: positions from the centroid.
    """
    a = soft_unit(differences(x))
    b = soft_unit(torch.linalg.cross(x.unsqueeze(2), x.unsqueeze(1)))
    return torch.stack([a, b, torch.linalg.cross(a, b)], -2)


class Components(NamedTuple):
    """Components of the vectors of both points of a pair in its frame."""

    plane: Float[Tensor, "B N N P"]
    """Along `a` and `c`: a reflection keeps them."""
    normal: Float[Tensor, "B N N Q"]
    """Along `b`: a reflection changes their sign."""


def components(
    frames: Float[Tensor, "B N N 3 3"], x: Float[Tensor, "B N 3"], vectors: Float[Tensor, "B N V 3"]
) -> Components:
    """Components of the positions and vectors of both points; positions have none along `b`.

    Returns:
        `P = 4 (1 + V)` and `Q = 2 V` numbers per pair.
    """
    u = torch.cat([x.unsqueeze(2), vectors], 2)
    both = torch.cat([_project(frames, u), _project(frames.transpose(1, 2), u).transpose(1, 2)], -1)
    first, second = both[..., 1, 1 : u.shape[2]], both[..., 1, u.shape[2] + 1 :]
    return Components(both[..., ::2, :].flatten(-2), torch.cat([first, second], -1))


def _project(frames: Tensor, u: Tensor) -> Tensor:
    """`(B, N, N, 3, V)`: of each vector of point `i` in the frames `(i, j)` of all `j`."""
    return (frames.flatten(2, 3) @ u.mT).unflatten(2, frames.shape[2:4])


def pseudo_angle(x: Float[Tensor, "B N 3"]) -> Float[Tensor, "B N N 2"]:
    """Soft cosine and sine of the angle between `x_i` and `x_j`: `x_i·x_j` and `b·(x_i × x_j)`, both over
    `((1 + |x_i|²)(1 + |x_j|²))^(1/2)`.

    The square root of `1 - cos²` would do for the sine, but its slope has no bound on a line.
    """
    y = soft_unit(x)
    cross = torch.linalg.cross(y.unsqueeze(2), y.unsqueeze(1))
    cos = (y.unsqueeze(2) * y.unsqueeze(1)).sum(-1)
    return torch.stack([cos, (soft_unit(cross) * cross).sum(-1)], -1)


class Frames(abc.ABC):
    """Which scalars and which axes of a frame are used, and so the group that keeps them."""

    group: Group

    @abc.abstractmethod
    def scalar_count(self, vectors: int) -> int:
        """Number of scalars."""

    @abc.abstractmethod
    def axis_count(self, vectors: int) -> int:
        """Number `A` of axes."""

    @abc.abstractmethod
    def scalars(self, parts: Components) -> Float[Tensor, "B N N S"]:
        """Scalarisation: numbers per pair that the group keeps."""

    @abc.abstractmethod
    def axes(self, frames: Float[Tensor, "B N N 3 3"], vectors: Float[Tensor, "B N V 3"]) -> Float[Tensor, "B N N A 3"]:
        """Vectorisation: axes that the group turns; their combinations are the vectors that can be made."""


class CompleteFrames(Frames):
    """All components and all three axes: nothing is lost, and reflections are broken (SE(3))."""

    def __init__(self) -> None:
        self.group = SE3()

    def scalar_count(self, vectors: int) -> int:
        """`P + Q`."""
        return 4 + 6 * vectors

    def axis_count(self, vectors: int) -> int:
        """The three vectors of the frame."""
        return 3

    def scalars(self, parts: Components) -> Float[Tensor, "B N N S"]:
        """The components."""
        return torch.cat(parts, -1)

    def axes(self, frames: Float[Tensor, "B N N 3 3"], vectors: Float[Tensor, "B N V 3"]) -> Float[Tensor, "B N N A 3"]:
        """The frame."""
        return frames


class MirrorFrames(Frames):
    """Even combinations only: a reflection changes the sign of `b`, and no scalar and no axis notices (E(3)).

    Components `q` along `b` enter scalars as their products `q_s q_t`, and axes as `q_s b`. Lost is the common sign of
    all `q` of a pair, which is what tells it from its mirror image; and with no vectors at all, as for molecules, every
    vector that a pair makes is in the plane of both points and the centroid.
    """

    def __init__(self) -> None:
        self.group = E3()

    def scalar_count(self, vectors: int) -> int:
        """`P` and the products of `Q` components."""
        return 4 + 4 * vectors + vectors * (2 * vectors + 1)

    def axis_count(self, vectors: int) -> int:
        """`a`, `c` and `q_s b`."""
        return 2 + 2 * vectors

    def scalars(self, parts: Components) -> Float[Tensor, "B N N S"]:
        """Components in the plane, and products of the others."""
        q = parts.normal
        return torch.cat([parts.plane, *[q[..., s : s + 1] * q[..., s:] for s in range(q.shape[-1])]], -1)

    def axes(self, frames: Float[Tensor, "B N N 3 3"], vectors: Float[Tensor, "B N V 3"]) -> Float[Tensor, "B N N A 3"]:
        """`a`, `c`, and `b` times its products with the vectors of both points."""
        b = frames[..., 1, :]
        first = _along(b, vectors)
        second = _along(b.transpose(1, 2), vectors).transpose(1, 2)
        return torch.cat([frames[..., ::2, :], torch.cat([first, second], -1).unsqueeze(-1) * b.unsqueeze(-2)], -2)


def _along(b: Tensor, vectors: Tensor) -> Tensor:
    """`(B, N, N, V)`: `b_ij · v_i`."""
    return b @ vectors.mT
