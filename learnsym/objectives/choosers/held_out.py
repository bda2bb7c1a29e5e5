"""Held-out examples that choosers draw from."""

from __future__ import annotations

import torch

from learnsym.distributions.noise import random_examples
from learnsym.objectives._objective import Batch
from learnsym.parts import chosen, moved_to, tensors_in


class HeldOut:
    """Examples that the weights never see, of which a batch is drawn at random at each step.

    Args:
        examples: inputs, floating, and targets; None where nothing is trained.
        batch_size: number of a batch, of all processes together.

    Raises:
        ValueError: when `batch_size` is below 1, or the inputs are not floating.
    """

    def __init__(self, examples: Batch | None, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: got {batch_size}, must be >= 1; one held-out example is the fewest")
        dtypes = [] if examples is None else [tensor.dtype for _, tensor in tensors_in(examples[0])]
        if examples is not None and not any(dtype.is_floating_point for dtype in dtypes):
            got = ", ".join(map(str, dtypes))
            raise ValueError(f"held_out: got inputs of {got}, must be floating; `Dataset.inputs` are")
        self.examples = examples
        self.batch_size = batch_size

    def drawn(self, device: torch.device) -> Batch:
        """A batch.

        Raises:
            ValueError: when there are no examples.
        """
        if self.examples is None:
            raise ValueError("held_out: got None; give inputs and targets that the network is not trained on")
        x, y = self.examples
        self.examples = x, y = moved_to(x, device), moved_to(y, device)
        indices = random_examples(len(y), self.batch_size, device)
        return chosen(x, indices), chosen(y, indices)
