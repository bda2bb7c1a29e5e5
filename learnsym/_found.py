"""What a command works on, found or refused at once: what it needs then takes seconds to import."""

from __future__ import annotations

import os
from pathlib import Path

CLAIMS, OWN_RECORD = "claims.yaml", "own.json"
"""What an experiment says of itself, and what a run that was made in Python is known by."""


def table_file(folder: Path) -> Path:
    """The table of a comparison.

    Raises:
        ValueError: when there is none.
    """
    path = folder / "table.parquet"
    if not path.is_file():
        raise ValueError(f"folder: {folder} has no table.parquet; start a comparison there with learnsym compare")
    return path


def check_run(path: Path) -> None:
    """Refuse a folder that is not the one of a run of `learnsym train`.

    Raises:
        ValueError: when it is none, or that of a module of your own.
    """
    if (path / OWN_RECORD).is_file():
        raise ValueError(
            f"run: {path} was trained in Python, and its module cannot be made from the record alone; give "
            f"FILE.py:factory with the weights {path / 'net.safetensors'}, or open it with ls.training.OwnRun"
        )
    if not (path / "config.yaml").is_file():
        raise ValueError(f"run: {path} is not a run folder (no config.yaml); make one with learnsym train")


def run_folders(path: str | os.PathLike[str]) -> list[Path]:
    """All runs in a folder and the folders below it, in the order of their paths.

    Raises:
        ValueError: when there is none.
    """
    folders = [config.parent for config in sorted(Path(path).rglob("config.yaml"))]
    if not folders:
        raise ValueError(f"run: {path} holds no run; make one with learnsym train CONFIG --out RUN")
    return folders


def check_runs(path: str | os.PathLike[str]) -> None:
    """Refuse a folder without any run, of `learnsym train` or made in Python.

    Raises:
        ValueError: when there is none.
    """
    if not any(Path(path).rglob(OWN_RECORD)):
        run_folders(path)


def claim_files(folder: Path) -> list[Path]:
    """The claims of each experiment of a folder.

    Raises:
        ValueError: when there are none.
    """
    paths = sorted(folder.glob(f"*/{CLAIMS}"))
    if not paths:
        raise ValueError(f"folder: {folder} has no */{CLAIMS}; name the folder of experiments of a checkout")
    return paths
