"""Fetch data sets from their official sources, and tell what is there."""

from __future__ import annotations

import logging
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from learnsym.data.files import CHUNK, File, cache_folder, check, locate
from learnsym.data.registry import registry, source_by_name
from learnsym.files import put_in_place

logger = logging.getLogger(__name__)

TIMEOUT = 30.0
SLACK = 1 << 20
"""Bytes by which a download may be larger than twice its stated size, which is rounded for some."""


@dataclass(frozen=True)
class Entry:
    """One line of `learnsym data list`."""

    name: str
    title: str
    licence: str
    bytes: int
    """Size of the download; 0 when there is nothing to download."""
    present: bool


def catalogue() -> list[Entry]:
    """All data sets, with whether they are present."""
    sources = registry.values()
    return [Entry(source.name, source.title, source.licence, source.bytes, source.present) for source in sources]


def verify(name: str) -> list[Path]:
    """Check the content of all files of a data set; gives their paths.

    Raises:
        ValueError: when a file is missing or its content is not the published one.
    """
    paths = []
    for file in source_by_name(name).files:
        path = locate(file)
        if path is None:
            raise ValueError(f"{file.path}: missing; run `learnsym data fetch {name}`, or set LEARNSYM_DATA")
        check(path, file)
        paths.append(path)
    return paths


def fetch(name: str) -> list[Path]:
    """Download the files of a data set that are not there yet into the cache folder, and check them.

    A broken download goes on where it stopped when it is started again. A file gets its name only after its content
    has been checked.

    Returns:
        Paths of all files; empty for a data set that needs none.

    Raises:
        ValueError: when there is no official source, no source answers, or the content is not the published one.
    """
    return [_fetch_file(name, file) for file in source_by_name(name).files]


def _fetch_file(name: str, file: File) -> Path:
    present = locate(file)
    if present is not None and _is_good(present, file):
        return present
    if not file.urls:
        raise ValueError(f"{name}: has no official download; set LEARNSYM_DATA to a folder that holds {file.path}")
    target = cache_folder() / file.path
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(file, part)
        _finish(file, part, target)
    except OSError as error:
        raise ValueError(f"{name}: cannot write {target} ({error}); free space there or set LEARNSYM_CACHE") from error
    return target


def _is_good(path: Path, file: File) -> bool:
    try:
        check(path, file)
    except ValueError as error:
        logger.warning("%s", error)
        return False
    return True


def _download(file: File, part: Path) -> None:
    failures = []
    for url in file.urls:
        try:
            return _transfer(url, part, 2 * file.size + SLACK)
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            failures.append(f"{url}: {error}")
            logger.warning("cannot fetch %s (%s)", url, error)
    tried = "; ".join(failures)
    raise ValueError(f"{file.path}: no source answers ({tried}); check the network, then run it again: it resumes")


def _transfer(url: str, part: Path, most: int) -> None:
    """Append what is missing to `part`, of `most` bytes; from the start when the server does not serve ranges."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "learnsym", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # nothing is missing
            return
        raise
    with response:
        if url.startswith("https:") and not response.url.startswith("https:"):
            raise urllib.error.URLError("leads to an address without encryption")
        resumes = getattr(response, "status", None) == 206
        length = response.headers.get("Content-Length")
        total = None if length is None else int(length) + (have if resumes else 0)
        _check_length(total or 0, most, part)
        with open(part, "ab" if resumes else "wb") as stream, _bar(url, total, have if resumes else 0) as bar:
            while block := response.read(CHUNK):
                stream.write(block)
                bar.update(len(block))
                _check_length(stream.tell(), most, part)
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"stopped after {part.stat().st_size} of {total} bytes")


def _check_length(length: int, most: int, part: Path) -> None:
    if length > most:
        part.unlink(missing_ok=True)
        name = part.name.removesuffix(".part")
        raise ValueError(f"{name}: the source sends more than {most} bytes, which is not the published file; try later")


def _bar(url: str, total: int | None, have: int) -> tqdm:
    name = url.rpartition("/")[2]
    return tqdm(desc=name, total=total, initial=have, unit="B", unit_scale=True, disable=not sys.stderr.isatty())


def _finish(file: File, part: Path, target: Path) -> None:
    """Build, check and name the file; whatever goes wrong, no part of it stays."""
    built = part if file.build is None else target.with_name(target.name + ".built")
    try:
        if file.build is not None:
            file.build(part, built)
        check(built, file)
        put_in_place(built, target)
    except ValueError as error:
        raise ValueError(f"{file.path}: got something else than the published file, deleted it: {error}") from error
    finally:
        part.unlink(missing_ok=True)
        built.unlink(missing_ok=True)
