"""Real data sets, and simulators whose symmetry is known."""

from learnsym.data import dynamics, known, molecules, motion, processes, rigid_bodies, worlds
from learnsym.data.batches import Batches
from learnsym.data.bumps import blobs
from learnsym.data.config import DataConfig, PlantConfig
from learnsym.data.dataset import Dataset
from learnsym.data.double_digits import double_digits
from learnsym.data.download import Entry, catalogue, fetch, verify
from learnsym.data.figures import two_figures
from learnsym.data.own.describing import Description, describe
from learnsym.data.own.objects import as_dataset, say_notes
from learnsym.data.planting import plant
from learnsym.data.registry import registry, source_by_name
from learnsym.data.rows import Rows, npy_stretch, pt_stretch
from learnsym.data.signature import Signature
from learnsym.data.smoke import smoke, smoke_step, stream_function
from learnsym.data.source import Sizes, Source
from learnsym.data.spherical import SphereConfig, spherical_figures
from learnsym.data.splits import Splits, load, load_splits, training_examples
from learnsym.ragged import Ragged

__all__ = [
    "Batches",
    "DataConfig",
    "Dataset",
    "Description",
    "Entry",
    "PlantConfig",
    "Ragged",
    "Rows",
    "Signature",
    "Sizes",
    "Source",
    "SphereConfig",
    "Splits",
    "as_dataset",
    "blobs",
    "catalogue",
    "describe",
    "double_digits",
    "dynamics",
    "fetch",
    "known",
    "load",
    "load_splits",
    "molecules",
    "motion",
    "npy_stretch",
    "plant",
    "processes",
    "pt_stretch",
    "registry",
    "rigid_bodies",
    "say_notes",
    "smoke",
    "smoke_step",
    "source_by_name",
    "spherical_figures",
    "stream_function",
    "training_examples",
    "two_figures",
    "verify",
    "worlds",
]
