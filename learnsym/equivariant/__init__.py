"""Exactly equivariant layers: the end of the line where all symmetry holds."""

from learnsym.equivariant.ball_mask import BallMask
from learnsym.equivariant.constant import Basis, Constant
from learnsym.equivariant.e3nn_irreps import e3nn_basis, e3nn_of_fields, fields_of_e3nn
from learnsym.equivariant.escnn_fields import escnn_symmetry, field_type_of
from learnsym.equivariant.feature_field import FeatureField
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.free_conv import FreeConv
from learnsym.equivariant.integration.kernel import IntegrationKernel
from learnsym.equivariant.integration.layer import InvariantIntegration
from learnsym.equivariant.integration.monomials import Monomials
from learnsym.equivariant.integration.sums import PointwiseMLP, WeightedSums
from learnsym.equivariant.invariant_pool import InvariantPool
from learnsym.equivariant.lattice.conv import GroupConv2d
from learnsym.equivariant.lattice.orbits import group_kernel, kernel_orbits
from learnsym.equivariant.linear import EquivariantLinear
from learnsym.equivariant.nonlinearities import FourierNonlinearity, Gated, NormNonlinearity, Pointwise
from learnsym.equivariant.normalisation import FieldBatchNorm
from learnsym.equivariant.orbit_invariants import OrbitInvariants
from learnsym.equivariant.pooling import CosetPool
from learnsym.equivariant.projection import group_mean, kernel_distance, nearest_kernel, projected
from learnsym.equivariant.restrict import Restrict
from learnsym.equivariant.sequential import Sequential
from learnsym.equivariant.spatial_pools import AveragePool, GlobalAveragePool
from learnsym.equivariant.sphere import (
    HealpixTransform,
    S2Conv,
    S2Transform,
    SO3Conv,
    SO3Mean,
    SO3Norm,
    SO3Pointwise,
    SO3ToS2,
    SO3Transform,
)
from learnsym.equivariant.steerable.conv import SteerableConv
from learnsym.equivariant.subsampling.cosets import Cosets, cosets_of
from learnsym.equivariant.subsampling.exact_stride import ExactStride, exact_strides
from learnsym.equivariant.subsampling.index import PoseIndex
from learnsym.equivariant.subsampling.pose import LatticePose
from learnsym.equivariant.subsampling.restricted_conv import ExtendedConv2d, RestrictedConv2d
from learnsym.equivariant.subsampling.subsample import EquivariantSubsample2d, EquivariantUpsample2d

__all__ = [
    "AveragePool",
    "BallMask",
    "Basis",
    "Constant",
    "CosetPool",
    "Cosets",
    "EquivariantLinear",
    "EquivariantSubsample2d",
    "EquivariantUpsample2d",
    "ExactStride",
    "ExtendedConv2d",
    "FeatureField",
    "FieldBatchNorm",
    "FieldType",
    "FourierNonlinearity",
    "FreeConv",
    "Gated",
    "GlobalAveragePool",
    "GroupConv2d",
    "HealpixTransform",
    "IntegrationKernel",
    "InvariantIntegration",
    "InvariantPool",
    "LatticePose",
    "Monomials",
    "NormNonlinearity",
    "OrbitInvariants",
    "Pointwise",
    "PointwiseMLP",
    "PoseIndex",
    "Restrict",
    "RestrictedConv2d",
    "S2Conv",
    "S2Transform",
    "SO3Conv",
    "SO3Mean",
    "SO3Norm",
    "SO3Pointwise",
    "SO3ToS2",
    "SO3Transform",
    "Sequential",
    "SteerableConv",
    "WeightedSums",
    "cosets_of",
    "e3nn_basis",
    "e3nn_of_fields",
    "escnn_symmetry",
    "exact_strides",
    "field_type_of",
    "fields_of_e3nn",
    "group_kernel",
    "group_mean",
    "kernel_distance",
    "kernel_orbits",
    "nearest_kernel",
    "projected",
]
