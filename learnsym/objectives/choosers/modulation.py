"""A running state of how far the gradient leaves the symmetry, as the chooser of gains.

Legend of axes: `L` layers with a gain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._processes import mean_over_processes, processes
from learnsym._settings import Count, NotNegative, Positive
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import GainsObjective, set_gains
from learnsym.objectives.choosers.levels import frozen
from learnsym.parts import examples as examples_in
from learnsym.relax import GainedLayer

LEAST_LOOKS = 10
"""Looks before a standard error is taken at its word."""
Call = tuple[GainedLayer, Tensor, Tensor]
"""Of a layer, with the inputs and outputs of the linear map that it is asked about."""


@dataclass(frozen=True, kw_only=True)
class Modulation(Chooser):
    """Gains that follow how far the gradient of each layer leaves the symmetry, see `objectives.ModulatedGains`."""

    name: Literal["modulation"] = "modulation"
    """Chooser of the degree of symmetry."""
    scale: Positive = 1.0
    """Gain per unit of the state, which is at most 1."""
    errors: NotNegative = 3.0
    """Standard errors by which the state must be above 0."""
    memory: Count = 100
    """Looks over which the state runs."""
    every: Count = 2
    """Steps between looks, each of which costs about a second pass backwards."""

    label = "modulation"
    note = "The free branch of each layer is as strong as the mean gradient is found to leave the symmetry."
    sets_gains = True

    needs = "nothing: gains follow gradients"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective with gains set before every step."""
        return ModulatedGains(
            objective, examples, scale=self.scale, errors=self.errors, memory=self.memory, every=self.every
        )


class ModulatedGains(GainsObjective):
    """An objective that sets the gain of each layer from a running state of its symmetry gap.

        M = E[d xᵀ],    q = <Q(M_1), Q(M_2)> / (|M_1| |M_2|),    h ← (1 - a) h + a q,    γ = scale · relu(h - z se(h))

    with the inputs `x` of a linear map in the layer, the loss gradients `d` at its outputs, and `M_1`, `M_2` of the two
    halves of a batch. Where the joint law of `(x, d)` is invariant, `Q(M) = 0`, and `E[q] = 0` since the halves are
    independent, whereas `|Q(M)|²` would hold the noise of the batch; `q` needs targets, and no group samples. So gains
    end at 0 where the data are symmetric, but for chance, and they are at most `scale` times the gap. Looks count as
    independent up to one epoch: examples that come again say nothing new about their law. The first looks, of which no
    standard error is known, leave gains at 0.

    Gains begin at 0, whatever they are, and get no gradient. The law is that at the current weights: above a layer that
    breaks the symmetry, `(x, d)` is not invariant even where the data are. A gap that the free branch has closed is no
    longer seen, so that the gain is not where the loss is least, but where what is left of the gap feeds it.

    Reference: Pertigkiozoglou, Petrache, Trivedi, Daniilidis (2026), arXiv 2602.02853 (RECM), for the idea of a
    recurrent state of each layer, driven by the symmetry gap; signal, state and bound are our own, and this is not
    their method.

    Args:
        objective: loss on the targets with the terms of all learners, a mean over examples.
        examples: number of training examples; None for new ones in every batch.
        scale: gain per unit of the state.
        errors: `z`.
        memory: `1 / a` looks.
        every: steps between looks.

    Raises:
        ValueError: for a number out of range; in training, when the model has no gain, or a batch has one example.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.ModulatedGains(ls.objectives.Supervised(ls.objectives.mse))
        >>> float(objective(net, (torch.rand(6, 4), torch.rand(6, 4))).parts["gain"])
        0.0
    """

    def __init__(
        self,
        objective: Objective,
        examples: int | None = None,
        *,
        scale: float = 1.0,
        errors: float = 3.0,
        memory: int = 100,
        every: int = 2,
    ) -> None:
        super().__init__(objective)
        if not scale > 0 or not errors >= 0 or memory < 1 or every < 1:
            raise ValueError(
                f"scale, errors, memory, every: got {scale}, {errors}, {memory}, {every}, must be > 0, >= 0, >= 1 and "
                ">= 1; take the defaults"
            )
        if examples is not None and examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples; None for a stream")
        self.scale, self.errors, self.memory, self.every = scale, errors, memory, every
        self.examples = examples
        self.step = 0

    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The loss at the gains of this step, after which the state looks at its gradient."""
        state = self._state(next(iter(layers.values())).gain.value, len(layers))
        set_gains(layers.values(), self._gains(state, examples_in(batch[0])))
        looks = self.step % self.every == 0
        self.step += 1
        with frozen(layer.gain.value for layer in layers.values()):
            if not looks:
                return self.objective(model, batch)
            with calls_of(layers.values()) as calls:
                loss = self.objective(model, batch)
        self._look(state, gaps(loss.total, list(layers.values()), calls))
        return loss

    def _state(self, like: Tensor, layers: int) -> dict[str, Tensor]:
        """Mean and variance of `q` for each layer, and the number of looks."""
        for name in ("mean", "variance"):
            self.kept[name] = self.kept.get(name, like.detach().new_zeros(layers)).to(like.device)
        self.kept["looks"] = self.kept.get("looks", like.detach().new_zeros(())).to(like.device)
        return self.kept

    def _gains(self, state: dict[str, Tensor], batch: int) -> Float[Tensor, "L"]:
        # γ = scale relu(h - z se)
        gains = self.scale * (state["mean"] - self.errors * self._error(state, batch)).relu()
        return gains * (state["looks"] >= LEAST_LOOKS)

    def _error(self, state: dict[str, Tensor], batch: int) -> Float[Tensor, "L"]:
        """`se(h)² = var(q) / n`, with the independent looks `n` in the memory of `h`."""
        most = 2 * self.memory - 1
        if self.examples is not None:
            most = min(most, max(1.0, self.examples / (batch * processes())))
        return (state["variance"] / state["looks"].clamp(1, most)).sqrt()

    @torch.no_grad()
    def _look(self, state: dict[str, Tensor], q: Float[Tensor, "L"]) -> None:
        state["looks"] = state["looks"] + 1
        # a plain mean at first, then one that forgets
        a = (1 / state["looks"]).clamp(min=1 / self.memory)
        apart = q - state["mean"]
        state["mean"] = state["mean"] + a * apart
        state["variance"] = (1 - a) * (state["variance"] + a * apart.square())

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
        raise ValueError("batch: got 1 example, must be at least 2 for the chooser modulation; take train.batch_size 2")
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
