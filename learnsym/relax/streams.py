"""Streams: one network for each of several groups, and learned weights that say which of them to trust."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx, nn

from learnsym.degrees import Degree
from learnsym.equivariant.twins import plain_twin
from learnsym.relax.stream_posterior import StreamPosterior, stream_posterior
from learnsym.statistics import LEVEL

NONE = "none"
UNCONDITIONED = "weights have one after `condition` on held-out examples"


class Streams(nn.Module):
    """A mixture of classifiers, each invariant to a group of its own: `p(y|x) = Σ_s π_s p_s(y|x)`, log-probabilities.

    Which group holds becomes a question about `π`. The weights are parameters, so `objectives.MixtureLikelihood` learns
    them with the networks; as the likelihood of training examples favours the stream that fits them best, not the one
    that generalises, finish with `condition` on held-out examples, which also gives intervals.

    Reference: streams: Rath, Condurache, "Deep neural networks with efficient guaranteed invariances" (2023), arXiv
    2303.01567, who concatenate features; the mixture and its posterior are our own.

    Args:
        streams: networks with the same outputs, class logits `(B, C)`, by the name of their group; "none" for one
            without symmetry.
        prior: positive pseudo-counts, one a stream in order, all 1 when None; larger ones for larger groups prefer
            more symmetry.

    Raises:
        ValueError: for no stream, or a prior that does not fit.

    Example:
        >>> nets = {name: nn.Sequential(nn.Flatten(), nn.Linear(9, 3)) for name in ("none", "C_4")}
        >>> streams = ls.relax.Streams(nets)
        >>> streams(torch.rand(2, 1, 3, 3)).exp().sum(1)
        tensor([1.0000, 1.0000], grad_fn=<SumBackward1>)
        >>> [(degree.group, degree.estimate, degree.low) for degree in ls.degrees(streams)]
        [('none', 0.5, None), ('C_4', 0.5, None)]
    """

    low: Tensor
    high: Tensor
    prior: Tensor

    def __init__(self, streams: Mapping[str, nn.Module], prior: Sequence[float] | None = None) -> None:
        super().__init__()
        self.names, self.level = tuple(streams), 0.9
        if not streams:
            raise ValueError("streams: got none, must hold at least one network")
        counts = torch.ones(len(streams)) if prior is None else torch.tensor(prior, dtype=torch.get_default_dtype())
        if len(counts) != len(streams) or not bool((counts > 0).all()):
            raise ValueError(f"prior: got {prior}, must hold {len(streams)} positive numbers, one a stream")
        self.nets = nn.ModuleList(streams.values())
        self.logits = nn.Parameter((counts / counts.sum()).log())
        self.register_buffer("prior", counts)
        self.register_buffer("low", torch.full_like(counts, torch.nan))
        self.register_buffer("high", torch.full_like(counts, torch.nan))

    def forward(self, x: Tensor) -> Float[Tensor, "B C"]:
        """`log Σ_s π_s p_s(y|x)`, of all classes."""
        return torch.logsumexp(self.log_probabilities(x) + self.log_weights()[:, None], -2)

    def log_probabilities(self, x: Tensor) -> Float[Tensor, "B S C"]:
        """`log p_s(y|x)`, of each stream."""
        return torch.stack([net(x) for net in self.nets], -2).log_softmax(-1)

    def log_weights(self) -> Float[Tensor, "S"]:
        """`log π`."""
        return self.logits.log_softmax(0)

    def log_likelihoods(self, x: Tensor, y: Int[Tensor, "B"]) -> Float[Tensor, "B S"]:
        """`log p_s(y_n | x_n)`."""
        log_probabilities = self.log_probabilities(x)
        return log_probabilities.gather(-1, y[:, None, None].expand(-1, log_probabilities.shape[1], 1))[..., 0]

    @torch.no_grad()
    def condition(self, x: Tensor, y: Int[Tensor, "N"], level: float = LEVEL, seed: int = 0) -> StreamPosterior:
        """Set the weights to their posterior mean given held-out examples, with credible intervals, in place.

        Args:
            x: inputs that no network was trained on.
            y: their classes.
            level: probability of the intervals that `degrees` reports.
            seed: of the draws.
        """
        was = self.training
        self.eval()
        parts = zip(x.split(256), y.split(256), strict=True)
        values = torch.cat([self.log_likelihoods(*part) for part in parts])
        self.train(was)
        posterior = stream_posterior(values, self.prior, seed=seed)
        low, high = posterior.interval(level)
        self.logits.copy_(posterior.mean.log())
        self.low.copy_(low)
        self.high.copy_(high)
        self.level = level
        return posterior

    def degrees(self, site: str) -> list[Degree]:
        """The weight of each stream; the interval is there after `condition`."""
        rows = zip(self.names, *[v.tolist() for v in (self.log_weights().exp(), self.low, self.high)], strict=True)
        return [
            Degree(
                site=site,
                group=name,
                generator="stream",
                unit="probability",
                notion="task",
                estimate=weight,
                low=None if math.isnan(low) else low,
                high=None if math.isnan(high) else high,
                level=self.level,
                method="streams",
                status="no interval" if math.isnan(low) else "ok",
                reason=UNCONDITIONED if math.isnan(low) else "",
            )
            for name, weight, low, high in rows
        ]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The logarithms of the weights of the streams."""
        return [self.logits]

    def chosen(self) -> int:
        """The stream of largest weight among those with a symmetry."""
        weights = self.log_weights().tolist()
        symmetric = [s for s, name in enumerate(self.names) if name != NONE]
        if not symmetric:
            raise ValueError(f"streams: got {', '.join(self.names)}, none of which has a symmetry; add one that has")
        return max(symmetric, key=weights.__getitem__)

    def exact(self) -> nn.Module:
        """The network of the stream of largest weight among those with a symmetry."""
        return copy.deepcopy(self.nets[self.chosen()])

    def distance(self) -> Tensor:
        """The weight that `exact` removes: `1 - π` of its stream."""
        return -torch.expm1(self.log_weights()[self.chosen()])

    def plain(self) -> nn.Module:
        """The same mixture of plain twins, its weights constant."""
        graph, nets = fx.Graph(), {f"net{s}": plain_twin(net) for s, net in enumerate(self.nets)}
        x = graph.placeholder("x")
        terms = []
        for name, weight in zip(nets, self.log_weights().tolist(), strict=True):
            logits = graph.call_module(name, (x,))
            terms.append(graph.call_function(torch.add, (graph.call_method("log_softmax", (logits, -1)), weight)))
        stacked = graph.call_function(torch.stack, (terms, -2))
        graph.output(graph.call_function(torch.logsumexp, (stacked, -2)))
        return cast(nn.Module, fx.GraphModule(nets, graph))

    def extra_repr(self) -> str:
        """Groups with their weights."""
        return ", ".join(f"{d.group}: {d.estimate:.2f}" for d in self.degrees(""))
