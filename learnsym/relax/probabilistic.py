"""Steerable convolution with a learned likelihood of group elements, and the bounds on its equivariance error.

Legend of axes: `B` batch, `c` channels, `*S` pixels, `H` group elements.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.equivariant import FieldType, SteerableConv
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.steerable.conv import plain_convolution
from learnsym.relax.deviation import Deviation
from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.relax.likelihood.reading import coverage_degrees


class ProbabilisticSteerableConv(nn.Module):
    """A convolution that keeps as much of a symmetry as a learned likelihood `λ` over its group says.

        k_λ = ∫ λ(g) g·k dg = Σ_ψ k_ψ λ̂(ψ) w_ψ,    λ̂(ψ) = ∫ λ(g) ψ(g) dg

    projects a free kernel `k`, with `(g·k)(u) = ρ_out(g) k(g⁻¹ u) ρ_in(g)⁻¹`. Uniform `λ` keeps the trivial irrep, the
    steerable convolution; `λ` on a subgroup gives its equivariance; `λ` at the identity frees every kernel up to the
    band limit. The weights of the other irreps are of low rank over pairs of fields, so that the layer has at most
    twice the weights of its exact twin; the bias stays invariant.

    Reference: Veefkind, Cesa, "A probabilistic approach to learning the degree of equivariance in steerable CNNs"
    (2024), arXiv 2406.03946; the low rank is our own.

    Args:
        in_type, out_type, kernel_size, stride, padding, band_limit: as of `SteerableConv`.
        bias: one constant for each invariant direction of the output.
        likelihood: of this layer alone when None; may be shared by layers. Several, one for each part of `out_type`,
            give streams with degrees of their own.
        rank: of the weights of non-trivial irreps; as the budget of weights allows when None.

    Raises:
        ValueError: for types or likelihoods of different groups, a wrong number of likelihoods, or a rank below 1.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> fields = ls.equivariant.FieldType.regular(group, 2)
        >>> conv = ls.relax.ProbabilisticSteerableConv(fields, fields, 3, padding=1)
        >>> print(conv.degrees("layer:0")[0])
        layer:0: C_4 all 1 (task, probabilistic steerable convolution)...
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        band_limit: int | None = None,
        likelihood: Likelihood | Sequence[Likelihood] | None = None,
        rank: int | None = None,
    ) -> None:
        super().__init__()
        self.invariant = SteerableConv(
            in_type, out_type, kernel_size, stride=stride, padding=padding, bias=bias, band_limit=band_limit
        )
        self.likelihoods = nn.ModuleList(_likelihoods(likelihood, out_type))
        _check_rank(rank)
        irreps = tuple(irrep for irrep in self._likelihood(0).irreps if not irrep.is_trivial)
        budget = _count(self.invariant) - _count(self.likelihoods)
        self.deviation = Deviation(in_type, out_type, kernel_size, band_limit, irreps, budget, rank) if irreps else None

    @property
    def in_type(self) -> FieldType:
        """Fields of the input."""
        return self.invariant.in_type

    @property
    def out_type(self) -> FieldType:
        """Fields of the output."""
        return self.invariant.out_type

    def _likelihood(self, index: int) -> Likelihood:
        likelihood = self.likelihoods[index]
        assert isinstance(likelihood, Likelihood)
        return likelihood

    def streams(self) -> list[Likelihood]:
        """The likelihoods, each once."""
        distinct: list[Likelihood] = []
        for index in range(len(self.likelihoods)):
            if all(self._likelihood(index) is not other for other in distinct):
                distinct.append(self._likelihood(index))
        return distinct

    def _fourier(self) -> list[list[Tensor]]:
        """`λ̂(ψ)` of the irreps but the trivial one, for each part of the output."""
        matrices = {id(likelihood): likelihood.fourier()[1:] for likelihood in self.streams()}
        chosen = [matrices[id(likelihood)] for likelihood in self.likelihoods]
        return chosen if len(chosen) > 1 else chosen * len(self.out_type.parts)

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel as an ordinary convolution has it."""
        # w -> P k, the term of the trivial irrep
        exact = self.invariant.kernel()
        # P k, λ̂(ψ) -> P k + Σ_ψ k_ψ λ̂(ψ) w_ψ
        return exact if self.deviation is None else exact + self.deviation(self._fourier())

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return self.invariant.applied(x, self.kernel())

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel: the same function."""
        return plain_convolution(
            self.kernel(), self.invariant.channel_bias(), self.invariant.padding_mode, self.invariant.options
        )

    def exact(self) -> SteerableConv:
        """The steerable convolution that a uniform likelihood gives: the projection of this one."""
        return copy.deepcopy(self.invariant)

    def distance(self) -> Float[Tensor, ""]:
        """`|k - P k| / |k|`, the share of the kernel that the projection removes."""
        exact, kernel = self.invariant.kernel(), self.kernel()
        return (kernel - exact).norm() / kernel.norm()

    def degrees(self, site: str) -> list[Degree]:
        """The fraction of the group that each likelihood covers, `exp(-KL(λ | uniform))`, and of its reflections."""
        return [degree for likelihood in self.streams() for degree in coverage_degrees(likelihood, site)]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the likelihoods."""
        return [p for likelihood in self.streams() for p in likelihood.parameters()]

    def terms(self) -> tuple[str, ...]:
        """What keeps the mode of each likelihood at the identity, and orders likelihoods along the depth."""
        return ("alignment", "divergence")

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior of the free kernel, in nats up to a constant: that of the initial weights.

        For the task a small `λ̂(ψ)` with large weights is as good as a large one with small weights; with this prior
        it is not, and `λ` can be read off. `objectives.Probabilistic` takes it with the weight `prior`.
        """
        total = next(iter(self.invariant.weights.values())).new_zeros(())
        for o in range(len(self.out_type.parts)):
            row = [weight for name, weight in self.invariant.weights.items() if name.startswith(f"{o}-")]
            total = total + sum(0.5 * len(row) * weight[0].numel() * weight.square().sum() for weight in row)
        return total if self.deviation is None else total + self.deviation.penalty()

    def certificate(self, h: Float[Tensor, "H n n"]) -> Float[Tensor, "H"]:
        """A bound on the equivariance error of the kernel for each element, relative to its norm.

            |h·k_λ - k_λ| / |k_λ|  <=  |k - P k| ∫ |λ(h⁻¹ g) - λ(g)| dg / |k_λ|

        in the norm of the weights, which the group preserves; it follows from the triangle inequality, since `P k` is
        equivariant. Exact for a finite group, and up to the quadrature for a Lie group.
        """
        if self.deviation is None:
            return torch.zeros(len(h)).to(h)
        parts = len(self.out_type.parts)
        # λ, h -> ∫ |λ(h⁻¹ g) - λ(g)| dg
        shifts = {id(likelihood): likelihood.shift_distance(h) for likelihood in self.streams()}
        chosen = [shifts[id(likelihood)] for likelihood in self.likelihoods]
        by_part = torch.stack(chosen if len(chosen) > 1 else chosen * parts)
        # k -> |k - P k|²
        norms = self.deviation.square_norms(self.deviation.free())
        # |k - P k|², ∫ |λ(h⁻¹ g) - λ(g)| dg -> the bound, with streams in quadrature
        return (norms[:, None] * by_part.square()).sum(0).sqrt() / self.square_norm().sqrt()

    def square_norm(self) -> Float[Tensor, ""]:
        """Squared norm `|k_λ|²` of the kernel in the inner product of the weights."""
        # w -> |P k|²
        exact = [
            representation.size * weight.square().sum()
            for index, (representation, _) in enumerate(self.out_type.parts)
            for name, weight in self.invariant.weights.items()
            if name.startswith(f"{index}-")
        ]
        total = torch.stack(exact).sum()
        # |P k|² -> |P k|² + |Σ_ψ k_ψ λ̂(ψ) w_ψ|², as irreps are orthogonal
        return total if self.deviation is None else total + self.deviation.square_norms(self._fourier()).sum()


@dataclass(frozen=True)
class Certificate:
    """What one layer guarantees: `|h·k - k| / |k| <= bound` for the worst of the given elements `h`."""

    site: str
    group: str
    bound: float
    worst: Float[Tensor, "n n"]
    """The element of the largest bound."""


def certificates(network: nn.Module, h: Float[Tensor, "H n n"] | None = None) -> list[Certificate]:
    """The bound of each probabilistic layer, by its likelihood and weights alone: no data are needed.

    Args:
        network: with layers `ProbabilisticSteerableConv`.
        h: elements; those of the quadrature of each likelihood when None.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> ls.relax.certificates(ls.relax.ProbabilisticSteerableConv(fields, fields, 3))[0].bound
        0.0
    """
    return [
        _certificate(name, layer, h)
        for name, layer in network.named_modules()
        if isinstance(layer, ProbabilisticSteerableConv)
    ]


def likelihoods(network: nn.Module) -> list[list[Likelihood]]:
    """The streams of each probabilistic layer, one with a method `streams`, from the first layer to the last."""
    layers: list[Any] = [module for module in network.modules() if callable(getattr(type(module), "streams", None))]
    return [layer.streams() for layer in layers]


def _certificate(name: str, layer: ProbabilisticSteerableConv, h: Tensor | None) -> Certificate:
    elements = layer.streams()[0].elements() if h is None else h
    with torch.no_grad():
        bounds = layer.certificate(elements)
    worst = int(bounds.argmax())
    return Certificate(f"layer:{name}", layer.in_type.group.name, float(bounds[worst]), elements[worst])


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _likelihoods(given: Likelihood | Sequence[Likelihood] | None, out_type: FieldType) -> list[Likelihood]:
    streams = (
        [Likelihood(out_type.group)] if given is None else [given] if isinstance(given, Likelihood) else list(given)
    )
    if len(streams) not in (1, len(out_type.parts)):
        raise ValueError(
            f"likelihood: got {len(streams)}, must be 1 or one for each of the {len(out_type.parts)} parts of "
            f"{out_type}"
        )
    for likelihood in streams:
        if likelihood.group != out_type.group:
            raise ValueError(f"likelihood: got one over {likelihood.group}, must be over {out_type.group}")
        if likelihood.irreps != streams[0].irreps:
            raise ValueError(
                f"likelihood: got band_limit_out={likelihood.band_limit_out} and {streams[0].band_limit_out}, must be "
                "one for all streams of a layer"
            )
    return streams


def _check_rank(rank: int | None) -> None:
    if rank is not None and rank < 1:
        raise ValueError(f"rank: got {rank}, must be at least 1; take SteerableConv for a layer without any freedom")
