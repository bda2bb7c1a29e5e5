"""Measures: how symmetric a trained network is, what labels tolerate, and how far the data cover an orbit."""

from __future__ import annotations

import importlib
from typing import Any

from learnsym.distributions import Quadrature
from learnsym.measure.breaking.asymmetry import Asymmetry, asymmetry, orbit_asymmetry
from learnsym.measure.breaking.useful_asymmetry import UsefulAsymmetry, useful_asymmetry
from learnsym.measure.certified.certificates import Certificates, GeneratorCertificate
from learnsym.measure.certified.certify import certify_generators
from learnsym.measure.certified.network import certify_model
from learnsym.measure.certified.pairs import GeneratorPairs
from learnsym.measure.closure import closure_test
from learnsym.measure.config import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.measure.departure import Exactness, exactness_test
from learnsym.measure.discovery.basis import LearnedBasis, learned_basis, move_errors
from learnsym.measure.discovery.candidate import GeneratorCandidate
from learnsym.measure.discovery.discover import Discovery, discover_generators
from learnsym.measure.discovery.latent import LatentSymmetry, latent_symmetry
from learnsym.measure.discovery.local import ChartBasis, LocalBasis, local_basis
from learnsym.measure.dynamics.compatibility import Compatibility, compatibility
from learnsym.measure.dynamics.distance import EquivarianceDistance, distance_to_equivariance
from learnsym.measure.dynamics.parametrisation import Parametrisation, parametrisation
from learnsym.measure.dynamics.stability import Stability, stability
from learnsym.measure.equation.certify import certify_equation
from learnsym.measure.equation.jets import Jets, jets_of_grid
from learnsym.measure.equation.surrogate import certify_surrogate, equation_defects
from learnsym.measure.equation.symmetries import EquationSymmetries, PointGenerator
from learnsym.measure.equivariance_error import equivariance_error, interpolation_floor
from learnsym.measure.exactness import (
    Break,
    ExactSizes,
    SizeVerdict,
    exact_sizes,
    next_exact_size,
    pad_to_exact,
    strided_is_exact,
    warn_if_inexact,
)
from learnsym.measure.exchange.classes import Exchangeability
from learnsym.measure.exchange.exchangeability import exchangeability
from learnsym.measure.finite.effective_invariance import PredictionInvariance, consistency, effective_invariance
from learnsym.measure.finite.error_curve import ErrorCurve, error_curve
from learnsym.measure.finite.g_eed import EquivarianceDeviation, g_eed
from learnsym.measure.finite.layer_scores import LayerScore, LayerScores, layer_scores
from learnsym.measure.finite.pixel_shifts import pixel_shifts
from learnsym.measure.finite.remul_errors import RemulErrors, remul_errors
from learnsym.measure.flow.distance import sample_distance, sample_modes
from learnsym.measure.flow.flow import FlowSample, GroupFlow, group_flow
from learnsym.measure.irrep_content import IrrepContent, irrep_content
from learnsym.measure.lie.attribution import Attribution, Contribution, attribute
from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.local_error import LocalError, LocalErrors, local_equivariance_error
from learnsym.measure.lie.own_floor import own_floor
from learnsym.measure.lie.residual_axis import ResidualAxis, residual_axis
from learnsym.measure.merging.merge import MergeBarrier, merge_barrier, merge_barrier_between
from learnsym.measure.pose.closure import Closure, closure_of
from learnsym.measure.pose.inference import pose_posterior
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.space import SpacePosePosterior, space_pose_posterior
from learnsym.measure.potential import PotentialErrors, Quantity, potential
from learnsym.measure.task_extent import TaskExtent, task_extent
from learnsym.measure.twirl import TwirlDecomposition, twirl
from learnsym.measure.world import Retrieval, distance_invariance_error, latent_equivariance_error, ranks, retrieval
from learnsym.statistics import (
    Estimate,
    Interval,
    PairedDifference,
    VarianceComponents,
    bootstrap_interval,
    paired_difference,
    ratio_of_means,
    student_interval,
    variance_components,
)

__all__ = [
    "AnalysisConfig",
    "Asymmetry",
    "Attribution",
    "Break",
    "Certificates",
    "ChartBasis",
    "Closure",
    "Compatibility",
    "Contribution",
    "Discovery",
    "EquationSymmetries",
    "EquivarianceDeviation",
    "EquivarianceDistance",
    "ErrorCurve",
    "Estimate",
    "ExactSizes",
    "Exactness",
    "Exchangeability",
    "FlowSample",
    "GeneratorCandidate",
    "GeneratorCertificate",
    "GeneratorPairs",
    "GroupFlow",
    "Interval",
    "IrrepContent",
    "Jets",
    "LatentSymmetry",
    "LayerScore",
    "LayerScores",
    "Layout",
    "LearnedBasis",
    "LocalBasis",
    "LocalError",
    "LocalErrors",
    "MergeBarrier",
    "PairedDifference",
    "Parametrisation",
    "PointGenerator",
    "PoseConfig",
    "PosePosterior",
    "PotentialErrors",
    "PredictionInvariance",
    "Quadrature",
    "Quantity",
    "RemulErrors",
    "ResidualAxis",
    "Retrieval",
    "SizeVerdict",
    "SpacePosePosterior",
    "Stability",
    "TaskExtent",
    "TaskExtentConfig",
    "TwirlDecomposition",
    "UsefulAsymmetry",
    "VarianceComponents",
    "asymmetry",
    "attribute",
    "bootstrap_interval",
    "card",  # pyright: ignore[reportUnsupportedDunderAll]  resolved below
    "certify_equation",
    "certify_generators",
    "certify_model",
    "certify_surrogate",
    "closure_of",
    "closure_test",
    "compatibility",
    "consistency",
    "discover_generators",
    "distance_invariance_error",
    "distance_to_equivariance",
    "effective_invariance",
    "equation_defects",
    "equivariance_error",
    "error_curve",
    "exact_sizes",
    "exactness_test",
    "exchangeability",
    "g_eed",
    "group_flow",
    "interpolation_floor",
    "irrep_content",
    "jets_of_grid",
    "latent_equivariance_error",
    "latent_symmetry",
    "layer_scores",
    "learned_basis",
    "local_basis",
    "local_equivariance_error",
    "merge_barrier",
    "merge_barrier_between",
    "move_errors",
    "next_exact_size",
    "orbit_asymmetry",
    "own_floor",
    "pad_to_exact",
    "paired_difference",
    "parametrisation",
    "pixel_shifts",
    "pose_posterior",
    "potential",
    "ranks",
    "ratio_of_means",
    "remul_errors",
    "residual_axis",
    "retrieval",
    "sample_distance",
    "sample_modes",
    "space_pose_posterior",
    "stability",
    "strided_is_exact",
    "student_interval",
    "task_extent",
    "twirl",
    "useful_asymmetry",
    "variance_components",
    "warn_if_inexact",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """`card` on first use: it is all measures on one page, and pages stand below measures."""
    if name != "card":
        raise AttributeError(f"module 'learnsym.measure' has no attribute {name!r}")
    return importlib.import_module("learnsym.report.card.call").card
