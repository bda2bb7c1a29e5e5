"""What a run keeps of its data: their signature, and a digest of files by which a changed one is noticed."""

from __future__ import annotations

from pathlib import Path

from learnsym.data import Dataset
from learnsym.files import read_json, write_json

RECORD = "data.json"


def keep_data(folder: Path, train: Dataset) -> None:
    """Write `data.json`.

    Args:
        folder: of the run.
        train: its training examples.

    Raises:
        ValueError: when the run was begun with other content of the same files.
    """
    check_unchanged(folder, train)
    write_json(folder / RECORD, {**train.signature.to_json(), "fingerprint": train.fingerprint, "notes": train.notes})


def check_unchanged(folder: Path, train: Dataset) -> None:
    """Refuse data whose files have changed since the run was begun.

    Raises:
        ValueError: one sentence with the remedy.
    """
    if not train.fingerprint or not (folder / RECORD).exists():
        return
    kept = read_json(folder / RECORD, "run", "delete it, and the data are read instead").get("fingerprint", "")
    if kept and kept != train.fingerprint:
        raise ValueError(
            f"data.name: the files of {train.name} have changed since the run in {folder} was begun; restore them, or "
            "train again with another --out"
        )
