"""The polarisation matrix of a network: how its gradients see the motions of examples, its own and others.

Legend of axes: `B` examples, `F` numbers per example, `K` generators, `M` outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure._probe import Model, Output, tensor_of
from learnsym.measure._reader import outputs_of


def unit_gradients(
    model: Model, x: Tensor, probes: int, seed: int, output: Output | None, batch_size: int
) -> Float[Tensor, "M B F"]:
    """Gradients of the outputs, or of random projections of many outputs, over their common size at each example."""
    read = torch.stack(list(gradients(model, x, probes, seed, output, batch_size)))
    return read / _positive(read.double().square().sum((0, 2), keepdim=True).sqrt()).to(read)


def unit_velocities(moved: Float[Tensor, "K B F"]) -> Float[Tensor, "K B F"]:
    """Velocities over the common size of those of an example."""
    return moved / _positive(moved.double().square().sum((0, 2), keepdim=True).sqrt()).to(moved)


def _positive(size: Tensor) -> Tensor:
    return torch.where(size > 0, size, 1.0)


def gradients(
    model: Model, x: Tensor, probes: int, seed: int, output: Output | None, batch_size: int
) -> Iterator[Float[Tensor, "B F"]]:
    """Gradients of each output, or of random projections where there are more than `probes`."""
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
    gradients: Float[Tensor, "M B F"], moved: Float[Tensor, "K B F"]
) -> tuple[Float[Tensor, "K K"], Float[Tensor, "K K"]]:
    """`mean_i r_ii r_iiᵀ` and the mean of `r_ij r_ijᵀ` over all pairs, `r_ij = <∇f(x_i), E_k·x_j>`."""
    count = moved.shape[1]
    own = moved.new_zeros(2 * (len(moved),), dtype=torch.float64)
    pairs = own.clone()
    for gradient in gradients:
        r = torch.einsum("if,kjf->ijk", gradient, moved).double()
        own += r.diagonal() @ r.diagonal().mT
        pairs += r.flatten(0, 1).mT @ r.flatten(0, 1)
    return own / count, pairs / count**2


def changes(gradients: Float[Tensor, "M B F"], moved: Float[Tensor, "K B F"]) -> Float[Tensor, "K B B"]:
    """Squared change of the outputs by each generator, `Σ_m <∇f_m(x_i), A·x_j>²` for each pair."""
    return sum(
        (torch.einsum("if,kjf->kij", gradient, moved).double().square() for gradient in gradients),
        start=moved.new_zeros((len(moved), *2 * (moved.shape[1],)), dtype=torch.float64),
    )
