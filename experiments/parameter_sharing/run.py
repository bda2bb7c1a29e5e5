"""Learned parameter sharing: are equal weights found, and the matrices by which a group moves kernels?

python experiments/parameter_sharing/run.py --out runs/parameter_sharing
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import images
import means
import orbits
import shifts
import sums
import torch

Rows = list[dict[str, Any]]
PARTS: dict[str, tuple[Callable[[], Rows], Callable[[Rows], str]]] = {
    "means": (means.rows, means.table),
    "shifts": (shifts.rows, shifts.table),
    "sums": (partial(sums.rows, "sum of 4"), sums.table),
    "tens": (partial(sums.rows, "sum of 10"), sums.table),
    "orbits": (orbits.rows, orbits.table),
    "images": (partial(images.rows, "quarter turns", "0 to 90 degrees"), images.table),
    "upright": (partial(images.rows, "nothing"), images.table),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which tasks")
    parser.add_argument("--out", type=Path, default=Path("runs/parameter_sharing"), help="folder for PART.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts:
        run, table = PARTS[part]
        begun = time.process_time()
        rows = run()
        result = {"processor seconds": time.process_time() - begun, "rows": rows}
        (options.out / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(table(rows), f"{result['processor seconds']:.0f} s", sep="\n", flush=True)


if __name__ == "__main__":
    main()
