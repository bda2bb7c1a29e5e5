"""What choosers of gains share: which layers they hold, and what they keep from step to step."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives._objective import Loss, Objective
from learnsym.relax import GainedLayer, gained_layers


class GainsObjective(nn.Module, abc.ABC):
    """An objective that holds the gains of a model; in evaluation it is the objective inside."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective
        self.kept: dict[str, Tensor] = {}

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The loss of a batch, with the mean size of gains among its parts."""
        if not model.training:
            return self.objective(model, batch)
        layers = gained_layers(model)
        loss = self.held(model, batch, layers)
        return Loss(loss.total, {**loss.parts, "gain": self.gains(layers).detach().abs().mean()})

    @abc.abstractmethod
    def held(self, model: nn.Module, batch: Any, layers: dict[str, GainedLayer]) -> Loss:  # noqa: ANN401
        """The loss of a training batch with what holds the gains."""

    @staticmethod
    def gains(layers: dict[str, GainedLayer]) -> Float[Tensor, "L"]:
        """γ of each layer."""
        return torch.stack([layer.gain() for layer in layers.values()])

    def by_layer(self, kind: str, model: nn.Module) -> dict[str, float]:
        """Numbers that were kept of each layer, by its path; none before the first step."""
        return dict(zip(gained_layers(model), self.kept[kind].tolist(), strict=True)) if kind in self.kept else {}

    def get_extra_state(self) -> dict[str, Tensor]:
        """What is kept from step to step, by name."""
        return dict(self.kept)

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """That of `get_extra_state`."""
        self.kept = {name: value.clone() for name, value in state.items()}


def set_values(gains: Iterable[nn.Parameter], values: Float[Tensor, "L"]) -> None:
    """Give each gain its value, as a chooser that leaves none to the optimiser does."""
    with torch.no_grad():
        for gain, value in zip(gains, values, strict=True):
            gain.copy_(value)
