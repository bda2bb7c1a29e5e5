"""Studies: which symmetry is in your data, told by twins of your own network."""

from learnsym.studies.settings import TwinSettings
from learnsym.studies.study import Study, study

__all__ = ["Study", "TwinSettings", "study"]
