"""Files that hold either their old or their new content, whatever happens while they are written."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of errors of a disk, a quota or a limit on files that is used up."""
LONGEST = 255
"""Bytes of a name in a folder."""
LONGEST_NAME = 80
"""Characters of a name in a table or a figure."""

Kind = type | tuple[type, ...]


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content; after a kill or a full disk it holds either the old or the new content.

    One process may write a file at a time, so that what a killed one left behind is overwritten; see `replacing`.

    Raises:
        OSError: when the disk is full or the folder cannot be written; one sentence, with the file's name.
    """
    temporary = path.with_name(path.name + ".tmp")
    with writing(path, temporary):
        temporary.write_bytes(content)
        put_in_place(temporary, path)


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
    with writing(path, temporary):
        yield temporary
        put_in_place(temporary, path)


@contextmanager
def writing(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Say which file could not be written, and leave no half-written one.

    Args:
        path: what is written in the block.
        temporary: the file that is deleted when the block raises.

    Raises:
        OSError: with the number of the one raised in the block, the reason and the remedy, and the name of the file.
    """
    try:
        yield
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError) or error.errno is None:
            raise
        raise OSError(error.errno, f"the file {why_not_written(error)}", str(path)) from error


def why_not_written(error: OSError) -> str:
    """The reason of an error in writing, and its remedy."""
    remedy = "free space" if error.errno in FULL else "make its folder one that can be written"
    return f"could not be written ({os.strerror(error.errno or 0)}); {remedy}, then give the same command again"


def put_in_place(source: Path, path: Path) -> None:
    """Give a complete file its name, in place of what has it; source and path lie in one folder.

    The file is on the disk before it has its name, and has it on the disk when this returns.
    """
    _sync(source, os.O_RDWR)
    os.replace(source, path)
    if os.name == "posix":  # elsewhere a folder is no file that could be opened
        _sync(path.parent, os.O_RDONLY)


def read_json(path: Path, name: str, remedy: str, fields: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: the file.
        name: of the argument that led here, with which the error begins.
        remedy: what to do when the file cannot be read, with which the error ends.
        fields: keys that it must have, and the kind of their values.

    Raises:
        ValueError: when there is no such file, or it holds something else.
    """
    with understood(path, name, remedy):
        return checked(json.loads(path.read_text(encoding="utf8")), fields or {})


def checked(content: object, fields: Mapping[str, Kind]) -> dict[str, Any]:
    """What JSON gave, which must be an object that has certain keys.

    Args:
        content: of a file, or of a part of one.
        fields: keys that it must have, and the kind of their values; a truth value is no number.

    Raises:
        ValueError: naming the key.

    Example:
        >>> from learnsym.files import checked
        >>> checked({"step": 1, "split": "val"}, {"step": int})["split"]
        'val'
    """
    if not isinstance(content, dict):
        raise ValueError(f"holds {_shown(content)}, must be an object with keys and values")
    for key, kind in fields.items():
        if key not in content:
            raise ValueError(f"lacks {key!r}")
        value, kinds = content[key], kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join("null" if part is type(None) else part.__name__ for part in kinds)
            raise ValueError(f"{key!r} is {_shown(value)}, must be {names}")
    return content


@contextmanager
def understood(path: Path, name: str, remedy: str) -> Iterator[None]:
    """Turn whatever goes wrong while the content of a file is made sense of into one sentence.

    Args:
        path: the file.
        name: of the argument that led here, with which the error begins.
        remedy: with which the error ends.

    Raises:
        ValueError: naming the file, the reason and the remedy.
    """
    try:
        yield
    except RecursionError as error:
        raise ValueError(f"{name}: {path} cannot be read (it is nested too deeply); {remedy}") from error
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ValueError(f"{name}: {path} cannot be read ({reason or type(error).__name__}); {remedy}") from error


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


def check_name(name: object, argument: str) -> None:
    """Refuse a name that does not fit into a line of a table, the label of a figure and the name of a file.

    Args:
        name: to be checked.
        argument: that it was given as, with which the error begins.

    Raises:
        ValueError: when it is empty, longer than 80 characters, or has a slash or characters that cannot be printed.

    Example:
        >>> from learnsym.files import check_name
        >>> check_name("augmented, 30°", "arms")
    """
    good = isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME and name.isprintable()
    if not good or {"/", "\\"} & set(str(name)):
        raise ValueError(
            f"{argument}: got the name {_shown(name)}, must be 1 to {LONGEST_NAME} printable characters without "
            "slashes; choose another name"
        )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}...{text[-1]}"


def _sync(path: Path, mode: int) -> None:
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
