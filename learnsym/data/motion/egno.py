"""The motion files of the EGNO repository, which are pickles, as arrays.

Xu et al. (2024), arXiv:2401.11037. A pickle may call any function: their checksum is compared before they are read, and
then only what makes an array is let through.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np

from learnsym.data.archives import read_members

NAMES = ("motion/dataset/motion_run.pkl", "motion/dataset/split_run.pkl")
PICKLES = "758d434ebdb52e8e2ef6458b0af2515e344fab05faeb33f9733e679d932a5ce2"
"""sha256 of the pickles, by `members_digest`."""
MOST = 4_000_000
SPLITS = ("train", "val", "test")
_MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
_reconstruct = np.zeros(0).__reduce__()[0]
_ALLOWED = {"ndarray": np.ndarray, "dtype": np.dtype, "_reconstruct": _reconstruct}


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickles of arrays, numbers, lists and dictionaries, and refuses all else."""

    def find_class(self, module_name: str, global_name: str, /) -> object:
        """What a pickle asks for by name."""
        if module_name not in _MODULES or global_name not in _ALLOWED:
            raise pickle.UnpicklingError(f"asks for {module_name}.{global_name}, only arrays are let through")
        return _ALLOWED[global_name]


def convert(archive: Path, target: Path, sha256: str = PICKLES) -> None:
    """Turn the pickles of the repository's archive into one file of arrays.

    `pos (T, 31, 3)` the recordings one after another, `seq_len` their numbers of frames, `edges (30, 2)` the bones,
    `split_*` the windows as rows (recording, first frame).

    Raises:
        ValueError: when the archive does not hold the pickles of the checksum.
    """
    members = read_members(archive, NAMES.__contains__, sha256, MOST)
    try:
        (edges, sequences), splits = (ArrayUnpickler(io.BytesIO(members[name])).load() for name in NAMES)
        arrays = {"pos": np.concatenate(sequences), "seq_len": np.array([len(each) for each in sequences])}
        arrays |= {"edges": np.array(edges)}
        arrays |= {f"split_{name}": _rows(split) for name, split in zip(SPLITS, splits, strict=True)}
    except (pickle.UnpicklingError, KeyError, TypeError, EOFError) as error:
        raise ValueError(f"{archive}: not the archive of EGNO ({error!r}); fetch it again") from error
    with open(target, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def _rows(split: dict[int, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.stack([np.full(len(frames), k), frames], 1) for k, frames in split.items()])
