"""Approximately equivariant neural processes: exact ones, with fixed functions of location as extra inputs."""

from learnsym.relax.processes.approximate import ApproximateProcess
from learnsym.relax.processes.coordinates import WithCoordinates
from learnsym.relax.processes.fixed_functions import FixedFunctions

__all__ = ["ApproximateProcess", "FixedFunctions", "WithCoordinates"]
