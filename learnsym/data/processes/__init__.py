"""Tasks with a context, whose symmetry is known: random functions, plumes about an obstacle, and temperatures."""

from learnsym.data.processes.dataset import task_dataset
from learnsym.data.processes.gibbs import GibbsProcess
from learnsym.data.processes.plumes import Plumes
from learnsym.data.processes.sources import SOURCES
from learnsym.data.processes.temperatures import SurfaceTemperatures

__all__ = ["SOURCES", "GibbsProcess", "Plumes", "SurfaceTemperatures", "task_dataset"]
