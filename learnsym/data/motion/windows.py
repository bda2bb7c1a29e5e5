"""Windows of a recording: a body now, with its velocities, and the same body some frames later.

Legend of axes: `T` frames, `W` windows, `J` joints.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.actions import PointCloud


class Windows(NamedTuple):
    """Bodies and their future."""

    x: Float[Tensor, "W J F"]
    """In the layout `layout(J)`: positions in metres, velocities in metres per second, which joint it is."""
    y: Float[Tensor, "W J 3"]
    """Positions `horizon` frames later in metres, in the layout `PointCloud()`."""


def layout(joints: int) -> PointCloud:
    """What a body of `joints` joints carries: positions, one velocity, and a one-hot vector of which joint it is.

    Every body has the same joints: a network that treats all points alike needs to be told which is which.
    """
    return PointCloud(vectors=1, scalars=joints)


def windows(
    positions: Float[Tensor, "T J 3"], horizon: int, rate: float, starts: Int[Tensor, " W"] | None = None
) -> Windows:
    """Windows from frame `t` to frame `t + horizon` of one recording.

    Velocities are forward differences, `v_t = (p_{t+1} - p_t) rate`, as in Huang et al. (2022), "Equivariant Graph
    Mechanics Networks with Constraints", arXiv:2203.06442, where they are per frame.

    Args:
        positions: joints in metres, frame by frame.
        horizon: frames to look ahead.
        rate: frames per second.
        starts: frames at which windows start; None for all that fit.

    Raises:
        ValueError: when a window does not fit into the recording.

    Example:
        >>> x, y = ls.data.motion.windows(torch.arange(24.0).reshape(4, 2, 3), horizon=2, rate=30.0)
        >>> x.shape, bool((x[..., 3:6] == 180.0).all())
        (torch.Size([2, 2, 8]), True)
    """
    frames, joints, _ = positions.shape
    t = torch.arange(frames - max(horizon, 1)) if starts is None else starts
    if horizon < 1 or len(t) == 0 or int(t.min()) < 0 or int(t.max()) + horizon >= frames:
        raise ValueError(f"horizon: got {horizon}, must be >= 1 and less than the frames left, of {frames}; lower it")
    velocities = (positions[t + 1] - positions[t]) * rate
    which = torch.eye(joints, dtype=positions.dtype).expand(len(t), joints, joints)
    return Windows(layout(joints).join(positions[t], velocities[:, :, None], which), positions[t + horizon])


def gathered(parts: list[Windows]) -> Windows:
    """Windows of several recordings."""
    return Windows(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]))
