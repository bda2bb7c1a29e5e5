"""The plan of a comparison: what will be trained, where, and what it costs; kept in its folder."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from learnsym._version import __version__
from learnsym.comparison.config import ComparisonConfig
from learnsym.comparison.config_file import dump_comparison
from learnsym.comparison.grid import Cell, cells, check_axes
from learnsym.comparison.networks import Network, networks
from learnsym.comparison.rows import read_rows
from learnsym.files import Kind, checked, read_json, understood, write_atomically, write_json
from learnsym.workers import Locks

VERSION = 1


@dataclass(frozen=True)
class Plan:
    """The cells of a comparison and the networks in them."""

    config: ComparisonConfig
    networks: list[Network]

    @classmethod
    def of(cls, config: ComparisonConfig) -> Plan:
        """Match the networks; loads data.

        Raises:
            ValueError: whatever is wrong with the comparison, before any work starts.
        """
        check_axes(config)  # what is wrong with keys and values is found before data are loaded
        return cls(config, networks(config))

    @classmethod
    def kept(cls, config: ComparisonConfig, folder: str | os.PathLike[str]) -> Plan:
        """The plan that a folder keeps of this comparison, where it does; a new one else.

        Raises:
            ValueError: when the folder holds something else or a row that cannot be read, or whatever is wrong with the
                comparison.
        """
        _check_folder(Path(folder))
        read_rows(Path(folder))  # one that cannot be read is refused before any work
        content = read_plan(Path(folder))
        if content is None or content["made_of"] != _made_of(config):
            return cls.of(config)
        return cls(config, [Network(**{key: network[key] for key in NETWORK}) for network in content["networks"]])

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells."""
        return cells(self.config, {(n.arm, n.size): n.width for n in self.networks})

    def network(self, cell: Cell) -> Network:
        """The network that a cell trains."""
        return self._by_name[cell.arm, cell.size]

    def compute(self, cell: Cell) -> float:
        """Counted FLOPs of the training of a cell."""
        return self.network(cell).flops_counted * cell.samples

    @cached_property
    def _by_name(self) -> dict[tuple[str, int], Network]:
        return {(network.arm, network.size): network for network in self.networks}


def keep(plan: Plan, folder: str | os.PathLike[str], locks: Locks) -> Path:
    """Write `comparison.yaml` and `plan.json` in the folder of the comparison.

    A comparison may grow: its new grid must hold all cells of the old one.

    Raises:
        ValueError: when the folder holds something else, or cells that this comparison has not.
    """
    path = Path(folder)
    _check_folder(path)
    path.mkdir(parents=True, exist_ok=True)
    with locks.waiting("plan"):
        _check_grown(plan, path)
        content = {
            "version": VERSION,
            "made_of": _made_of(plan.config),
            "networks": [asdict(network) for network in plan.networks],
            "cells": {cell.key: str(cell) for cell in plan.cells},
        }
        write_json(path / "plan.json", content, indent=1)
        write_atomically(path / "comparison.yaml", dump_comparison(plan.config).encode())
    return path


KEPT = (".locks", "comparison.yaml", "plan.json")


def read_plan(folder: Path, name: str = "out") -> dict[str, Any] | None:
    """What `keep` has written; None when there is nothing.

    Args:
        folder: of the comparison.
        name: of the argument that led here, with which an error begins.

    Raises:
        ValueError: when it cannot be read.
    """
    path, remedy = folder / "plan.json", "delete it, the next comparison writes it again"
    if not path.exists():
        return None
    content = read_json(path, name, remedy, {"version": int})
    if content["version"] != VERSION:
        raise ValueError(
            f"{name}: {path} has version {content['version']}, this learnsym reads {VERSION}; use another folder"
        )
    with understood(path, name, remedy):
        checked(content, {"cells": dict, "networks": list, "made_of": list})
        for network in content["networks"]:
            checked(network, NETWORK)
    return content


NETWORK: dict[str, Kind] = {
    "arm": str,
    **dict.fromkeys(("size", "width", "parameters"), int),
    **dict.fromkeys(("flops_counted", "flops_nominal", "flops_inference"), (int, float)),
}
"""What `plan.json` holds of each network."""


def _check_folder(path: Path) -> None:
    """Refuse a folder of something else, before any work."""
    if path.is_file():
        raise ValueError(f"out: {path} is a file; name a folder")
    if path.is_dir() and not (path / "plan.json").exists():
        others = [entry.name for entry in path.iterdir() if entry.name not in KEPT and entry.suffix != ".tmp"]
        if others:
            raise ValueError(f"out: {path} is no comparison, but holds {sorted(others)[0]}; name another folder")


def _made_of(config: ComparisonConfig) -> list[str]:
    return [__version__, dump_comparison(config)]


def _check_grown(plan: Plan, path: Path) -> None:
    old = (read_plan(path) or {"cells": {}})["cells"]
    new = {cell.key for cell in plan.cells}
    missing = [name for key, name in old.items() if key not in new]
    if missing:
        raise ValueError(
            f"out: {path} has {len(missing)} cells that this comparison has not, such as [{missing[0]}]; "
            "keep them in the grid, or use another --out"
        )
