"""One row for each cell that ended, kept as `rows/<cell>.json`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnsym.comparison.grid import Cell
from learnsym.comparison.networks import Network
from learnsym.files import Kind, checked, read_json, understood, write_json
from learnsym.methods import learns
from learnsym.training import Run

COLUMNS = (
    *("cell", "state", "failure", "arm", "train", "size", "width", "steps", "batch_size", "seed", "lr"),
    *("parameters", "flops_counted", "flops_nominal", "flops_inference", "samples", "epochs"),
    *("compute_counted", "compute_nominal", "seconds", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    *("val_log_likelihood", "test_log_likelihood", "degrees"),
)

TEXT = ("cell", "state", "failure", "arm", "degrees")
WHOLE = ("train", "size", "width", "steps", "batch_size", "seed", "parameters", "samples")
FIELDS: dict[str, Kind] = {**dict.fromkeys(("cell", "state", "arm", "degrees"), str), **dict.fromkeys(WHOLE, int)}
"""What every row has, and its kind."""
REMEDY = "delete it, the next comparison trains its cell again"


def ended_cells(folder: Path) -> set[str]:
    """Names of the cells that have a row, from one look at the folder."""
    try:
        return {name.removesuffix(".json") for name in os.listdir(folder / "rows") if name.endswith(".json")}
    except FileNotFoundError:
        return set()


def row_path(folder: Path, cell: Cell) -> Path:
    """Where the row of a cell is kept; it exists when the cell has ended."""
    return folder / "rows" / f"{cell.key}.json"


def write_finished(folder: Path, cell: Cell, network: Network, run: Run, seconds: float) -> None:
    """Keep what a finished run has found."""
    scores: dict[str, float] = {}
    for record in run.metrics():  # the last record of a split counts
        if record["split"] in ("val", "test"):
            scores |= {f"{record['split']}_{name}": record[key] for name, key in SCORES.items() if key in record}
    degrees = [asdict(degree) for degree in run.degrees()] if learns(run.twin) else []
    outcome = {"state": "finished", "seconds": seconds, **scores, "degrees": json.dumps(degrees)}
    _write(folder, cell, {**_given(cell, network), **outcome})


def write_failed(folder: Path, cell: Cell, network: Network, reason: str) -> None:
    """Keep why a cell has no result."""
    outcome = {"state": "failed", "failure": " ".join(reason.split()), "degrees": "[]"}
    _write(folder, cell, {**_given(cell, network), **outcome})


def forget_failed(folder: Path) -> int:
    """Delete the rows of failed cells, so that they are trained again; returns how many there were."""
    failed = [row["cell"] for row in read_rows(folder) if row["state"] == "failed"]
    for name in failed:
        (folder / "rows" / f"{name}.json").unlink()
    return len(failed)


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """All rows, with all columns, in the order of their cells' names.

    Raises:
        ValueError: naming the first file that is no row of its cell.
    """
    rows = [_checked(path) for path in sorted((folder / "rows").glob("*.json"))]
    return [{name: row.get(name) for name in COLUMNS} for row in rows]


def _checked(path: Path) -> dict[str, Any]:
    row = read_json(path, "out", REMEDY, FIELDS)
    with understood(path, "out", REMEDY):
        numbers = {name: row.get(name) for name in COLUMNS if name not in (*TEXT, *WHOLE)}
        checked(numbers, dict.fromkeys(numbers, (int, float, type(None))))
        if row["cell"] != path.stem or row["state"] not in ("finished", "failed"):
            raise ValueError(f"it is a row of {row['cell']!r} that is {row['state']!r}")
        if not all(isinstance(degree, dict) for degree in json.loads(row["degrees"])):
            raise ValueError("degrees hold something else than objects")
    return row


SCORES = {"loss": "task", "accuracy": "accuracy", "log_likelihood": "log_likelihood"}


def _given(cell: Cell, network: Network) -> dict[str, Any]:
    c = cell.config
    return {
        "cell": cell.key,
        "arm": cell.arm,
        "train": cell.train,
        "size": cell.size,
        "width": network.width,
        "steps": c.train.steps,
        "batch_size": c.train.batch_size,
        "seed": c.seeds[0],
        "lr": c.optimiser.lr,
        "parameters": network.parameters,
        "flops_counted": network.flops_counted,
        "flops_nominal": network.flops_nominal,
        "flops_inference": network.flops_inference,
        "samples": cell.samples,
        "epochs": cell.samples / cell.train,
        "compute_counted": network.flops_counted * cell.samples,
        "compute_nominal": network.flops_nominal * cell.samples,
    }


def _write(folder: Path, cell: Cell, row: dict[str, Any]) -> None:
    path = row_path(folder, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, row)
