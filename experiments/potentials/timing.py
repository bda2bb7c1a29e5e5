"""What one update costs: forward and backward pass and optimiser, with nothing recorded.

python experiments/potentials/timing.py --out runs/potentials
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from arms import ARMS, DATA, config_of

from learnsym.training import build

ROUNDS = 15
"""Updates of each arm, in turns, of which the fastest is taken."""


def update_of(arm: str, data: str) -> Callable[[], None]:
    """One update of an arm, always with the same batch."""
    config = config_of(ARMS[arm], data, seed=0, steps=None, rate=None)
    model, objective, splits = build(config)
    optimiser = torch.optim.AdamW(model.parameters())
    batch = splits.train.batch(torch.arange(config.train.batch_size))

    def update() -> None:
        optimiser.zero_grad()
        objective(model.train(), batch).total.backward()
        optimiser.step()

    return update


def milliseconds(update: Callable[[], None]) -> float:
    started = time.process_time()
    update()
    return 1e3 * (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", choices=DATA, default="ethanol")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    updates = {arm: update_of(arm, options.data) for arm in ARMS if "longer" not in ARMS[arm]}
    rounds = [{arm: milliseconds(update) for arm, update in updates.items()} for _ in range(ROUNDS)]
    found = {arm: round(min(each[arm] for each in rounds), 2) for arm in updates}
    print(json.dumps(found))
    file = options.out / f"timing-{options.data}.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
