"""The held-out likelihood of degrees: which averaging over transformed copies predicts held-out examples best.

Legend of axes: `*T` degrees, `N` held-out examples, `K` elements, `A` axes, `B` batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm.auto import tqdm

from learnsym._modes import evaluating
from learnsym.augment.transform import averaged
from learnsym.parts import Whole, device_of, examples, moved_to, split
from learnsym.posterior.axes import Axis, axes_of, elements
from learnsym.posterior.copies import Copies, Table, copies_of
from learnsym.posterior.data import held_out
from learnsym.posterior.of_outputs import LogLikelihood, checked, usual
from learnsym.posterior.prior import SpikedPrior
from learnsym.symmetry import Symmetry

NODES = {1: 65, 2: 21}
"""Nodes of an axis by the number of axes, beyond which there are 17."""
MOST = 512
"""Copies of an example."""
BATCH = 256
CHUNK = 1024


@runtime_checkable
class DegreeLikelihood(Protocol):
    """What inference asks of a likelihood: its axes, and log likelihoods at fractions of their caps, differentiable."""

    @property
    def axes(self) -> Sequence[Axis]:
        """One for each degree."""
        ...

    def __call__(self, s: Float[Tensor, "*T A"]) -> Float[Tensor, "*T N"]:
        """`log p(y_n | x_n, s)` of each example."""
        ...


@dataclass(frozen=True, kw_only=True)
class HeldOutLikelihood:
    """The likelihood of degrees `s` for a trained network, on examples that it was not trained on.

        log p(y_n | x_n, s) = log Σ_k W_k(s) p(y_n | f(g_k x_n)),    W_k(s) ∝ u_s(g_k) / q(g_k)

    `u_s` is the law of the elements, uniform on a box with half-widths `s` times the caps, and `q` the law that the
    cached copies come from: outputs are computed once, and a likelihood at any degrees costs no further one. Examples
    are independent, so this is a proper likelihood; it asks which averaging of this network predicts best, with the
    network as it is, and not which symmetry a network should have been trained with.

    See `held_out_likelihood`, which makes one.
    """

    network: Callable[[Tensor], Float[Tensor, "N"]]
    """From one element `(n, n)` to `log p(y_n | f(g x_n))` of all examples."""
    group_name: str
    to_elements: Callable[[Tensor], Tensor]
    copies: Copies
    log_p: Float[Tensor, "N K"]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One for each degree."""
        return self.copies.axes

    @property
    def names(self) -> tuple[str, ...]:
        """Of the degrees."""
        return tuple(axis.name for axis in self.axes)

    def __call__(self, s: Float[Tensor, "*T A"]) -> Float[Tensor, "*T N"]:
        """`log p(y_n | x_n, s)`, differentiable in `s`.

        Args:
            s: degrees as fractions of their caps, from 0 to 1.
        """
        top, scaled = self._scaled
        parts = s.reshape(-1, len(self.axes)).split(CHUNK)
        sums = torch.cat([self.copies.log_weights(part).exp() @ scaled for part in parts])
        return (sums.clamp(min=1e-300).log() + top).reshape(*s.shape[:-1], len(top))

    @cached_property
    def _scaled(self) -> tuple[Tensor, Tensor]:
        """The largest `log p` of each example, and `p` over it, `(K, N)`."""
        top = self.log_p.amax(1)
        return top, (self.log_p - top[:, None]).exp().mT.contiguous()

    def at(self, **degrees: float) -> Float[Tensor, "N"]:
        """`log p(y_n | x_n, degrees)` of each example at degrees by name, in their units; 0 for those not named.

        Raises:
            ValueError: for an unknown name, or a degree that is not between 0 and its cap.
        """
        unknown = sorted(set(degrees) - set(self.names))
        if unknown:
            raise ValueError(f"degrees: got {', '.join(unknown)}, must be among {', '.join(self.names)}")
        for axis in self.axes:
            if not 0 <= degrees.get(axis.name, 0.0) <= axis.cap:
                raise ValueError(
                    f"degrees: got {axis.name} = {degrees[axis.name]}, must lie between 0 and its cap, {axis.cap:g} "
                    f"({axis.unit})"
                )
        return self(torch.tensor([degrees.get(axis.name, 0.0) / axis.cap for axis in self.axes], dtype=torch.float64))

    def refined(self, table: Table, count: int, seed: int) -> HeldOutLikelihood:
        """With more copies, drawn from another law over the nodes: where the posterior turned out to be."""
        copies = self.copies.extended(table, count, seed)
        new = copies.nodes[len(self.copies) :]
        more = [cached(self.network, self.to_elements(new))] if len(new) else []
        return replace(self, copies=copies, log_p=torch.cat([self.log_p, *more], 1))


def held_out_likelihood(
    net: nn.Module,
    x: Whole,
    y: Tensor,
    symmetry: Symmetry,
    *,
    likelihood: LogLikelihood | None = None,
    prior: SpikedPrior | None = None,
    copies: int = MOST,
    seed: int = 0,
) -> HeldOutLikelihood:
    """Move held-out examples by the elements that carry all laws of a symmetry, and keep what a network says of them.

    Args:
        net: from a batch to a batch; it is evaluated as it is.
        x: inputs `(N, ...)`, or a structure of them, which the network was not trained on.
        y: their targets.
        symmetry: of inputs and outputs.
        likelihood: from outputs and targets to log likelihoods `(B,)`; when None that of classes for integer targets,
            and a normal law with the mean squared error of the unmoved examples as its variance for others.
        prior: over the fractions, which says where copies are needed; needed for three degrees and more.
        copies: of an example at most, at first.
        seed: of the elements, where not all combinations of nodes are among them.

    Raises:
        ValueError: for too few examples, targets of another number, or a symmetry without caps.
    """
    x, y = held_out((x, y), net)
    axes = axes_of(symmetry.group, _nodes(symmetry, copies))
    prior = SpikedPrior() if prior is None else prior
    chosen_copies = copies_of(axes, prior.expand((len(axes),)), copies, seed)
    log_likelihood = likelihood or usual(y, lambda: outputs_at(net, symmetry, symmetry.group.identity(), x))

    def network(g: Tensor) -> Tensor:
        return _of_examples(net, symmetry, g, x, y, log_likelihood)

    def to_elements(nodes: Tensor) -> Tensor:
        return elements(symmetry.group, axes, nodes)

    log_p = cached(network, to_elements(chosen_copies.nodes))
    return HeldOutLikelihood(
        network=network, group_name=symmetry.name, to_elements=to_elements, copies=chosen_copies, log_p=log_p
    )


def cached(network: Callable[[Tensor], Tensor], g: Float[Tensor, "K n n"]) -> Float[Tensor, "N K"]:
    """The log likelihood of every example moved by every element."""
    return torch.stack([network(element) for element in tqdm(g, desc="copies", leave=False, disable=None)], 1)


def _nodes(symmetry: Symmetry, most: int) -> int:
    """Nodes of each axis: odd, and fewer where few copies are asked for."""
    count = symmetry.group.dim
    usual = NODES.get(count, 17)
    possible = int(most ** (1 / max(count, 1))) if count <= 2 else usual
    return max(min(usual, possible - 1 + possible % 2), 3)


def _of_examples(
    net: nn.Module, symmetry: Symmetry, g: Tensor, x: Whole, y: Tensor, log_likelihood: LogLikelihood
) -> Float[Tensor, "N"]:
    """`log p(y | g^{-1} · f(g x))` of all examples, on the CPU."""
    outputs = outputs_at(net, symmetry, g, x)
    return checked(log_likelihood(outputs, y.to(outputs.device)), len(y)).double().cpu()


@torch.no_grad()
def outputs_at(net: nn.Module, symmetry: Symmetry, g: Float[Tensor, "n n"], x: Whole) -> Float[Tensor, "N *out"]:
    """`g^{-1} · f(g x)` of all examples."""
    device = next((p.device for p in net.parameters()), device_of(x))
    found = []
    with evaluating(net):
        for part in split(x, BATCH):
            batch = moved_to(part, device)
            same = g.to(symmetry.moving(batch)).expand(1, examples(batch), *g.shape)
            found.append(averaged(net, symmetry, same, batch, lambda copies: copies[0]))
    return torch.cat(found)
