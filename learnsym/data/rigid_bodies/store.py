"""The store: simulated scenes in chunks of files, which are written once and go on where they stopped.

Legend of axes: `B` scenes, `N` bodies.
"""

from __future__ import annotations

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from learnsym import files
from learnsym.data.files import cache_folder, folders
from learnsym.data.rigid_bodies.scenes import Poses, Scenes

logger = logging.getLogger(__name__)

VERSION = 1
"""The version of the law of scenes and of the settings of the engine: a change of either gives another folder."""
CHUNK = 250
"""Scenes of a file; whole chunks are simulated, so that a larger set begins with a smaller one."""


def relative(title: str) -> Path:
    """Folder of a system below a data folder."""
    return Path("rigid_bodies") / f"v{VERSION}" / title


def locate(title: str, name: str) -> Path | None:
    """A file of a system, in the first data folder that has it."""
    paths = (folder / relative(title) / name for folder in folders())
    return next((path for path in paths if path.is_file()), None)


def chunk_name(seed: int, number: int) -> str:
    """Path of a chunk in the folder of its system."""
    return f"seed{seed}/{number:05d}.npz"


def read_chunk(title: str, seed: int, number: int) -> tuple[Scenes, Poses] | None:
    """A chunk; None when there is none, or one that cannot be read and must be made again."""
    path = locate(title, chunk_name(seed, number))
    if path is None:
        return None
    try:
        with np.load(path) as arrays:
            fields = {name: arrays[name] for name in arrays.files}
        future = Poses(fields.pop("future_position"), fields.pop("future_frame"))
        return Scenes(**fields), future
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        logger.warning("%s cannot be read (%s); it is simulated again", path, error)
        return None


def write_chunk(title: str, seed: int, number: int, scenes: Scenes, future: Poses) -> None:
    """Into the cache; several processes may write the same chunk."""
    future_parts = {f"future_{name}": part for name, part in future._asdict().items()}
    path = cache_folder() / relative(title) / chunk_name(seed, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as part:
        np.savez(part, **scenes._asdict(), **future_parts)


def read_json(title: str, name: str) -> dict[str, Any] | None:
    """What is known about a system, None when nothing has been written."""
    path = locate(title, name)
    return None if path is None else files.read_json(path, "data", "delete it, it is made again")


def write_json(title: str, name: str, content: dict[str, Any]) -> None:
    """Into the cache."""
    path = cache_folder() / relative(title) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf8")
