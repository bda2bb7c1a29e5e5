"""How far the weights of a network are from equivariant ones, layer by layer: what is logged along training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.groups import Group
from learnsym.relax import AdmissibleSpace, ProjectedLayer, moved_parameters, spanned_networks
from learnsym.relax.softness.moved_entries import MovedEntries
from learnsym.symmetry import SymmetryLike, as_symmetry

Parameters = Mapping[str, MovedEntries | AdmissibleSpace]
"""How a group moves which parameters of a network, or their spaces, by name."""


@dataclass(frozen=True)
class EquivarianceDistance:
    """The distance `|A_l - Π_E A_l|` of each layer, and of all of them together."""

    layers: dict[str, float]
    """By the name of the parameter."""
    norm: float
    """`sqrt(Σ_l |A_l|²)` of the same parameters."""

    @property
    def total(self) -> float:
        """`sqrt(Σ_l |A_l - Π_E A_l|²)`."""
        return math.hypot(*self.layers.values())

    @property
    def relative(self) -> float:
        """`total / norm`, from 0 for an equivariant network to 1; 0 for one whose parameters are 0."""
        return self.total / self.norm if self.norm else 0.0

    def record(self) -> dict[str, float]:
        """As the columns of a record: `distance` in total, and `distance/<name>` of each layer."""
        return {"distance": self.total, **{f"distance/{name}": value for name, value in self.layers.items()}}

    def __str__(self) -> str:
        layers = ", ".join(f"{name} {value:.3g}" for name, value in self.layers.items())
        return f"{self.total:.3g} of {self.norm:.3g} ({layers})"


@torch.no_grad()
def distance_to_equivariance(
    model: nn.Module, symmetry: Group | SymmetryLike | None = None, parameters: Parameters | None = None
) -> EquivarianceDistance:
    """How far the weights of a network are from equivariant ones: `|A_l - Π_E A_l|`, layer by layer.

    `Π_E` is the orthogonal projection onto the admissible equivariant values. It is known of `relax.Spanned`,
    `relax.ProjectedLayer` and of the exact layers, whose distance is 0; of parameters of any other network it follows
    from how the group moves their entries. It is a distance of weights: the function of a network far from it may be
    equivariant all the same (`measure.equivariance_error`); that of a network at 0 is, when what lies between the
    layers is.

    Its `record()` goes into the log of a training: `fit(..., train=TrainConfig(eval_every=1), validate=lambda model:
    distance_to_equivariance(model, "quarter_turns2d").record())`.

    Reference: Nordenfors, Ohlsson, Flinth (2023), arXiv 2303.13458.

    Args:
        model: any network.
        symmetry: a group or a symmetry, of which the group alone counts; not for a network that consists of layers of
            learnsym.
        parameters: how the group moves which parameters, or their spaces; when None, those of
            `relax.moved_parameters(model)` for a network without layers of learnsym.

    Raises:
        ValueError: for a network without any layer whose projection is known, or a parameter that does not fit.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
        >>> distance = ls.measure.distance_to_equivariance(net, ls.groups.Cyclic(4))
        >>> sorted(distance.record())
        ['distance', 'distance/0.weight', 'distance/2.weight']
    """
    pairs = dict(_of_layers(model))
    if parameters is not None or not pairs:
        spaces = spaces_of(model, symmetry, parameters)
        named = dict(model.named_parameters())
        pairs |= {name: (named[name], named[name] - space.projection(named[name])) for name, space in spaces.items()}
    elif symmetry is not None:
        raise ValueError("symmetry: got one for a network whose layers know their group, must be None; leave it out")
    layers = {name: float(departure.norm()) for name, (_, departure) in pairs.items()}
    return EquivarianceDistance(layers, math.hypot(*(float(weight.norm()) for weight, _ in pairs.values())))


def spaces_of(
    model: nn.Module, symmetry: Group | SymmetryLike | None, parameters: Parameters | None
) -> dict[str, AdmissibleSpace]:
    """The spaces of some parameters of an ordinary network, by name.

    Raises:
        ValueError: for a parameter that the network does not have, and no group where one is needed.
    """
    chosen = moved_parameters(model) if parameters is None else dict(parameters)
    known = dict(model.named_parameters())
    for name in chosen:
        if name not in known:
            raise ValueError(
                f"parameters: got {name!r}, must be parameters of the network: {', '.join(list(known)[:8])}"
            )
    return {name: _space(moved, symmetry) for name, moved in chosen.items()}


def _space(moved: MovedEntries | AdmissibleSpace, symmetry: Group | SymmetryLike | None) -> AdmissibleSpace:
    if isinstance(moved, AdmissibleSpace):
        return moved
    if symmetry is None:
        raise ValueError("symmetry: got None, must be a group or a symmetry; give one such as 'quarter_turns2d'")
    return AdmissibleSpace(moved, symmetry if isinstance(symmetry, Group) else as_symmetry(symmetry).group)


def _of_layers(model: nn.Module) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Weight and departure of the layers of learnsym, each once, by name."""
    for path, net in spanned_networks(model).items():
        weights, departures = net.weights(), net.departures()
        for name in net.names:
            yield ".".join(filter(None, (path, name))), (weights[name], departures[name])
    owned: set[int] = set()
    for path, module in model.named_modules():
        if isinstance(module, ProjectedLayer):
            owned.add(id(module.equivariant))
            yield ".".join(filter(None, (path, "weight"))), (module.weight, module.departure())
        elif isinstance(module, ExactLayer) and id(module) not in owned:
            kernel = module.kernel()
            yield path or "kernel", (kernel, torch.zeros_like(kernel))
