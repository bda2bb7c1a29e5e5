"""Motion capture: skeletons, joint angles, where the joints are, and windows of a person walking or running."""

from learnsym.data.motion.amc import read_amc
from learnsym.data.motion.asf import read_asf
from learnsym.data.motion.heading import Headings, heading_statistics, headings, turn, turn_to
from learnsym.data.motion.kinematics import bone_lengths, joint_positions, rotation
from learnsym.data.motion.run import RUN, run_recordings
from learnsym.data.motion.skeleton import Bone, Skeleton
from learnsym.data.motion.walk import WALK, WALK_SHORT, recordings
from learnsym.data.motion.windows import Windows, layout, windows

SOURCES = (WALK, WALK_SHORT, RUN)

__all__ = [
    "SOURCES",
    "Bone",
    "Headings",
    "Skeleton",
    "Windows",
    "bone_lengths",
    "heading_statistics",
    "headings",
    "joint_positions",
    "layout",
    "read_amc",
    "read_asf",
    "recordings",
    "rotation",
    "run_recordings",
    "turn",
    "turn_to",
    "windows",
]
