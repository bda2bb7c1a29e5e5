"""Networks of somebody else by one word: FILE.py:factory, timm:NAME, hf:FOLDER or FILE.pt2."""

from __future__ import annotations

from learnsym.nets.sources.outputs import OutputPart, SeveralInputs, check_outputs, of_several
from learnsym.nets.sources.program import Program
from learnsym.nets.sources.python_file import GIVEN, PythonFile
from learnsym.nets.sources.source import WIDTH, Source, Wanted
from learnsym.nets.sources.timm_model import TimmModel
from learnsym.nets.sources.transformers_folder import TransformersFolder
from learnsym.nets.sources.weights import load_weights, read_state

__all__ = [
    "FORMS",
    "GIVEN",
    "WIDTH",
    "OutputPart",
    "Program",
    "PythonFile",
    "SeveralInputs",
    "Source",
    "TimmModel",
    "TransformersFolder",
    "Wanted",
    "check_outputs",
    "load_weights",
    "of_several",
    "read_state",
    "source_of",
]

FORMS = "FILE.py:factory, timm:NAME, hf:FOLDER, or a program FILE.pt2"
"""The words, as errors and help texts have them."""


def source_of(word: str, argument: str = "net.name") -> Source | None:
    """The source that a word names; None for a word of another form. Nothing is read yet.

    Args:
        word: such as `mine.py:make`.
        argument: which argument named it, with which errors begin.

    Example:
        >>> ls.nets.sources.source_of("timm:resnet18").word, ls.nets.sources.source_of("cnn")
        ('timm:resnet18', None)
    """
    found = (kind.of(word, argument) for kind in (TimmModel, TransformersFolder, PythonFile, Program))
    return next((source for source in found if source is not None), None)
