"""Nonlinear functions of fields that commute with a group."""

from learnsym.equivariant.nonlinearities.fourier import FourierNonlinearity
from learnsym.equivariant.nonlinearities.gated import Gated
from learnsym.equivariant.nonlinearities.norm import NormNonlinearity
from learnsym.equivariant.nonlinearities.pointwise import Pointwise

__all__ = ["FourierNonlinearity", "Gated", "NormNonlinearity", "Pointwise"]
