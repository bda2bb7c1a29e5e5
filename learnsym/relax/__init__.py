"""The degree of symmetry in the weights: layers between exactly equivariant and free."""

from learnsym.equivariant.twins import exact_twin, plain_twin
from learnsym.relax import points as points
from learnsym.relax import processes as processes
from learnsym.relax import sharing as sharing
from learnsym.relax.admissible.space import AdmissibleSpace
from learnsym.relax.admissible.spanned import Spanned, spanned_networks
from learnsym.relax.escnn.network import from_escnn, to_escnn
from learnsym.relax.factored import FactoredMap
from learnsym.relax.gain import Gain, GainedLayer, gained_layers, truncate
from learnsym.relax.grid_maps import ConvMap, DenseMap
from learnsym.relax.grid_pathway import GridPathway
from learnsym.relax.interpolation import Interpolation
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.relax.likelihood.posterior import NormalPosterior, bayesian_likelihood, kl_along_depth
from learnsym.relax.likelihood.reading import cell_masses, coverage_degrees, planted_masses
from learnsym.relax.likelihood.start import peaked
from learnsym.relax.partial.arc import LearnedArc
from learnsym.relax.partial.elements import LearnedElements
from learnsym.relax.partial.range import PartialRange, increase_along_depth, partial_ranges
from learnsym.relax.partial_group_conv import PartialGroupConv, PartialMean
from learnsym.relax.polyphase import polyphase
from learnsym.relax.probabilistic import Certificate, ProbabilisticSteerableConv, certificates, likelihoods
from learnsym.relax.projected_layer import ProjectedLayer
from learnsym.relax.relaxed_group_conv import RelaxedGroupConv2d
from learnsym.relax.relaxed_steerable_conv import RelaxedSteerableConv
from learnsym.relax.relaxed_translation_conv import RelaxedTranslationConv
from learnsym.relax.residual_pathway import ResidualPathway
from learnsym.relax.scaled_pathway import ScaledPathway
from learnsym.relax.softness.dials import FixedSoftness, LearnedSoftness
from learnsym.relax.softness.masks import hard_mask, smooth_mask
from learnsym.relax.softness.moved_entries import KernelPixels, MapEntries, TokenGrid
from learnsym.relax.softness.moved_kernels import FieldKernel, FlatPixels
from learnsym.relax.softness.places import moved_parameters
from learnsym.relax.softness.softened import Softened
from learnsym.relax.sparsified import SparsifiedConv, SparsifiedMap
from learnsym.relax.stream_posterior import StreamPosterior, stream_posterior
from learnsym.relax.streams import Streams
from learnsym.relax.variational_pathway import VariationalPathway

__all__ = [
    "AdmissibleSpace",
    "Certificate",
    "ConvMap",
    "DenseMap",
    "FactoredMap",
    "FieldKernel",
    "FixedSoftness",
    "FlatPixels",
    "Gain",
    "GainedLayer",
    "GridPathway",
    "Interpolation",
    "KernelPixels",
    "LearnedArc",
    "LearnedElements",
    "LearnedSoftness",
    "Likelihood",
    "MapEntries",
    "NormalPosterior",
    "PartialGroupConv",
    "PartialMean",
    "PartialRange",
    "ProbabilisticSteerableConv",
    "ProjectedLayer",
    "RelaxedGroupConv2d",
    "RelaxedSteerableConv",
    "RelaxedTranslationConv",
    "ResidualPathway",
    "ScaledPathway",
    "Softened",
    "Spanned",
    "SparsifiedConv",
    "SparsifiedMap",
    "StreamPosterior",
    "Streams",
    "TokenGrid",
    "VariationalPathway",
    "bayesian_likelihood",
    "cell_masses",
    "certificates",
    "coverage_degrees",
    "exact_twin",
    "from_escnn",
    "gained_layers",
    "hard_mask",
    "increase_along_depth",
    "kl_along_depth",
    "likelihoods",
    "moved_parameters",
    "partial_ranges",
    "peaked",
    "plain_twin",
    "planted_masses",
    "polyphase",
    "smooth_mask",
    "spanned_networks",
    "stream_posterior",
    "to_escnn",
    "truncate",
]
