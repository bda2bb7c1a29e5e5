"""Networks on point clouds: one type for inputs, one for outputs, dense over all pairs of points."""

from learnsym.nets.points.assembly import assemble, vector_count
from learnsym.nets.points.canonicalised import Canonicalised
from learnsym.nets.points.clofnet import ClofNet, ClofNetE3
from learnsym.nets.points.egnn import EGNN
from learnsym.nets.points.elements import Elements
from learnsym.nets.points.energy import Energy
from learnsym.nets.points.frame_averaging import FrameAveraged
from learnsym.nets.points.free_path import FreePath, with_free_paths
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.gnn import GNN
from learnsym.nets.points.octahedral import OctahedralTransformer
from learnsym.nets.points.potentials import ConservativePotential, DirectPotential, potentials
from learnsym.nets.points.transformer import PointTransformer

__all__ = [
    "EGNN",
    "GNN",
    "Canonicalised",
    "ClofNet",
    "ClofNetE3",
    "ConservativePotential",
    "DirectPotential",
    "Elements",
    "Energy",
    "FrameAveraged",
    "FreePath",
    "GATr",
    "OctahedralTransformer",
    "PointTransformer",
    "assemble",
    "potentials",
    "vector_count",
    "with_free_paths",
]
