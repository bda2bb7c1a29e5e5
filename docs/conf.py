"""Sphinx: furo, MyST-NB; the notebooks are executed."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

import learnsym

sys.path.insert(0, str(Path(__file__).parent))
from equations import is_equation, latex

project = "learnsym"
author = "The learnsym developers"
copyright = "The learnsym developers"
version = release = learnsym.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "attrs_inline"]
exclude_patterns = ["_build", "_gallery", "jupyter_execute"]
html_theme = "furo"
html_title = f"learnsym {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]

# what docs/gallery.py has made; the documentation can be built without
gallery = Path(__file__).parent / "_gallery"
html_extra_path = [str(gallery / "site")] if (gallery / "site").exists() else []
if not (gallery / "entries.md").exists():
    gallery.mkdir(exist_ok=True)
    (gallery / "entries.md").write_text("`make docs` fills the gallery.\n")

# the text version of a progress bar serves the notebooks well
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
# the type `bytes` is also the name of a field of two data classes
suppress_warnings = ["myst.xref_missing", "ref.python"]
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
    """An indented paragraph that follows text is an equation; what states none is shown as it was typed."""
    paragraphs = [list(part) for filled, part in itertools.groupby(lines, bool) if filled]
    lines.clear()
    text = False
    for paragraph in paragraphs:
        typed = text and paragraph[0].startswith("    ")
        announced = typed and lines[-1].endswith("::")
        if typed and is_equation(paragraph):
            lines[-1] = lines[-1].removesuffix(":") if announced else lines[-1]
            lines.extend(["", ".. math::"])
            lines.extend(itertools.chain.from_iterable(("", f"   {latex(line)}") for line in paragraph))
        else:
            lines.extend(["", "::"] if typed and not announced else [])
            lines.extend(["", *paragraph])
        text = not paragraph[-1].startswith(" ")
