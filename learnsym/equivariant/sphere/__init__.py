"""Convolutions of functions on the sphere and on SO(3), by their coefficients."""

from learnsym.equivariant.sphere.convs import S2Conv, SO3Conv, SO3ToS2
from learnsym.equivariant.sphere.functions import SO3Mean, SO3Norm, SO3Pointwise, resized
from learnsym.equivariant.sphere.healpix import HealpixTransform
from learnsym.equivariant.sphere.transforms import S2Transform, SO3Transform

__all__ = [
    "HealpixTransform",
    "S2Conv",
    "S2Transform",
    "SO3Conv",
    "SO3Mean",
    "SO3Norm",
    "SO3Pointwise",
    "SO3ToS2",
    "SO3Transform",
    "resized",
]
