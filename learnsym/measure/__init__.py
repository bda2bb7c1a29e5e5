"""Measures: how symmetric a trained network is, what labels tolerate, and how far the data cover an orbit."""

from learnsym.measure.closure_test import closure_test
from learnsym.measure.config import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.measure.equivariance_error import equivariance_error, interpolation_floor
from learnsym.measure.estimate import Estimate
from learnsym.measure.exactness import (
    Break,
    ExactSizes,
    SizeVerdict,
    exact_sizes,
    next_exact_size,
    pad_to_exact,
    strided_is_exact,
)
from learnsym.measure.pose.closure import Closure, closure_of
from learnsym.measure.pose.inference import pose_posterior
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.space import SpacePosePosterior, space_pose_posterior
from learnsym.measure.task_extent import TaskExtent, task_extent

__all__ = [
    "AnalysisConfig",
    "Break",
    "Closure",
    "Estimate",
    "ExactSizes",
    "PoseConfig",
    "PosePosterior",
    "SizeVerdict",
    "SpacePosePosterior",
    "TaskExtent",
    "TaskExtentConfig",
    "closure_of",
    "closure_test",
    "equivariance_error",
    "exact_sizes",
    "interpolation_floor",
    "next_exact_size",
    "pad_to_exact",
    "pose_posterior",
    "space_pose_posterior",
    "strided_is_exact",
    "task_extent",
]
