"""Who chooses the weights of penalties beside the task: you, equal gradients, a tolerance, or held-out examples."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed import ReduceOp, all_reduce, get_world_size, is_available, is_initialized

Values = dict[str, Tensor]


class Weighting(nn.Module, abc.ABC):
    """Weights of penalties, one each; what they have learned is kept in buffers, so that runs resume."""

    unit: str
    """In which degrees are read."""
    needs_held_out = False
    """Whether `update` reads losses of examples on which the network is not trained."""

    def __init__(self, names: Sequence[str], start: float) -> None:
        super().__init__()
        if not names or len(set(names)) < len(names):
            raise ValueError(f"names: got {list(names)}, must be one name per penalty, all different")
        if not start >= 0:
            raise ValueError(f"start: got {start}, must be a weight >= 0; 1 is usual")
        self.names = tuple(names)
        self.weights: Tensor
        self.register_buffer("weights", torch.full((len(self.names),), float(start)))

    @abc.abstractmethod
    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        """Move the weights after a look at this step's task loss and penalties, before they are used."""

    @abc.abstractmethod
    def degrees(self) -> list[float]:
        """How much of each symmetry the weights stand for; empty when they were not learned."""

    def forward(self, task: Tensor, penalties: Values) -> Tensor:
        """`task + Σ_k w_k penalty_k`."""
        stacked = torch.stack([penalties[name] for name in self.names])
        if self.training:
            self.update(task, stacked)
        return task + (self.weights.to(stacked) * stacked).sum()


class ConstantWeights(Weighting):
    """Weights that you choose, 0 or more; `weight` for every penalty.

    Example:
        >>> float(ls.objectives.ConstantWeights(["so3"], 2.0)(torch.tensor(1.0), {"so3": torch.tensor(3.0)}))
        7.0
    """

    unit = "weight"

    def __init__(self, names: Sequence[str], weight: float = 1.0) -> None:
        super().__init__(names, weight)

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        """Nothing."""

    def degrees(self) -> list[float]:
        """None: nothing was learned."""
        return []


class GradNorm(Weighting):
    """Weights that bring the gradients of task and penalties to like size, faster for what has been learned less.

        G_k = w_k |∇ L_k|,    target_k = mean_j G_j · (r_k / mean_j r_j)^restoring,    r_k = L_k(t) / L_k(0)
        w_k ← w_k - rate · sign(G_k - target_k) |∇ L_k|,    then Σ w = number of losses

    The task is one of the losses, and the weights reported are relative to its own. The gradient of `|G - target|` to
    the weights is exact and linear, so that no second derivative reaches the network.

    Reference: Chen, Badrinarayanan, Lee, Rabinovich, "GradNorm" (2018), arXiv 1711.02257.

    Args:
        names: of the penalties.
        shared: parameters in which gradients are compared, usually those of the last layer.
        restoring: exponent; larger brings rates of learning together more strongly.
        rate: learning rate of the weights.
        start: relative weight of each penalty at the start.

    Raises:
        ValueError: without shared parameters.
    """

    unit = "weight"

    def __init__(
        self,
        names: Sequence[str],
        shared: Sequence[nn.Parameter],
        restoring: float = 1.5,
        rate: float = 0.025,
        start: float = 1.0,
    ) -> None:
        super().__init__(names, start)
        self._shared = _unregistered(shared)
        self.restoring = restoring
        self.rate = rate
        self.absolute: Tensor
        self.first: Tensor
        self.register_buffer("absolute", self._normalised(torch.cat([torch.ones(1), self.weights])))
        self.register_buffer("first", torch.zeros(len(self.names) + 1))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        losses = torch.cat([task[None], penalties])
        norms = torch.stack([_gradient(loss, self._shared[0]).norm() for loss in losses])
        now = _mean_over_processes(losses.detach())
        if not self.first.any():
            self.first.copy_(now.clamp(min=1e-12))
        rates = now / self.first
        weighted = self.absolute * norms
        target = weighted.mean() * (rates / rates.mean().clamp(min=1e-12)) ** self.restoring
        step = self.rate * (weighted - target).sign() * norms
        self.absolute.copy_(self._normalised((self.absolute - step).clamp(min=1e-3)))
        self.weights.copy_(self.absolute[1:] / self.absolute[0])

    def degrees(self) -> list[float]:
        """The weights relative to that of the task."""
        return self.weights.tolist()

    @staticmethod
    def _normalised(weights: Tensor) -> Tensor:
        return weights * (len(weights) / weights.sum())


class DualAscent(Weighting):
    """The smallest weights for which each penalty is at most a tolerance.

        min task  subject to  penalty_k <= tolerance:    w_k ← max(0, w_k + rate (penalty_k - tolerance))

    The multiplier of a constraint that costs nothing goes to 0; one that the data resist grows. Multipliers add up what
    they have seen: without a warm-up, the defect of the untrained network too, in steps of `rate` per unit of penalty.

    Args:
        names: of the penalties.
        tolerance: in the unit of the penalties.
        rate: step of the multipliers, per unit of penalty.
        start: weights at the start.
        warmup: steps before the multipliers move.

    Reference: Elenter, Chamon, Ribeiro et al., adaptive constrained equivariance (2024); the method is classical.
    """

    unit = "weight"

    def __init__(
        self, names: Sequence[str], tolerance: float, rate: float = 1.0, start: float = 1.0, warmup: int = 0
    ) -> None:
        super().__init__(names, start)
        if not tolerance >= 0 or not rate > 0 or warmup < 0:
            raise ValueError(f"tolerance, rate, warmup: got {tolerance}, {rate}, {warmup}, must be >= 0, > 0 and >= 0")
        self.tolerance = tolerance
        self.rate = rate
        self.warmup = warmup
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        excess = _mean_over_processes(penalties.detach().float()) - self.tolerance
        self.seen += 1
        moves = (self.seen > self.warmup).float()
        self.weights.copy_((self.weights + moves * self.rate * excess).clamp(min=0))

    def degrees(self) -> list[float]:
        """The multipliers."""
        return self.weights.tolist()


class ValidationWeights(Weighting):
    """Weights that grow while a smaller penalty also means a smaller loss on held-out examples, and fall otherwise.

    One step of descent along `-w_k ∇penalty_k` changes the held-out loss in proportion to `-w_k ∇task · ∇penalty_k`, so

        log w_k ← log w_k + rate · c_k,    c_k = cosine of ∇task and ∇penalty_k, as running means

    is descent of that loss in the weights (one-step bilevel optimisation). A network that breaks a symmetry to fit has
    the two gradients opposed, and the weight goes to its floor; a penalty that only keeps the network from fitting
    noise has them aligned.

    It sees one step ahead, and neither sizes nor the loss itself: penalties far larger than the task can hold a network
    where nothing is opposed any more. So compare the held-out loss with that of a plain twin. In the experiment
    `motion_capture`, where all examples head one way, every weight rises and the loss is twenty times worse.

    Reference: Liu, Simonyan, Yang, "DARTS" (2019), arXiv 1806.09055, for the one-step form; for penalties our own.

    Args:
        names: of the penalties.
        shared: parameters in which gradients are compared, usually those of the last layer.
        rate: of the logarithms, per step.
        start: weights at the start.
        floor: smallest weight, which stands for "ruled out".
        ceiling: largest weight.
        memory: number of steps over which gradients' products run.

    Raises:
        ValueError: without shared parameters, or unless `0 < floor <= start <= ceiling`.
    """

    unit = "1"
    needs_held_out = True

    def __init__(
        self,
        names: Sequence[str],
        shared: Sequence[nn.Parameter],
        rate: float = 0.03,
        start: float = 0.1,
        floor: float = 1e-3,
        ceiling: float = 1.0,
        memory: int = 30,
    ) -> None:
        super().__init__(names, start)
        if not 0 < floor <= start <= ceiling or not rate > 0 or memory < 1:
            raise ValueError(
                f"rate, start, floor, ceiling, memory: got {rate}, {start}, {floor}, {ceiling}, {memory}, must be "
                "positive with floor <= start <= ceiling"
            )
        self._shared = _unregistered(shared)
        self.rate = rate
        self.floor = floor
        self.ceiling = ceiling
        self.memory = memory
        self.products: Tensor
        self.register_buffer("products", torch.zeros(3, len(self.names)))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        wanted = _gradient(task, self._shared[0])
        found = torch.stack([_gradient(penalty, self._shared[0]) for penalty in penalties])
        squares = wanted.square().sum().expand(len(found))
        now = torch.stack([found @ wanted, squares, found.square().sum(1)])
        self.products.lerp_(now, 1 / self.memory)
        cosine = self.products[0] / (self.products[1] * self.products[2]).sqrt().clamp(min=1e-30)
        self.weights.copy_((self.weights * (self.rate * cosine).exp()).clamp(self.floor, self.ceiling))

    def degrees(self) -> list[float]:
        """Where the logarithm of each weight lies between floor (0, ruled out) and ceiling (1, as good as labels)."""
        width = math.log(self.ceiling / self.floor)
        return ((self.weights / self.floor).log() / width if width else self.weights).tolist()


def _unregistered(shared: Sequence[nn.Parameter]) -> tuple[list[nn.Parameter]]:
    """Parameters that belong to the network: a list in a tuple is not registered."""
    if not shared:
        raise ValueError("shared: got no parameter; give those of the last layer, list(net.head.parameters())")
    return (list(shared),)


def _gradient(loss: Tensor, parameters: list[nn.Parameter]) -> Float[Tensor, "P"]:
    grads = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
    return _mean_over_processes(torch.cat([grad.float().flatten() for grad in grads]))


def _mean_over_processes(values: Tensor) -> Tensor:
    if not (is_available() and is_initialized()):
        return values
    total = values.clone()
    all_reduce(total, ReduceOp.SUM)
    return total / get_world_size()
