"""Networks on point clouds: one type for inputs, one for outputs, dense over all pairs of points."""

from learnsym.nets.points.assembly import assemble, vector_count
from learnsym.nets.points.egnn import EGNN

__all__ = ["EGNN", "assemble", "vector_count"]
