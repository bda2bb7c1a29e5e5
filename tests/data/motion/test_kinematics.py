"""Joints are where a chain of rotations puts them; a rigid motion of the root moves all of them."""

import math

import pytest
import torch

from learnsym.data.motion import Bone, Skeleton, bone_lengths, joint_positions, rotation
from learnsym.groups import AxialSO2

REST = (0.0, 0.0, 0.0)
ROOT = Bone("root", (0.0, 1.0, 0.0), REST, "xyz", ("tx", "ty", "tz", "rx", "ry", "rz"))
CHAIN = Skeleton(
    (
        ROOT,
        Bone("fore", (0.0, 3.0, 0.0), (90.0, 0.0, 0.0), "xyz", ("rx", "ry", "rz"), 2),  # named before its parent
        Bone("upper", (2.0, 0.0, 0.0), (10.0, 20.0, 30.0), "zyx", ("rz",), 0),
        Bone("stiff", (0.0, 0.0, 1.0), (40.0, 0.0, 0.0), "xyz", (), 1),
    ),
    length=0.0254,
)


def draw(frames=5):
    motion = 40.0 * torch.randn(frames, CHAIN.channels, dtype=torch.float64)
    motion[:, :3] /= 40.0
    return motion


def test_rest_and_one_bend():
    skeleton = Skeleton((ROOT, Bone("arm", (2.0, 0.0, 0.0), REST, "xyz", ("rz",), 0)), length=0.0254)
    motion = torch.zeros(2, 7, dtype=torch.float64)
    motion[1, 6] = 90.0
    expected = torch.tensor([[[0.0, 1, 0], [2, 1, 0]], [[0, 1, 0], [0, 3, 0]]], dtype=torch.float64)
    torch.testing.assert_close(joint_positions(skeleton, motion), expected)


def test_agrees_with_a_loop_over_frames_and_bones():
    motion = draw()
    found = joint_positions(CHAIN, motion)
    for t in range(len(motion)):
        for i in range(len(CHAIN.bones)):
            torch.testing.assert_close(found[t, i], _slow(motion[t], i)[1])


def _slow(frame, i):
    """Rotation and place of one bone, up the chain."""
    bone = CHAIN.bones[i]
    values = dict(zip(bone.channels, frame[CHAIN.columns[bone.name]].tolist(), strict=True))
    own = torch.eye(3, dtype=torch.float64)
    for name, value in values.items():
        own = (_matrix(name[1], value) @ own) if name[0] == "r" else own
    A = torch.eye(3, dtype=torch.float64)
    for letter, angle in zip(bone.order, bone.axis, strict=True):
        A = _matrix(letter, angle) @ A
    local = A @ own @ torch.linalg.inv(A)
    offset = torch.tensor(bone.offset, dtype=torch.float64)
    if bone.parent < 0:
        return local, offset + torch.tensor([values[f"t{axis}"] for axis in "xyz"], dtype=torch.float64)
    turned, place = _slow(frame, bone.parent)
    return turned @ local, place + turned @ local @ offset


def _matrix(letter, degrees):
    angle = torch.tensor([math.radians(degrees)], dtype=torch.float64)
    return AxialSO2("xyz".index(letter)).exp(angle[None])[0]


def test_rotation_turns_as_the_group_does():
    angles = torch.tensor([[30.0]], dtype=torch.float64)
    for i, axis in enumerate("xyz"):
        torch.testing.assert_close(rotation(angles, axis), AxialSO2(i).exp(torch.deg2rad(angles)))


def test_bones_keep_their_lengths():
    lengths = bone_lengths(joint_positions(CHAIN, draw()), CHAIN.parents)
    expected = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64).expand(5, 3)
    torch.testing.assert_close(lengths, expected)


def test_gradients_reach_every_channel():
    motion = draw(1).requires_grad_()
    joint_positions(CHAIN, motion)[:, 3].pow(3).sum().backward()
    assert motion.grad is not None and (motion.grad != 0).all()


def test_other_skeleton():
    with pytest.raises(ValueError, match=r"motion: got 3 channels, must be 10"):
        joint_positions(CHAIN, torch.zeros(1, 3))
