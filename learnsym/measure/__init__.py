"""Measures: how symmetric a trained network is, what labels tolerate, and how far the data cover an orbit."""

from learnsym.measure.closure_test import closure_test
from learnsym.measure.config import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.measure.equivariance_error import equivariance_error, interpolation_floor
from learnsym.measure.estimate import Estimate
from learnsym.measure.pose.closure import Closure, closure_of
from learnsym.measure.pose.inference import pose_posterior
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.space import SpacePosePosterior, space_pose_posterior
from learnsym.measure.task_extent import TaskExtent, task_extent

__all__ = [
    "AnalysisConfig",
    "Closure",
    "Estimate",
    "PoseConfig",
    "PosePosterior",
    "SpacePosePosterior",
    "TaskExtent",
    "TaskExtentConfig",
    "closure_of",
    "closure_test",
    "equivariance_error",
    "interpolation_floor",
    "pose_posterior",
    "space_pose_posterior",
    "task_extent",
]
