"""The rows of a root of the generalised Gauss-Newton matrix, example by example.

Legend of axes: `B` batch, `D` outputs of an example, `R` rows, `P` entries of a tensor of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole, split


@dataclass(frozen=True)
class Rows:
    """`R = S^T J` for each tensor of weights, so that `Σ_n J_n^T Λ_n J_n = R^T R`, with the outputs."""

    outputs: Float[Tensor, "B D"]
    by_tensor: dict[str, Float[Tensor, "R P"]]

    def gram(self, precisions: Mapping[str, Tensor]) -> Float[Tensor, "R R"]:
        """`Σ_l R_l R_l^T / δ_l`, for a precision of each tensor `l`."""
        parts = [rows @ rows.mT / precisions[name] for name, rows in self.by_tensor.items()]
        return torch.stack(parts).sum(0)


def rows_of(
    model: nn.Module,
    weights: Mapping[str, nn.Parameter],
    x: Whole,
    likelihood: Likelihood,
    column: int | None = None,
    *,
    create_graph: bool = True,
) -> Rows:
    """The rows of a batch, with a graph to whatever else the model is made of.

    One example after the other passes through the model, so that no output may depend on other examples.

    Args:
        model: in evaluation mode, but for what draws group elements.
        weights: tensors of weights by name.
        x: inputs.
        likelihood: of the outputs.
        column: one column of the root; all, which are `D` times as many rows, when None.
        create_graph: to whatever else the model is made of; without it the rows are numbers.
    """
    outputs, found = [], []
    for one in split(x, 1):
        f = model(one).flatten(1)
        root = likelihood.root(f if create_graph else f.detach())[0]
        columns = root.mT if column is None else root.mT[column : column + 1]
        outputs.append(f if create_graph else f.detach())
        found.append(_products(f[0], list(weights.values()), columns, create_graph))
    stacked = [torch.cat(parts) for parts in zip(*found, strict=True)]
    return Rows(torch.cat(outputs), dict(zip(weights, stacked, strict=True)))


def _products(
    f: Float[Tensor, "D"], weights: list[nn.Parameter], vectors: Float[Tensor, "R D"], create_graph: bool
) -> list[Tensor]:
    """`v^T ∂f/∂w` for each vector `v`: a constant in this derivative, whatever it depends on, and not in the next."""
    held = [
        torch.autograd.grad(f, weights, vector, create_graph=create_graph, retain_graph=True, materialize_grads=True)
        for vector in vectors
    ]
    return [torch.stack([row.flatten() for row in column]) for column in zip(*held, strict=True)]
