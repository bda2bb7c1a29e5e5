"""A Gaussian process whose length scale changes at one of a few places: translations hold elsewhere.

Legend of axes: `B` tasks, `N` and `M` locations, `T` targets, `J` kernels, `K = 2 C` with one value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.processes.dataset import task_dataset
from learnsym.data.seeding import generator
from learnsym.tasks import Inputs, Tasks

LONG, SHORT, NOISE = 4.0, 0.1, 0.1
CHANGES, SIDES = (-1.0, 0.0, 1.0), (-1.0, 1.0)
CONTEXT_REACH, TARGET_REACH = 2.0, 4.0
CHUNK = 512
"""Tasks that are drawn at a time."""


@dataclass(frozen=True, kw_only=True)
class GibbsProcess:
    """Draws of Gaussian processes with a Gibbs kernel, with length scale 4 on one side of a place, 0.1 on the other.

        k(x, x') = (2 l l' / (l² + l'²))^(1/2) exp(-(x - x')² / (l² + l'²)),    l = l(x), l' = l(x')

    The place is -1, 0 or 1, the long side the left or the right one, each of the six kernels with the same
    probability, anew for each task (the published task: for each batch). Values have noise of 0.1. So translations are
    broken by where the change can be, and by nothing else: beyond [-1, 1] every draw is stationary. Contexts are of 1
    to `context` points in [-2, 2], targets lie in [-4, 4].

    Reference: Gibbs, "Bayesian Gaussian processes for regression and classification" (1997); the task is that of Ashman
    et al. (2024), arXiv 2406.13488.

    Args:
        context: the largest number of context points.
        targets: number of targets.
        shift: by how much everything, the changes too, lies to the right.

    Raises:
        ValueError: for numbers below 1.

    Example:
        >>> process = ls.data.processes.GibbsProcess(context=8, targets=16)
        >>> data = process.dataset(4, seed=0)
        >>> data.in_shape, process.log_likelihood(data.inputs, data.y).shape
        ((24, 1), torch.Size([4]))
    """

    context: int = 64
    targets: int = 128
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.context < 1 or self.targets < 1:
            raise ValueError(f"context, targets: got {self.context}, {self.targets}, must be >= 1; take 64 and 128")

    def dataset(self, count: int, seed: int = 0) -> Dataset:
        """So many tasks."""
        draws = generator(seed, 73)
        parts = [self._drawn(min(CHUNK, count - start), draws) for start in range(0, count, CHUNK)]
        tasks = Tasks(*(torch.cat(part) for part in zip(*(tasks for tasks, _ in parts), strict=True)))
        variant = f"shifted by {self.shift:g}" if self.shift else ""
        return task_dataset(tasks, torch.cat([targets for _, targets in parts]), "gibbs", variant)

    def _drawn(self, count: int, draws: torch.Generator) -> tuple[Tasks, Float[Tensor, "B T K"]]:
        whole = self.context + self.targets
        u = 2 * torch.rand(count, whole, 1, generator=draws) - 1
        reach = torch.where(torch.arange(whole) < self.context, CONTEXT_REACH, TARGET_REACH)
        x = u * reach[:, None]
        kernel = torch.randint(len(CHANGES) * len(SIDES), (count,), generator=draws)
        K = gibbs_kernel(x, x, *(each[kernel].float() for each in kernels()))
        L = torch.linalg.cholesky(K + NOISE**2 * torch.eye(whole))  # noise keeps it far from singular
        y = L @ torch.randn(count, whole, 1, generator=draws)
        sizes = torch.randint(1, self.context + 1, (count,), generator=draws)
        mask = torch.arange(self.context) < sizes[:, None]
        context, targets = (x + self.shift).split([self.context, self.targets], 1)
        known, asked = y.split([self.context, self.targets], 1)
        known, context = (torch.where(mask[..., None], each, 0.0) for each in (known, context))
        return Tasks(context, known, mask, targets), torch.cat([asked, torch.ones_like(asked)], -1)

    def log_likelihood(self, x: Inputs, y: Float[Tensor, "B T K"]) -> Float[Tensor, "B"]:
        """The predictive log-likelihood of each target by the process itself, its mean over the targets of each task.

            log Σ_j p(j | D) N(y_t; m_j(x_t), v_j(x_t)),    p(j | D) = softmax_j log p(y_D | x_D, j)

        No prediction of targets one by one is better in expectation. The weights `p(j | D)` of the six kernels are
        those of Bayes' rule; a sum without them is larger by up to log 6 = 1.79.
        """
        return torch.cat(
            [self._of_tasks(tasks, part) for tasks, part in zip(_split(x, CHUNK), y.split(CHUNK), strict=True)]
        )

    def _of_tasks(self, tasks: Tasks, y: Float[Tensor, "B T K"]) -> Float[Tensor, "B"]:
        context_x, context_y, target_x = (
            part.double().unsqueeze(1) for part in (tasks.context_x, tasks.context_y, tasks.target_x)
        )
        m = tasks.mask.double()[:, None, :, None]
        context_x, target_x, changes, sides = context_x - self.shift, target_x - self.shift, *kernels()
        # of points that are not there: independent, known to be 0
        K = gibbs_kernel(context_x, context_x, changes, sides) * m * m.mT
        K = K + torch.diag_embed((NOISE**2 * m + 1 - m)[..., 0])
        L = torch.linalg.cholesky(K)
        a = torch.linalg.solve_triangular(L, (context_y * m).expand(-1, len(changes), -1, -1), upper=False)
        evidence = -0.5 * a.square().sum((2, 3)) - L.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        A = torch.linalg.solve_triangular(L, gibbs_kernel(context_x, target_x, changes, sides) * m, upper=False)
        mean, variance = (A.mT @ a)[..., 0], 1 + NOISE**2 - A.square().sum(-2)
        values, present = y.double().chunk(2, -1)
        nats = -0.5 * (math.log(2 * math.pi) + variance.log() + (values.mT - mean).square() / variance)
        each = (evidence.log_softmax(1).unsqueeze(-1) + nats).logsumexp(1)
        return ((each * present[..., 0]).sum(1) / present.sum((1, 2)).clamp(min=1)).float()


def kernels() -> tuple[Float[Tensor, "J"], Float[Tensor, "J"]]:
    """Where the length scale changes and on which side it is long, of each kernel."""
    changes, sides = torch.meshgrid(torch.tensor(CHANGES), torch.tensor(SIDES), indexing="ij")
    return changes.flatten().double(), sides.flatten().double()


def gibbs_kernel(
    x: Float[Tensor, "*B N 1"], other: Float[Tensor, "*B M 1"], change: Float[Tensor, "*J"], side: Float[Tensor, "*J"]
) -> Float[Tensor, "*S N M"]:
    """`k(x, x')` with one place and side for each batch element.

    Example:
        >>> from learnsym.data.processes.gibbs import gibbs_kernel
        >>> x = torch.tensor([[[-3.0], [-2.0], [3.0]]])
        >>> gibbs_kernel(x, x, torch.tensor([0.0]), torch.tensor([-1.0]))[0, 0]  # exp(-1 / 32) on the long side
        tensor([1.0000, 0.9692, 0.0236])
    """
    change, side = change[..., None, None], side[..., None, None]
    here, there = (torch.where((each - change) * side > 0, LONG, SHORT) for each in (x, other.mT))
    squares = here.square() + there.square()
    return (2 * here * there / squares).sqrt() * (-(x - other.mT).square() / squares).exp()


def _split(x: Inputs, size: int) -> list[Tasks]:
    parts = zip(*(each.split(size) for each in Tasks.of(x)), strict=True)
    return [Tasks(*part) for part in parts]
