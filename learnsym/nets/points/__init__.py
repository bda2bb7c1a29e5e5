"""Networks on point clouds: one type for inputs, one for outputs, dense over all pairs of points."""

from learnsym.nets.points.assembly import assemble, vector_count
from learnsym.nets.points.clofnet import ClofNet, ClofNetE3
from learnsym.nets.points.egnn import EGNN

__all__ = ["EGNN", "ClofNet", "ClofNetE3", "assemble", "vector_count"]
