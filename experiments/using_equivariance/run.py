"""Using and abusing equivariance: the input size decides whether a strided network is exact or can be broken.

python experiments/using_equivariance/run.py toy
python experiments/using_equivariance/run.py digits --out runs/using_equivariance
python experiments/using_equivariance/run.py digits --width 10 --epochs 50 --batch 256 --rates step \
    --rate 0.01 --dropout 0.3 --test 10000 --curve 10000 --seeds 10 --device cuda --out runs/using_equivariance_full
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import digits
import torch
import toy

import learnsym as ls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["toy", "digits"])
    parser.add_argument("--trainings", nargs="+", choices=digits.TRAININGS, default=digits.TRAININGS)
    parser.add_argument("--width", type=int, default=5, help="fields of P4; Z2 has twice as many channels")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rates", choices=["cycle", "step"], default="cycle")
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--test", type=int, default=500, help="test digits at right angles")
    parser.add_argument("--curve", type=int, default=50, help="test digits at each of 36 angles")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/using_equivariance"))
    parser.add_argument("--show", action="store_true", help="only print what is in the folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{options.part}.jsonl"
    if not options.show:
        _compute(options, path)
    {"toy": toy, "digits": digits}[options.part].show(_read(path))


def _compute(options: argparse.Namespace, path: Path) -> None:
    """Rows that the file lacks are added to it; the toy is computed anew."""
    start = time.process_time()
    if options.part == "toy":
        path.unlink(missing_ok=True)
        rows = toy.rows(options.seeds)
    else:
        _warn()
        names = [field.name for field in dataclasses.fields(digits.Schedule)]
        schedule = digits.Schedule(**{name: getattr(options, name) for name in names})
        rows = digits.rows(options.seeds, options.trainings, schedule, _read(path))
    for row in rows:
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")
    print(f"{time.process_time() - start:.0f} s")


def _warn() -> None:
    """Say which of the networks are not exact, and where."""
    for order, _, size in digits.NETS.values():
        if order > 1:
            net = ls.nets.P4CNN(1, 10, ls.groups.Cyclic(order), width=1)
            ls.measure.warn_if_inexact(net, size, channels=1)


def _read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
