"""Files that hold either their old or their new content, whatever happens while they are written."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LONGEST = 255
"""Bytes of a name in a folder."""


def check_folder(path: str | os.PathLike[str], name: str = "out") -> Path:
    """A path at which a folder is or can be made; nothing is made.

    Args:
        path: of the folder.
        name: of the argument that led here, with which the error begins.

    Raises:
        ValueError: one sentence: for a name that no folder has, a file in its place, or a place that is not writable.
    """
    text = os.fspath(path)
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{name}: got {text!r}, must name a folder in printable characters; write such as runs/first")
    long = [part for part in Path(text).parts if len(os.fsencode(part)) > LONGEST]
    if long or len(os.fsencode(text)) > 4000:
        raise ValueError(f"{name}: got a name of {len(text)} characters, must be shorter than {LONGEST}; shorten it")
    place = next(each for each in (Path(text), *Path(text).absolute().parents) if os.path.lexists(each))
    if not place.is_dir():
        raise ValueError(f"{name}: {place} is a {'file' if place.exists() else 'broken link'}; name a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{name}: {place} may not be written in; name another folder")
    return Path(text)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content; after a kill or a full disk it holds either the old or the new content.

    One process may write a file at a time, so that what a killed one left behind is overwritten; see `replacing`.

    Raises:
        OSError: when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_bytes(content)
        put_in_place(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: object, indent: int | None = None, allow_nan: bool = True) -> None:
    """Replace a file by JSON, atomically.

    Args:
        path: the file.
        content: of what JSON holds.
        indent: spaces of each depth; all on one line by default.
        allow_nan: whether numbers that are not finite are written, which JSON itself has not.

    Raises:
        OSError: when the disk is full or the folder cannot be written.
    """
    write_atomically(path, (json.dumps(content, indent=indent, allow_nan=allow_nan) + "\n").encode())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, beside a file and with its ending; what lies there replaces the file when the block ends.

    The name is one that no other process has, so that several may make the same file. When the block raises, the file
    stays as it was.
    """
    temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        yield temporary
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def put_in_place(source: Path, path: Path) -> None:
    """Give a complete file its name, in place of what has it; source and path lie in one folder.

    The file is on the disk before it has its name, and has it on the disk when this returns.
    """
    _sync(source)
    os.replace(source, path)
    _sync(path.parent)


def read_json(path: Path, name: str, remedy: str) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: the file.
        name: of the argument that led here, with which the error begins.
        remedy: what to do when the file cannot be read, with which the error ends.

    Raises:
        ValueError: when there is no such file, or it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{name}: {path} cannot be read ({error}); {remedy}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{name}: {path} holds no JSON object; {remedy}")
    return content


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
