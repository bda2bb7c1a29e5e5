"""What a run keeps of a network of somebody else: copies of its code, and hashes of its code and weights.

`net.json` holds the name of the network and the hashes, the folder `net` the files of Python.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from learnsym.files import read_json, write_atomically, write_json
from learnsym.nets import NetConfig

logger = logging.getLogger(__name__)
RECORD, COPIES = "net.json", "net"


def keep_net(folder: Path, net: NetConfig) -> None:
    """Write what there is to keep; nothing for a network of the library with weights of its own."""
    source = net.source
    files = [*(source.files() if source else ()), *([Path(net.weights)] if net.weights else ())]
    if source is None and not files:
        return
    for name, content in (source.kept() if source else {}).items():
        (folder / COPIES / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / COPIES / name, content)
    write_json(folder / RECORD, {"name": net.name, "sha256": {str(path): _sha256(path) for path in files}}, indent=2)


def check_net(folder: Path, net: NetConfig) -> None:
    """Refuse to continue a run whose network has changed since it began.

    Raises:
        ValueError: naming the file, and how to go on.
    """
    for path in _changed(folder):
        key = "net.weights" if str(path) == net.weights else "net.name"
        copy = f" (a copy lies in {folder / COPIES})" if path.suffix == ".py" else ""
        raise ValueError(
            f"{key}: {path} is not as it was when the run in {folder} began; restore it{copy}, or train into another "
            "--out"
        )


def trained_net(folder: Path, net: NetConfig) -> NetConfig:
    """The network into which the trained weights of a run are loaded: from its own files or, if these have changed or
    are gone, from the copies in the run, which is said.

    Raises:
        ValueError: when the files have changed, and the run has no copies of them.
    """
    changed = next(_changed(folder, but=net.weights), None)
    net = replace(net, weights=None, pretrained=False)
    source = net.source
    if source is None or changed is None:
        return net
    kept = source.at(folder / COPIES)
    if kept is None:
        raise ValueError(
            f"run: {changed}, of which the network of {folder} is made, has changed or is gone since; restore it"
        )
    logger.info("%s has changed or is gone since; its copy in %s is taken", changed, folder / COPIES)
    return replace(net, name=kept.word)


def _changed(folder: Path, but: str | None = None) -> Iterator[Path]:
    """Files that are not what they were, but for one."""
    for name, kept in _record(folder).items():
        if name == but:
            continue
        if not Path(name).is_file() or _sha256(Path(name)) != kept:
            yield Path(name)


def _record(folder: Path) -> Mapping[str, Any]:
    path = folder / RECORD
    return read_json(path, "run", "train again elsewhere", {"sha256": dict})["sha256"] if path.exists() else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
