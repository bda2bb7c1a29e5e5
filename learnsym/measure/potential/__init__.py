"""How far an interatomic potential, any calculator of ASE, is from rotations and reflections."""

from learnsym.measure.potential.errors import PotentialErrors, Quantity
from learnsym.measure.potential.potential import potential

__all__ = ["PotentialErrors", "Quantity", "potential"]
