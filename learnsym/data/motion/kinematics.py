"""Forward kinematics: where the joints are when the angles are known.

Legend of axes: `T` frames, `C` channels, `J` joints.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.motion.skeleton import Bone, Skeleton

AXES = "xyz"


def joint_positions(skeleton: Skeleton, motion: Float[Tensor, "T C"]) -> Float[Tensor, "T J 3"]:
    """Positions of all joints in all frames, in metres; y is up.

    With the frame `A_i` in which bone `i` turns, its rotation `M_i` and its resting offset `o_i`, down the skeleton
    from parent `p` to child `i`::

        G_i = G_p A_i M_i A_i^-1,    x_i = x_p + G_i o_i

    Args:
        skeleton: the bones, see `read_asf`.
        motion: channels in the order of the skeleton, see `read_amc`: translations in units of the file, angles in
            degrees.

    Raises:
        ValueError: when the number of channels is not that of the skeleton.
    """
    if motion.shape[-1] != skeleton.channels:
        raise ValueError(f"motion: got {motion.shape[-1]} channels, must be {skeleton.channels}; give its own skeleton")
    turned: dict[int, Tensor] = {-1: torch.eye(3, dtype=motion.dtype, device=motion.device)}
    placed: dict[int, Tensor] = {-1: motion.new_zeros(len(motion), 3)}
    for i in skeleton.downwards:
        bone = skeleton.bones[i]
        channels = motion[:, skeleton.columns[bone.name]]
        A = rotation(motion.new_tensor(bone.axis).expand(len(motion), 3), bone.order)
        turned[i] = turned[bone.parent] @ A @ _own_rotation(bone, channels) @ A.mT
        offset = motion.new_tensor(bone.offset)
        # The offset of the root is the place from which it moves; it does not turn.
        step = offset + _translation(bone, channels) if bone.parent < 0 else turned[i] @ offset
        placed[i] = placed[bone.parent] + step
    return skeleton.metres * torch.stack([placed[i] for i in range(len(skeleton.bones))], 1)


def rotation(angles: Float[Tensor, "T k"], order: str) -> Float[Tensor, "T 3 3"]:
    """Rotations about fixed axes, the first letter of `order` first, by angles in degrees.

    Example:
        >>> ls.data.motion.rotation(torch.tensor([[90.0]]), "y")[0].round() @ torch.tensor([0.0, 0.0, 1.0])
        tensor([1., 0., 0.])
    """
    total = torch.eye(3, dtype=angles.dtype, device=angles.device).expand(len(angles), 3, 3)
    for axis, angle in zip(order, torch.deg2rad(angles).unbind(-1), strict=True):
        total = _about(AXES.index(axis), angle) @ total
    return total


def bone_lengths(positions: Float[Tensor, "T J 3"], parents: tuple[int, ...]) -> Float[Tensor, "T J-1"]:
    """Distance of each joint but the root from its parent; a body keeps them."""
    ends = torch.tensor(parents[1:], device=positions.device)
    return (positions[:, 1:] - positions[:, ends]).norm(dim=-1)


def _about(axis: int, angle: Float[Tensor, " T"]) -> Float[Tensor, "T 3 3"]:
    i, j = (axis + 1) % 3, (axis + 2) % 3
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    entries = {(i, i): cos, (j, j): cos, (j, i): sin, (i, j): -sin, (axis, axis): zero + 1.0}
    flat = [entries.get((row, column), zero) for row in range(3) for column in range(3)]
    return torch.stack(flat, -1).unflatten(-1, (3, 3))


def _own_rotation(bone: Bone, channels: Float[Tensor, "T c"]) -> Float[Tensor, "T 3 3"]:
    turns = [k for k, channel in enumerate(bone.channels) if channel[0] == "r"]
    return rotation(channels[:, turns], "".join(bone.channels[k][1] for k in turns))


def _translation(bone: Bone, channels: Float[Tensor, "T c"]) -> Float[Tensor, "T 3"]:
    zero = channels.new_zeros(len(channels))
    given = {name[1]: channels[:, k] for k, name in enumerate(bone.channels) if name[0] == "t"}
    return torch.stack([given.get(axis, zero) for axis in AXES], -1)
