"""Random generators that are a pure function of a few integers."""

from __future__ import annotations

import numpy as np
import torch


def generator(*words: int) -> torch.Generator:
    """A CPU generator seeded by all of `words`: a change of any one gives an unrelated stream."""
    state = np.random.SeedSequence([word % 2**64 for word in words]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))
