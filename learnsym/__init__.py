"""learnsym learns how much symmetry a data set has, together with the network that uses it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from learnsym._version import __version__

# Eager, since the function `degrees` must win over the module of the same name.
from learnsym.degrees import Degree, read_degrees, write_degrees
from learnsym.learners import degrees

if TYPE_CHECKING:
    from learnsym import (
        actions,
        augment,
        comparison,
        data,
        distributions,
        equivariant,
        export,
        groups,
        inference,
        measure,
        methods,
        nets,
        objectives,
        posterior,
        relax,
        report,
        representations,
        scaling,
        statistics,
        studies,
        suite,
        symmetry,
        tasks,
        training,
        tuning,
        workers,
    )
    from learnsym.estimator import LearnedSymmetryClassifier
    from learnsym.report.inference import infer
    from learnsym.studies import Study, study
    from learnsym.symmetry import Symmetry, as_symmetry, symmetry_by_name

_SUBMODULES = (
    "actions",
    "augment",
    "comparison",
    "data",
    "distributions",
    "equivariant",
    "export",
    "groups",
    "inference",
    "measure",
    "methods",
    "nets",
    "objectives",
    "posterior",
    "relax",
    "report",
    "representations",
    "scaling",
    "statistics",
    "studies",
    "suite",
    "symmetry",
    "tasks",
    "training",
    "tuning",
    "workers",
)
_NAMES = {
    "LearnedSymmetryClassifier": "learnsym.estimator",
    "Symmetry": "learnsym.symmetry",
    "Study": "learnsym.studies",
    "as_symmetry": "learnsym.symmetry",
    "infer": "learnsym.report.inference",
    "study": "learnsym.studies",
    "symmetry_by_name": "learnsym.symmetry",
}

__all__ = [
    "Degree",
    "LearnedSymmetryClassifier",
    "Study",
    "Symmetry",
    "__version__",
    "actions",
    "as_symmetry",
    "augment",
    "comparison",
    "data",
    "degrees",
    "distributions",
    "equivariant",
    "export",
    "groups",
    "infer",
    "inference",
    "measure",
    "methods",
    "nets",
    "objectives",
    "posterior",
    "read_degrees",
    "relax",
    "report",
    "representations",
    "scaling",
    "statistics",
    "studies",
    "study",
    "suite",
    "symmetry",
    "symmetry_by_name",
    "tasks",
    "training",
    "tuning",
    "workers",
    "write_degrees",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a part on first use, so that `import learnsym` draws in neither figures nor command line."""
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"learnsym.{name}")
    else:
        raise AttributeError(f"module 'learnsym' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
