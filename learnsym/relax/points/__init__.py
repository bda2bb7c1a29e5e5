"""Relaxed networks on point clouds: any exact network, with inputs that single out directions, places or nodes."""

from learnsym.relax.points.absolute_coordinates import AbsoluteCoordinates
from learnsym.relax.points.extras import WithoutExtras
from learnsym.relax.points.fixed_inputs import FixedInputs
from learnsym.relax.points.node_identifiers import NodeIdentifiers
from learnsym.relax.points.one_hot_identifiers import OneHotIdentifiers

__all__ = ["AbsoluteCoordinates", "FixedInputs", "NodeIdentifiers", "OneHotIdentifiers", "WithoutExtras"]
