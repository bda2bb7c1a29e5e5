"""Measures: how symmetric a trained network is, what labels tolerate, and how far the data cover an orbit."""

from learnsym.measure.config import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.measure.equivariance_error import equivariance_error, interpolation_floor
from learnsym.measure.estimate import Estimate
from learnsym.measure.task_extent import TaskExtent, task_extent

__all__ = [
    "AnalysisConfig",
    "Estimate",
    "PoseConfig",
    "TaskExtent",
    "TaskExtentConfig",
    "equivariance_error",
    "interpolation_floor",
    "task_extent",
]
