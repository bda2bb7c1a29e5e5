"""How far the gradient of each layer with a gain leaves the symmetry, and what choosers that look at it share.

Legend of axes: `L` layers with a gain.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import mean_over_processes, processes
from learnsym.objectives._objective import Loss, Objective
from learnsym.objectives.choosers.gains import GainsObjective
from learnsym.objectives.choosers.levels import frozen
from learnsym.parts import examples as examples_in
from learnsym.relax import GainedLayer

LEAST_LOOKS = 10
"""Looks before a standard error is taken at its word."""
Call = tuple[GainedLayer, Tensor, Tensor]
"""Of a layer, with the inputs and outputs of the linear map that it is asked about."""


class GapObjective(GainsObjective):
    """An objective that sets gains by the mean symmetry gap `h` of each layer and its standard error.

        h ← (1 - a) h + a q,    se(h)² = var(q) / n

    with `q` of `gaps`, and `n` the independent looks in the memory of `h`: no more than an epoch has batches.

    Args:
        objective: loss on the targets with the terms of all learners, a mean over examples.
        examples: number of training examples; None for new ones in every batch.
        errors: standard errors by which `h` must be above 0.
        memory: `1 / a` looks.
        every: steps between looks.
    """

    def __init__(self, objective: Objective, examples: int | None, errors: float, memory: int, every: int) -> None:
        super().__init__(objective)
        if not errors >= 0 or memory < 1 or every < 1:
            raise ValueError(
                f"errors, memory, every: got {errors}, {memory}, {every}, must be >= 0, >= 1 and >= 1; take the "
                "defaults"
            )
        if examples is not None and examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples; None for a stream")
        self.examples, self.errors, self.memory, self.every = examples, errors, memory, every
        self.step = 0

    @abc.abstractmethod
    def fixed(self, gains: list[nn.Parameter], batch: int) -> list[nn.Parameter]:
        """Set gains by the state before a step of `batch` examples; those that get no gradient in it."""

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The loss at the gains of this step, after which the state looks at its gradient."""
        gains = [layer.gain.value for layer in layers.values()]
        self._start(gains)
        fixed = self.fixed(gains, examples_in(batch[0]))
        looks = self.step % self.every == 0
        self.step += 1
        with frozen(fixed):
            if not looks:
                return self.objective(model, batch)
            with calls_of(layers.values()) as calls:
                loss = self.objective(model, batch)
        self._look(gaps(loss.total, list(layers.values()), calls))
        return loss

    def _start(self, gains: list[nn.Parameter]) -> None:
        """Mean and variance of `q` for each layer, and the number of looks."""
        like = gains[0].detach()
        for name in ("mean", "variance"):
            self.kept[name] = self.kept.get(name, like.new_zeros(len(gains))).to(like.device)
        self.kept["looks"] = self.kept.get("looks", like.new_zeros(())).to(like.device)

    @torch.no_grad()
    def _look(self, q: Float[Tensor, "L"]) -> None:
        self.kept["looks"] = self.kept["looks"] + 1
        # a plain mean at first, then one that forgets
        a = (1 / self.kept["looks"]).clamp(min=1 / self.memory)
        apart = q - self.kept["mean"]
        self.kept["mean"] = self.kept["mean"] + a * apart
        self.kept["variance"] = (1 - a) * (self.kept["variance"] + a * apart.square())

    def excess(self, batch: int) -> Float[Tensor, "L"]:
        """`h - z se(h)` of each layer; -1, the least that it can be, as long as the looks are too few."""
        most = 2 * self.memory - 1
        if self.examples is not None:
            most = min(most, max(1.0, self.examples / (batch * processes())))
        error = (self.kept["variance"] / self.kept["looks"].clamp(1, most)).sqrt()
        enough = self.kept["looks"] >= LEAST_LOOKS
        return torch.where(enough, self.kept["mean"] - self.errors * error, -1.0)

    def states(self, model: nn.Module) -> dict[str, float]:
        """The state `h` of each layer, its mean symmetry gap."""
        return self.by_layer("mean", model)

    def get_extra_state(self) -> dict[str, Any]:
        """The state, and the number of steps, which is kept on the host."""
        return {**super().get_extra_state(), "step": torch.tensor(self.step)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """That of `get_extra_state`."""
        super().set_extra_state({name: value for name, value in state.items() if name != "step"})
        self.step = int(state["step"])


@contextmanager
def calls_of(layers: Iterable[GainedLayer]) -> Iterator[list[Call]]:
    """The calls of layers with gains within, in order."""
    calls: list[Call] = []

    def note(layer: nn.Module, inputs: Any, outputs: Any) -> None:  # noqa: ANN401  of any layer
        assert isinstance(layer, GainedLayer)
        calls.append((layer, *layer.observed(inputs, outputs)))

    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def gaps(loss: Tensor, layers: list[GainedLayer], calls: list[Call]) -> Float[Tensor, "L"]:
    """`q = <Q(M_1), Q(M_2)> / (|M_1| |M_2|)` of each layer, from the halves of a batch; 0 for a layer without gradient.

    Args:
        loss: a mean over the examples of the batch.
        layers: that have a gain.
        calls: of them on the way to the loss; the first axis of inputs and outputs is that of examples.

    Raises:
        ValueError: for a single example, of which there are no halves.
    """
    if any(len(x) < 2 for _, x, _ in calls):
        raise ValueError("batch: got 1 example, must be at least 2, whose halves are compared; take train.batch_size 2")
    gradients = torch.autograd.grad(loss, [y for _, _, y in calls], retain_graph=True, materialize_grads=True)
    found = []
    for layer in layers:
        own = [(x, d) for (other, x, _), d in zip(calls, gradients, strict=True) if other is layer]
        halves = [_correlation(layer, own, half) for half in (0, 1)] if own else [loss.detach()] * 2
        q = [layer.departure(half) if own else torch.zeros_like(half) for half in halves]
        # <Q(M_1), Q(M_2)> / (|M_1| |M_2|)
        sizes = halves[0].norm() * halves[1].norm()
        found.append((q[0] * q[1]).sum() / sizes.clamp(min=torch.finfo(sizes.dtype).tiny))
    return torch.stack(found).detach().to(layers[0].gain.value)


def _correlation(layer: GainedLayer, own: list[tuple[Tensor, Tensor]], half: int) -> Tensor:
    """`M` of one half of the examples, over all calls of a layer and all processes."""
    parts = [(x.chunk(2)[half], d.chunk(2)[half]) for x, d in own]
    return mean_over_processes(torch.stack([layer.correlation(x, d) for x, d in parts]).sum(0))
