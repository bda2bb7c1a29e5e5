"""How group elements act on images, volumes, label maps, fields, spheres, points, cells, sets, channels; or not."""

from learnsym.actions._action import Action
from learnsym.actions._checks import check_finite
from learnsym.actions.border import border_level
from learnsym.actions.cell import Cell, SymmetricTensor
from learnsym.actions.channels import Channels
from learnsym.actions.healpix import BandLimitedHealpix
from learnsym.actions.image import Image, LabelMap, Volume
from learnsym.actions.invariant import Invariant
from learnsym.actions.jointly import Jointly
from learnsym.actions.on import On
from learnsym.actions.points import PointCloud, PointVectors
from learnsym.actions.product import Product
from learnsym.actions.rgb import RGB
from learnsym.actions.sampler import bilinear_sample, nearest_sample
from learnsym.actions.sets import Nodes, Pairs, Set
from learnsym.actions.sphere import BandLimitedSphere, Sphere, SphereLabels
from learnsym.actions.vector_field import VectorField
from learnsym.actions.warp import sampling_grid, warp

__all__ = [
    "RGB",
    "Action",
    "BandLimitedHealpix",
    "BandLimitedSphere",
    "Cell",
    "Channels",
    "Image",
    "Invariant",
    "Jointly",
    "LabelMap",
    "Nodes",
    "On",
    "Pairs",
    "PointCloud",
    "PointVectors",
    "Product",
    "Set",
    "Sphere",
    "SphereLabels",
    "SymmetricTensor",
    "VectorField",
    "Volume",
    "bilinear_sample",
    "border_level",
    "check_finite",
    "nearest_sample",
    "sampling_grid",
    "warp",
]
