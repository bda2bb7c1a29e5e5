"""Relaxed networks on point clouds: any exact network, with inputs that single out directions or places."""

from learnsym.relax.points.absolute_coordinates import AbsoluteCoordinates
from learnsym.relax.points.extras import WithoutExtras
from learnsym.relax.points.fixed_inputs import FixedInputs

__all__ = ["AbsoluteCoordinates", "FixedInputs", "WithoutExtras"]
