"""The folder of a card: asked before any work whether it can be written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from learnsym import files


def check_folder(folder: Path) -> None:
    """Raise ValueError for what is no folder, or a run, whose own page and figures would be mixed with the card's."""
    files.check_folder(folder)
    if (folder / "config.yaml").is_file():
        raise ValueError(f"out: {folder} is a run folder; give a folder for the card, such as {folder / 'card'}")


def make_folder(folder: Path) -> None:
    """Make the folder, and try to write in it.

    Raises:
        ValueError: when that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"out: {folder} cannot be written ({error.strerror}); give another folder") from error
