"""What one update costs: forward and backward pass and optimiser, with nothing recorded."""

import time

import torch

from learnsym.training import RunConfig, build

TIMED = 20
"""Steps of which the fastest is taken."""


def seconds_of_step(config: RunConfig) -> float:
    """CPU seconds of the fastest update of a configuration."""
    model, objective, splits = build(config)
    optimiser = torch.optim.AdamW(model.parameters())
    batch = splits.train.batch(torch.arange(config.train.batch_size))
    taken = []
    for _ in range(TIMED):
        started = time.process_time()
        optimiser.zero_grad()
        objective(model.train(), batch).total.backward()
        optimiser.step()
        taken.append(time.process_time() - started)
    return min(taken)
