"""Worlds with actions: objects pushed on a grid, and a frame turned in space, whose symmetry is known."""

from learnsym.data.worlds.frames import FrameWorld, small_turns
from learnsym.data.worlds.grid import DIRECTIONS, GridWorld, Rollouts
from learnsym.data.worlds.sources import SOURCES
from learnsym.data.worlds.views import Blocks, Shapes, View

__all__ = ["DIRECTIONS", "SOURCES", "Blocks", "FrameWorld", "GridWorld", "Rollouts", "Shapes", "View", "small_turns"]
