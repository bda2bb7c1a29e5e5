"""The polarisation matrix of a network: how its gradients see the motions of examples, its own and others.

Legend of axes: `B` examples, `F` numbers per example, `K` candidate generators, `P` permutations, `M` outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure._probe import Model, Output, tensor_of
from learnsym.measure._reader import outputs_of


def gradients(
    model: Model, x: Tensor, probes: int, seed: int, output: Output | None, batch_size: int
) -> Iterator[Float[Tensor, "B F"]]:
    """The gradient of each output, or of random projections of many outputs, at each example."""
    count = outputs_of(model, x, output, batch_size).flatten(1).shape[1]
    generator = torch.Generator().manual_seed(seed)
    weights = torch.eye(count) if count <= probes else torch.randn(probes, count, generator=generator)
    for weight in weights:
        gradient = torch.cat([_gradient(model, part, weight, output) for part in x.split(batch_size)])
        bad = ~gradient.flatten(1).isfinite().all(1)
        if bad.any():
            raise ValueError(
                f"model: its gradient at example {int(bad.nonzero()[0])} is not finite; leave the example out"
            )
        yield gradient.flatten(1)


def _gradient(model: Model, x: Tensor, weight: Float[Tensor, "M"], output: Output | None) -> Tensor:
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        outputs = tensor_of(model(leaf), len(x), output).flatten(1)
        total = (outputs @ weight.to(outputs)).sum()
        gradient = torch.autograd.grad(total, leaf, allow_unused=True)[0] if total.requires_grad else None
    if gradient is None:
        raise ValueError(
            "model: its output has no gradient with respect to x; measure an output made by differentiable steps"
        )
    return gradient


def polarisation(
    gradients: Iterable[Float[Tensor, "B F"]], moved: Float[Tensor, "K B F"], orders: Int[Tensor, "P B"]
) -> tuple[Float[Tensor, "M B K"], Float[Tensor, "P K K"]]:
    """The rows `r_i`, and `mean_i r_i r_iᵀ` under each permutation, in units of the size of the gradients."""
    places, orders = torch.arange(moved.shape[1], device=moved.device), orders.to(moved.device)
    rows, shuffled, energy = [], [], []
    for gradient in gradients:
        # <∇f(x_i), E_k·x_j>
        table = torch.einsum("if,kjf->ijk", gradient, moved).double()
        rows.append(table[places, places])
        shuffled.append(torch.stack([_covariance(table[order, places]) for order in orders]))
        energy.append(gradient.double().square().sum(1).mean())
    size = torch.stack(energy).sum().clamp(min=torch.finfo(torch.float64).tiny).sqrt()
    return torch.stack(rows) / size, torch.stack(shuffled).sum(0) / size**2


def _covariance(r: Float[Tensor, "B K"]) -> Float[Tensor, "K K"]:
    return r.T @ r / len(r)
