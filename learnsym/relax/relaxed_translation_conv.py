"""Relaxed translations: exact convolutions, mixed with weights that vary from place to place.

Legend of axes: `L` banks, `*T` pixels of the output, `*S` pixels of the kernel.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast, final

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.equivariant import FieldType, projected
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.steerable.conv import convolve
from learnsym.relax._relaxed_conv import ExactConv


@final
class RelaxedTranslationConv(nn.Module):
    """A convolution whose kernel varies with the place: several exact ones, the banks, mixed by a map of weights.

        y(u) = 1/L Σ_l w_l(u) (ψ_l * x)(u)

    Weights `w_l(u)` start at 1, an exact convolution; equal weights keep it one. Rotations and reflections of the banks
    hold at each place for kernels, and for the whole layer as far as the maps `w_l` have them.

    Reference: Wang, Walters, Yu (2022), arXiv 2201.11969, its relaxed translation.

    Args:
        conv: an exact convolution; the banks are copies with fresh weights.
        out_shape: pixels of the output, which the weights are bound to.
        banks: number `L`.

    Raises:
        ValueError: without banks, or when `out_shape` has not the number of axes that the convolution has.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> image, fields = ls.equivariant.FieldType.trivial(group, 1), ls.equivariant.FieldType.regular(group, 2)
        >>> conv = ls.equivariant.GroupConv2d(image, fields, 3, padding=1)
        >>> ls.relax.RelaxedTranslationConv(conv, (9, 9), banks=2)(torch.rand(1, 1, 9, 9)).shape
        torch.Size([1, 8, 9, 9])
    """

    def __init__(self, conv: ExactConv, out_shape: Sequence[int], banks: int = 2) -> None:
        super().__init__()
        if banks < 1 or len(out_shape) != conv.in_type.group.n:
            raise ValueError(
                f"banks, out_shape: got {banks}, {tuple(out_shape)}, must be at least 1 and of length "
                f"{conv.in_type.group.n}, as the output has axes"
            )
        self.banks = nn.ModuleList([_fresh(conv, bank, banks) for bank in range(banks)])
        self.weights = nn.Parameter(torch.ones(banks, *out_shape))

    @property
    def in_type(self) -> FieldType:
        """Fields of the input."""
        return self._first.in_type

    @property
    def out_type(self) -> FieldType:
        """Fields of the output."""
        return self._first.out_type

    @property
    def _first(self) -> ExactConv:
        return cast("ExactConv", self.banks[0])

    def forward(self, x: Float[Tensor, "B c_in *S_in"]) -> Float[Tensor, "B c_out *T"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        first, banks = self._first, len(self.banks)
        # all banks in one convolution, which reads the input once
        kernels = torch.cat([cast("ExactConv", bank).present_kernel() for bank in self.banks])
        parts = convolve(x, kernels, None, first.padding_mode, first.options).unflatten(1, (banks, -1)).unbind(1)
        bias = first.channel_bias()
        constant = torch.zeros(self.out_type.size, device=x.device) if bias is None else bias
        y = constant.to(parts[0].dtype).view(-1, *[1] * (x.ndim - 2))
        for part, weight in zip(parts, self.weights.to(y.dtype) / banks, strict=True):
            y = torch.addcmul(y, part, weight)
        return y

    def plain(self) -> nn.Module:
        """Ordinary convolutions, mixed by the same weights."""
        convs = [cast("ExactConv", bank).plain() for bank in self.banks]
        bias = self._first.channel_bias()
        if bias is not None:
            cast("Any", convs[0]).bias = None
        shown = torch.zeros(self.out_type.size).to(self.weights) if bias is None else bias.detach().clone()
        return fx.symbolic_trace(_Mixture(convs, self.weights.detach().clone(), shown))

    def exact(self) -> ExactConv:
        """The convolution with the mean kernel and the same bias."""
        weights = self.weights.flatten(1).mean(1)
        kernels = torch.stack([cast("ExactConv", bank).kernel() for bank in self.banks])
        kernel = torch.einsum("l,l...->...", weights, kernels) / len(kernels)
        return cast("ExactConv", projected(self._first, kernel, self._first.channel_bias()))

    def distance(self) -> Float[Tensor, ""]:
        """`|k - P k| / |k|` of the kernels of all places, `P` their mean; differentiable."""
        kernels = torch.stack([cast("ExactConv", bank).kernel().flatten() for bank in self.banks])
        gram, w = kernels @ kernels.mT, self.weights.flatten(1)
        rest = w - w.mean(1, keepdim=True)
        tiny = torch.finfo(w.dtype).tiny
        removed = (rest * (gram @ rest)).sum().clamp(min=tiny).sqrt()
        return removed / (w * (gram @ w)).sum().clamp(min=tiny**0.5).sqrt()

    def penalty(self) -> Float[Tensor, ""]:
        """`Σ_l Σ_u |∇ w_l(u)|_1`: differences of neighbours."""
        axes = range(1, self.weights.ndim)
        return torch.stack([torch.diff(self.weights, dim=axis).abs().sum() for axis in axes]).sum()

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm of the kernels that does not vary from place to place."""
        estimate = 1 - float(self.distance().detach()) ** 2
        group = f"T({self.in_type.group.n})"
        method = "relaxed translation"
        shared: dict[str, Any] = {"site": site, "group": group, "unit": "1", "notion": "task", "method": method}
        shared |= {"status": "no interval", "reason": ONE_TRAINING}
        return [Degree(generator="all elements", estimate=estimate, **shared)]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The map of weights."""
        return [self.weights]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)


class _Mixture(nn.Module):
    """Of torch alone; traced, so that what is exported knows no class of this library."""

    def __init__(self, convs: list[nn.Module], weights: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.convs = nn.ModuleList(convs)
        self.weights = nn.Parameter(weights)
        self.bias = nn.Parameter(bias.view(-1, *[1] * (weights.ndim - 1)))

    def forward(self, x: Any) -> Any:  # noqa: ANN401  a proxy while it is traced
        parts = [conv(x) * self.weights[bank] for bank, conv in enumerate(self.convs)]
        return sum(parts[1:], parts[0]) / len(parts) + self.bias


def _fresh(conv: ExactConv, bank: int, banks: int) -> ExactConv:
    fresh: ExactConv = copy.deepcopy(conv)
    fresh.reset_parameters()
    if bank:
        fresh.bias = None
    with torch.no_grad():
        for weight in fresh.weights.values():
            weight.mul_(banks**0.5)
    return fresh
