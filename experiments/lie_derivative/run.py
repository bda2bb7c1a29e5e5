"""The local equivariance error: derivatives of images, the layers of large networks, and what training changes.

python experiments/lie_derivative/run.py stencils --out runs/lie_derivative
python experiments/lie_derivative/run.py layers --out runs/lie_derivative
python experiments/lie_derivative/run.py training --data mnist --out runs/lie_derivative
"""

import argparse
import json
import logging
import time
from pathlib import Path

import layers
import stencils
import torch
import training

DATA = ("mnist", "cifar10-jpeg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["stencils", "layers", "training"])
    parser.add_argument("--data", choices=DATA, default=DATA[0], help="of the training part")
    parser.add_argument("--out", type=Path, default=Path("runs/lie_derivative"))
    parser.add_argument("--show", action="store_true", help="only print what is in the folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    # the layouts of window attention are detected, which is reported once per call
    logging.getLogger("learnsym.measure").setLevel(logging.ERROR)
    part = {"stencils": stencils, "layers": layers, "training": training}[arguments.part]
    options = (arguments.data,) if part is training else ()
    path = arguments.out / f"{'-'.join((arguments.part, *options))}.json"
    if not arguments.show:
        start = time.process_time()
        lines = [json.dumps(row) for row in part.rows(*options)]
        arguments.out.mkdir(parents=True, exist_ok=True)
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
        print(f"{time.process_time() - start:.0f} s")
    part.show(json.loads(path.read_text()))


if __name__ == "__main__":
    main()
