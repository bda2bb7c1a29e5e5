"""Worlds with actions, whose symmetry is known: objects pushed on a grid, an arm, and a frame turned in space."""

from learnsym.data.worlds.frames import FrameWorld, small_turns
from learnsym.data.worlds.grid import DIRECTIONS, GridWorld, Rollouts
from learnsym.data.worlds.reacher import Reacher
from learnsym.data.worlds.sources import SOURCES
from learnsym.data.worlds.views import Blocks, Shapes, View

__all__ = [
    "DIRECTIONS",
    "SOURCES",
    "Blocks",
    "FrameWorld",
    "GridWorld",
    "Reacher",
    "Rollouts",
    "Shapes",
    "View",
    "small_turns",
]
