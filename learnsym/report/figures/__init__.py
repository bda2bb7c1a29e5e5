"""Figures: each function takes data and Axes, draws, and returns the Axes."""

from learnsym.report.figures.angles import accuracy_by_angle
from learnsym.report.figures.candidates import candidate_weights
from learnsym.report.figures.contributions import contributions
from learnsym.report.figures.curves import loss_curves, width_curves
from learnsym.report.figures.error_curve import error_curve
from learnsym.report.figures.extent import task_extent
from learnsym.report.figures.layers import degrees_by_layer
from learnsym.report.figures.orbits import orbit
from learnsym.report.figures.poses import pose_law
from learnsym.report.figures.style import NOTION_COLOURS, TWIN_COLOURS, save, styled
from learnsym.report.figures.widths import half_widths

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
    "save",
    "styled",
    "task_extent",
    "width_curves",
]
