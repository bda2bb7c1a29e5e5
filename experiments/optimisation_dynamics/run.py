"""Optimisation dynamics: what augmentation does to the weights of a network that begins equivariant.

python experiments/optimisation_dynamics/run.py --out runs/optimisation_dynamics
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import ensembles
import penalty
import positions
import saddle
import torch
import weights

PARTS = {"weights": weights, "penalty": penalty, "positions": positions, "saddle": saddle, "ensembles": ensembles}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which questions")
    parser.add_argument("--seeds", type=int, default=5, help="of all parts but ensembles; at most two of saddle")
    parser.add_argument("--out", type=Path, default=Path("runs/optimisation_dynamics"), help="folder for PART.json")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds: got {options.seeds}, must be at least 1; 30 are the published number")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts:
        begun = time.process_time()
        rows = PARTS[part].rows(options.seeds)
        result = {"processor seconds": time.process_time() - begun, "rows": rows}
        (options.out / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(PARTS[part].table(rows), f"{result['processor seconds']:.0f} s", sep="\n", flush=True)


if __name__ == "__main__":
    main()
