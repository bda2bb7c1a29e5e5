"""The folder of a card: asked before any work whether it can be written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_folder(folder: Path) -> None:
    """Raise ValueError for what is no folder, or a run, whose own page and figures would be mixed with the card's."""
    with _named(folder):
        is_run, is_file = (folder / "config.yaml").is_file(), folder.exists() and not folder.is_dir()
    if is_run:
        raise ValueError(f"out: {folder} is a run folder; give a folder for the card, such as {folder / 'card'}")
    if is_file:
        raise ValueError(f"out: {folder} is a file; give a folder")


def make_folder(folder: Path) -> None:
    """Make the folder, and try to write in it.

    Raises:
        ValueError: when that is not possible.
    """
    with _named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(f"out: {folder} cannot be written ({error.strerror}); give another folder") from error
