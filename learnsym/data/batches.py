"""Batches: any step of an endless, shuffled pass over a data set, without per-example Python."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.inputs import Inputs
from learnsym.data.seeding import generator


class Batches:
    """The batch of any training step, as a pure function of the step: `batches[step] -> (x, y)`.

    Each epoch is a new permutation seeded by `(seed, epoch)` and holds `len(dataset) // batch_size` full batches; the
    rest of the permutation is dropped (other examples in every epoch). All ranks share the permutation, and rank `r` of
    `world` takes the `r`-th equal slice of each batch, so that together they see what one process sees. The whole data
    set lies on `device`, and a batch is one index-select there; of `Rows` a batch is read and sent there.

    Args:
        dataset: the examples.
        batch_size: examples in a batch of all ranks together.
        seed: determines the permutations.
        device: where batches lie.
        rank: the rank of this process.
        world: number of processes.

    Raises:
        ValueError: when a batch is larger than the data set or does not divide into equal slices.

    Example:
        >>> data = ls.data.Dataset(torch.rand(10, 4), torch.arange(10), classes=10)
        >>> batches = ls.data.Batches(data, 4, seed=1)
        >>> x, y = batches[7]
        >>> x.shape, batches.steps_per_epoch, bool((batches.indices(7) == y).all())
        (torch.Size([4, 4]), 2, True)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        seed: int = 0,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
    ) -> None:
        _check(len(dataset), batch_size, rank, world)
        self.dataset = dataset.to(device)
        self.batch_size = batch_size
        self.seed = seed
        self.device = torch.device(device)
        self.rank = rank
        self.world = world
        self.steps_per_epoch = len(dataset) // batch_size
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.long)

    def __getitem__(self, step: int) -> tuple[Inputs, Tensor]:
        return self.dataset.batch(self.indices(step))

    def __iter__(self) -> Iterator[tuple[Inputs, Tensor]]:
        """Batches from step 0 on, for ever."""
        step = 0
        while True:
            yield self[step]
            step += 1

    def indices(self, step: int) -> Tensor:
        """Which examples this rank gets at `step`: indices into the data set, shape `(batch_size / world,)`."""
        share = self.batch_size // self.world
        return self.global_indices(step)[self.rank * share : (self.rank + 1) * share]

    def global_indices(self, step: int) -> Tensor:
        """Which examples all ranks together get at `step`, shape `(batch_size,)`."""
        if step < 0:
            raise ValueError(f"step: got {step}, must be >= 0; steps count from the start of training")
        epoch, k = divmod(step, self.steps_per_epoch)
        return self._permutation(epoch)[k * self.batch_size : (k + 1) * self.batch_size]

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            # Drawn on the CPU: the same order on every device.
            order = torch.randperm(len(self.dataset), generator=generator(self.seed, epoch))
            self._epoch, self._order = epoch, order.to(self.device)
        return self._order


def _check(n: int, batch_size: int, rank: int, world: int) -> None:
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size: got {batch_size}, must lie in [1, {n}], the size of the data set")
    if world < 1 or batch_size % world:
        raise ValueError(f"batch_size: got {batch_size} for world={world}, must be a multiple of the number of ranks")
    if not 0 <= rank < world:
        raise ValueError(f"rank: got {rank}, must lie in [0, {world - 1}]")
