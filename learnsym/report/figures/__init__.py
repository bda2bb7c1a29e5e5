"""Figures: each function takes data and Axes, draws, and returns the Axes."""

from learnsym.report.figures.curves import loss_curves, width_curves
from learnsym.report.figures.data import half_widths, orbit, pose_law, task_extent
from learnsym.report.figures.model import (
    accuracy_by_angle,
    candidate_weights,
    contributions,
    degrees_by_layer,
    error_curve,
    predictions_along,
)
from learnsym.report.figures.style import NOTION_COLOURS, TWIN_COLOURS, save, styled

__all__ = [
    "NOTION_COLOURS",
    "TWIN_COLOURS",
    "accuracy_by_angle",
    "candidate_weights",
    "contributions",
    "degrees_by_layer",
    "error_curve",
    "half_widths",
    "loss_curves",
    "orbit",
    "pose_law",
    "predictions_along",
    "save",
    "styled",
    "task_extent",
    "width_curves",
]
