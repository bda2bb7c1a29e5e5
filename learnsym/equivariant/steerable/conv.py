"""Steerable convolution: an ordinary convolution whose kernel is a learned combination of equivariant ones.

Legend of axes: `o`, `i` fields out and in, `a`, `b` their components, `K` basis kernels, `*S` pixels. Shapes with
`*S` are in words here, since their checks do not compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.equivariant.constant import Basis
from learnsym.equivariant.exact_layer import ExactLayer, reset_by_block
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.memory_order import around, channels_last
from learnsym.equivariant.steerable.kernel_basis import check_kernel, kernel_basis
from learnsym.representations import Irrep, intertwiners

CONVOLUTIONS: dict[str, tuple[Callable[..., Tensor], type[nn.Module], int]] = {
    "plane": (nn.functional.conv2d, nn.Conv2d, 2),
    "space": (nn.functional.conv3d, nn.Conv3d, 3),
}


class SteerableConv(ExactLayer):
    """A convolution of images or volumes that commutes with a group: `ρ_out(g) k(g^-1 u) ρ_in(g)^-1 = k(u)`.

    Each block of the kernel, from one representation to another, is `weights @ basis`, with the basis of
    `kernel_basis`: a constant, so that the layer is a plain function of its parameters. Exact for elements that map the
    pixel grid onto itself, also at a stride when the input size allows it (`measure.exact_sizes`); for other rotations
    up to the sampling of the kernel. Weights start with a variance, by block, that keeps the one of the input.

    Args:
        in_type: fields of the input, channels `(B, in_type.size, *S)`.
        out_type: fields of the output, of the same group.
        kernel_size: pixels along an axis.
        stride, padding, dilation: as in `nn.Conv2d`.
        bias: one constant for each invariant direction of the output.
        band_limit: highest degree of the harmonics; as many as the grid carries when None.
        padding_mode: `zeros` or `circular`.

    Raises:
        ValueError: for types of different groups, a kernel that the group cannot turn, or no kernel at all.

    Reference: Weiler, Cesa (2019), arXiv 1911.08251.

    Example:
        >>> group = ls.groups.SO2()
        >>> image = ls.equivariant.FieldType.trivial(group, 3)
        >>> fields = ls.equivariant.FieldType.all_irreps(group, 4, band_limit=2)
        >>> ls.equivariant.SteerableConv(image, fields, 5, padding=2)(torch.rand(1, 3, 9, 9)).shape
        torch.Size([1, 20, 9, 9])
    """

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        band_limit: int | None = None,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        check_pair(in_type, out_type, kernel_size)
        self.in_type, self.out_type = in_type, out_type
        self.kernel_size, self.padding_mode = kernel_size, padding_mode
        self.options: dict[str, int] = {"stride": stride, "padding": padding, "dilation": dilation}
        self.weights, self.bases = nn.ParameterDict(), nn.ModuleDict()
        for o, (target, out_count) in enumerate(out_type.parts):
            for i, (source, in_count) in enumerate(in_type.parts):
                self._add_block(f"{o}-{i}", kernel_basis(source, target, kernel_size, band_limit), out_count, in_count)
        if not self.weights:
            raise ValueError(
                f"out_type: no kernel of {kernel_size} pixels leads from {in_type} to {out_type}; enlarge it"
            )
        self.bias = SteerableBias(out_type) if bias else None
        self.reset_parameters()

    def _add_block(self, name: str, basis: Tensor, out_count: int, in_count: int) -> None:
        if len(basis):
            self.bases[name] = Basis(basis)
            self.weights[name] = nn.Parameter(torch.empty(out_count, in_count, len(basis)))

    def reset_parameters(self) -> None:
        """Weights anew, normal with a variance for each block of the kernel."""
        reset_by_block(self.weights)

    @property
    def pixels(self) -> tuple[int, ...]:
        """The pixel axes `*S` of the kernel."""
        return (self.kernel_size,) * CONVOLUTIONS[self.in_type.group.space][2]

    def block(self, name: str, weight: Tensor) -> Tensor:
        """`Σ_K weight[o, i, K] basis[K]`."""
        return expanded(weight, self.bases[name]())

    def coordinates(self, name: str, block: Tensor) -> Tensor:
        """The least-squares fit of the basis."""
        return coordinates(block, self.bases[name]())

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel."""
        return None if self.bias is None else self.bias()

    def set_bias(self, bias: Tensor) -> None:
        """Take the invariant part of given constants."""
        if self.bias is not None:
            self.bias.assign(bias)

    def applied(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The convolution with a given kernel and the bias of the layer."""
        return convolve(x, kernel, self.channel_bias(), self.padding_mode, self.options)

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel: the same function, no longer bound to be equivariant."""
        return plain_convolution(self.kernel(), self.channel_bias(), self.padding_mode, self.options)

    def extra_repr(self) -> str:
        """Types and size."""
        shown = ", ".join(f"{name}={value}" for name, value in self.options.items() if value != (name != "padding"))
        return f"{self.in_type} -> {self.out_type}, kernel_size={self.kernel_size}" + (f", {shown}" if shown else "")


class SteerableBias(nn.Module):
    """Constants that a group leaves fixed: one for each invariant vector of each field."""

    def __init__(self, field_type: FieldType) -> None:
        super().__init__()
        self.field_type = field_type
        self.weights, self.bases = nn.ParameterDict(), nn.ModuleDict()
        for index, (representation, count) in enumerate(field_type.parts):
            vectors = intertwiners(Irrep(field_type.group, 0), representation)[..., 0]
            if len(vectors):
                self.bases[str(index)] = Basis(vectors)
                self.weights[str(index)] = nn.Parameter(torch.zeros(count, len(vectors)))

    def forward(self) -> Tensor:
        """The constant of each channel."""
        parts = []
        for index, (representation, count) in enumerate(self.field_type.parts):
            if str(index) in self.weights:
                parts.append((self.weights[str(index)] @ self.bases[str(index)]()).flatten())
            else:
                parts.append(torch.zeros(representation.size * count, device=self._device()))
        return torch.cat(parts)

    def assign(self, bias: Tensor) -> None:
        """Take the invariant part of constants `(c,)`; the invariant vectors are orthonormal."""
        with torch.no_grad():
            for index, (representation, _, channels) in enumerate(self.field_type.sections()):
                if str(index) in self.weights:
                    fields = bias[channels].unflatten(0, (-1, representation.size))
                    self.weights[str(index)].copy_(fields @ self.bases[str(index)]().mT)

    def _device(self) -> torch.device | None:
        return next((weight.device for weight in self.parameters()), None)


def expanded(weights: Tensor, basis: Tensor) -> Tensor:
    """A block `(o a, i b, *S)` of a kernel: `Σ_K weights[o, i, K] basis[K]`, for bases `(K, a, b, *S)`."""
    blocks = (weights @ basis.flatten(1)).unflatten(-1, basis.shape[1:])
    return blocks.transpose(1, 2).flatten(2, 3).flatten(0, 1)


def coordinates(kernel: Tensor, basis: Tensor) -> Tensor:
    """Least-squares weights `(o, i, K)` of a block of a kernel, a left inverse of `expanded`; rings overlap: Gram."""
    a, b = basis.shape[1:3]
    blocks = kernel.unflatten(1, (-1, b)).unflatten(0, (-1, a)).transpose(1, 2).flatten(2)
    vectors = basis.to(kernel.dtype).flatten(1)
    # autocast would make the product, but not the solution, one of bfloat16
    with torch.autocast(kernel.device.type, enabled=False):
        gram = vectors @ vectors.mT
    # solve would hold a GPU up to look for a singular Gram matrix, which linearly independent rings do not have
    return blocks @ torch.linalg.solve_ex(gram, vectors)[0].mT


def convolve(x: Tensor, kernel: Tensor, bias: Tensor | None, padding_mode: str, options: dict[str, Any]) -> Tensor:
    """`conv2d` or `conv3d`, also with a circular border."""
    function = CONVOLUTIONS["plane" if x.ndim == 4 else "space"][0]
    x, kernel, bias = channels_last(x), channels_last(kernel.to(x.dtype)), None if bias is None else bias.to(x.dtype)
    if padding_mode == "circular":
        x, options = around(x, options["padding"], options["padding"]), {**options, "padding": 0}
    return function(x, kernel, bias, **options)


def plain_convolution(kernel: Tensor, bias: Tensor | None, padding_mode: str, options: dict[str, Any]) -> nn.Module:
    """`nn.Conv2d` or `nn.Conv3d` with a given kernel."""
    out_channels, in_channels, size = kernel.shape[:3]
    module = CONVOLUTIONS["plane" if kernel.ndim == 4 else "space"][1]
    conv: Any = module(
        in_channels,
        out_channels,
        size,
        **options,
        bias=bias is not None,
        padding_mode=padding_mode,
        device=kernel.device,
        dtype=kernel.dtype,
    )
    with torch.no_grad():
        conv.weight.copy_(kernel)
        if bias is not None:
            conv.bias.copy_(bias)
    return conv


def check_pair(in_type: FieldType, out_type: FieldType, kernel_size: int) -> None:
    """Raise ValueError for types that no convolution joins."""
    if in_type.group != out_type.group:
        raise ValueError(
            f"out_type: got fields of {out_type.group} for an input of {in_type.group}, must be one group; "
            f"use in_type.restricted(subgroup)"
        )
    if in_type.group.space not in CONVOLUTIONS:
        raise ValueError(f"in_type: {in_type.group} acts on {in_type.group.space}, must act on the plane or on space")
    check_kernel(in_type.group, kernel_size)
