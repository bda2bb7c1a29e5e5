"""The part of weights that no equivariant layer has: a penalty without group samples and without a forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import group_mean
from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax.admissible.space import AdmissibleSpace
from learnsym.relax.admissible.spanned import spanned_networks
from learnsym.relax.projected_layer import projected_layers

Matrices = tuple[Float[Tensor, "G o o"], Float[Tensor, "G i i"]]
"""Of all elements of a finite group, on the outputs and on the inputs of a layer."""


@final
class ProjectionPenalty(Term):
    """The squared norm of what leaves the equivariant kernels, over layers whose projection is known.

        broken Σ_l |Q(W_l)|² + kept Σ_l |P(W_l)|²,    Q = 1 - P

    exactly, since `P` is known: of every `relax.ProjectedLayer` of the model, of linear layers of any network whose
    representations of a finite group are given, and, as `Π_E`, of `relax.Spanned` and of parameters whose space is
    given. It is the mean square of the equivariance error of each layer, see there. Its gradient is `2 broken Q(W)`; it
    has no second one. A large `broken` gives the exact network, if what lies between the layers is equivariant; two
    equal weights are an ordinary weight decay. A network of layers `A + F` under two decays (`relax.ResidualPathway`)
    has the same minimum: this is that prior with both branches merged.

    Reference: Berndt, Stühmer (2026), arXiv 2601.05028; squares of norms, so that gradients vanish at 0, are our own
    choice. Finzi, Benton, Wilson (2021), arXiv 2112.01388, for the prior.

    Args:
        broken: weight of `|Q(W)|²`.
        kept: weight of `|P(W)|²`.
        matrices: for linear layers, by their paths in the model, the orthogonal matrices `s(g)` of outputs and `r(g)`
            of inputs of all elements of a finite group, see `equivariant.group_mean`.
        spaces: for parameters of any network, by their names in the model.

    Raises:
        ValueError: for a negative weight; for a path of no linear layer, or matrices that do not fit it; for a
            parameter that the model does not have.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> layer = ls.relax.ProjectedLayer(ls.equivariant.EquivariantLinear(fields, fields))
        >>> _ = nn.init.zeros_(layer.weight)[0].data[0].fill_(4.0)
        >>> parts = ls.objectives.terms.ProjectionPenalty(1.0)(layer, torch.zeros(1, 4)).parts
        >>> round(float(parts["departure"]), 4)  # P(W) is the identity, of squared norm 4, of |W|² = 16
        12.0
    """

    kinds = ("projection",)

    def __init__(
        self,
        broken: float,
        kept: float = 0.0,
        matrices: Mapping[str, Matrices] | None = None,
        spaces: Mapping[str, AdmissibleSpace] | None = None,
    ) -> None:
        super().__init__()
        self.broken, self.kept = checked_weight(broken, "broken"), checked_weight(kept, "kept")
        self.matrices = dict(matrices or {})
        self.spaces = dict(spaces or {})

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        with torch.no_grad():
            pairs = [(layer.weight, layer.departure()) for layer in projected_layers(model)]
            pairs += [departed(model, path, *pair) for path, pair in self.matrices.items()]
            pairs += [_left(model, name, space) for name, space in self.spaces.items()]
            departures = [(net, net.departures()) for net in spanned_networks(model).values()]
        pairs += [(net.weights()[name], q) for net, of_net in departures for name, q in of_net.items()]
        broken, left = squared_norms(pairs, x)
        return Loss(self.broken * broken + self.kept * left, {"departure": broken.detach()})


def departed(model: nn.Module, path: str, on_output: Tensor, on_input: Tensor) -> tuple[Tensor, Tensor]:
    """The weight `W` of a linear layer of a model, and `Q(W)`."""
    layer = dict(model.named_modules()).get(path)
    if not isinstance(layer, nn.Linear):
        found = "nothing" if layer is None else type(layer).__name__
        raise ValueError(f"matrices: got the path {path!r}, where the model has {found}, must be that of an nn.Linear")
    weight = layer.weight
    return weight, weight - group_mean(weight, on_output.to(weight), on_input.to(weight))


def _left(model: nn.Module, name: str, space: AdmissibleSpace) -> tuple[Tensor, Tensor]:
    """A parameter `w` of a model, and `w - Π_E w`."""
    known = dict(model.named_parameters())
    if name not in known:
        raise ValueError(f"spaces: got {name!r}, must be parameters of the model: {', '.join(list(known)[:8])}")
    return known[name], known[name] - space.projection(known[name])


def squared_norms(pairs: Sequence[tuple[Tensor, Tensor]], like: Tensor) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """`Σ_l |Q(W_l)|²` and `Σ_l |P(W_l)|²` from pairs `W`, `Q(W)`; 0 without any.

    As `Q` is an orthogonal projection, the gradient of `|Q(W)|²` is `2 Q(W)`, which `2 <Q(W), W>` has at a fixed
    `Q(W)`, too: no derivative has to pass the projection.
    """
    if not pairs:
        return like.new_zeros(()), like.new_zeros(())
    # a difference that is 0 carries the gradient, so that rounding leaves the value what it is, and never negative
    terms = [q.square().sum() + 2 * (q * (weight - weight.detach())).sum() for weight, q in pairs]
    broken = torch.stack(terms).sum()
    # W = P(W) + Q(W) is orthogonal, so that |P(W)|² = |W|² - |Q(W)|²
    return broken, torch.stack([weight.square().sum() for weight, _ in pairs]).sum() - broken
