"""Sphinx: furo, MyST-NB; the notebooks are executed."""

from __future__ import annotations

import itertools
import os

from sphinx.application import Sphinx

import learnsym

project = "learnsym"
author = "The learnsym developers"
copyright = "The learnsym developers"
version = release = learnsym.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "jupyter_execute"]
html_theme = "furo"
html_title = f"learnsym {release}"

# the text version of a progress bar serves the notebooks well
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
suppress_warnings = ["myst.xref_missing"]
default_role = "code"
_fields: dict[str, list[str]] = {}


def setup(app: Sphinx) -> None:
    """Docstrings of fields pass napoleon by, which would take what stands before a colon in them for a type."""
    app.connect("autodoc-process-docstring", _remember, priority=400)
    app.connect("autodoc-process-docstring", _equations, priority=400)
    app.connect("autodoc-process-docstring", _restore, priority=600)


def _remember(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what == "attribute":
        _fields[name] = list(lines)


def _restore(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = _fields.pop(name, lines)


def _equations(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """An indented paragraph that follows a paragraph of text is an equation: shown as it was typed."""
    before = ["", *lines]
    lines.clear()
    text = False
    for above, line in itertools.pairwise(before):
        if text and not above and line.startswith("    "):
            lines.extend(["::", ""])
        text = not line.startswith(" ") if line else text
        lines.append(line)
