"""Tasks with a context: draws of random functions, and plumes about an obstacle, whose symmetry is known."""

from learnsym.data.processes.dataset import task_dataset
from learnsym.data.processes.gibbs import GibbsProcess
from learnsym.data.processes.plumes import Plumes
from learnsym.data.processes.sources import SOURCES

__all__ = ["SOURCES", "GibbsProcess", "Plumes", "task_dataset"]
