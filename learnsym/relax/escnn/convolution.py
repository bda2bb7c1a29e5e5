"""What relaxed convolutions of escnn share: the convolution of the user, and a kernel that may leave its symmetry.

Legend of axes: `c` channels, `*S` pixels or voxels; none of a linear map, which is a convolution on a single point.
"""

from __future__ import annotations

import abc
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.degrees import Degree
from learnsym.equivariant.projection import relative_distance
from learnsym.relax.escnn.blocks import exact_kernel, is_transposed, nearest_kernel, nearest_weights

CONVOLUTIONS = {2: nn.functional.conv2d, 3: nn.functional.conv3d}
TRANSPOSED = {2: nn.functional.conv_transpose2d, 3: nn.functional.conv_transpose3d}
OPTIONS = (
    *("d", "stride", "padding", "dilation", "groups", "output_padding"),
    *("padding_mode", "_reversed_padding_repeated_twice"),
)


class EscnnConv(nn.Module, abc.ABC):
    """A convolution of escnn whose kernel need not be equivariant; it takes and returns geometric tensors.

    The convolution keeps its weights, which remain parameters; the bias stays exact.

    Args:
        conv: `R2Conv`, `R3Conv`, transposed ones, or `Linear`, which becomes a part of this layer.
    """

    method: str
    """Name of the method in degrees."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.equivariant: Any = conv
        self.in_type, self.out_type = self.equivariant.in_type, self.equivariant.out_type

    @abc.abstractmethod
    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel as an ordinary convolution has it."""

    @abc.abstractmethod
    def penalty(self) -> Float[Tensor, ""]:
        """What the layer costs for leaving its symmetry."""

    def forward(self, x: Any) -> Any:  # noqa: ANN401  geometric tensors
        """The fields of the output."""
        if x.type != self.in_type:
            raise ValueError(f"x: got fields {x.type}, must be {self.in_type}; wrap the tensor with net.in_type(x)")
        return self.out_type(convolved(self.equivariant, x.tensor, self.kernel(), self.channel_bias()))

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel, which stays exact."""
        return self.equivariant.expand_parameters()[1]

    def evaluate_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """As escnn has it."""
        return self.equivariant.evaluate_output_shape(input_shape)

    def exact_weights(self) -> Tensor:
        """The weights of the convolution of escnn nearest to this one."""
        conv, kernel = self.equivariant, self.kernel()
        # of the difference, so that an exact layer gives back its very weights
        return conv.weights + nearest_weights(conv, kernel - exact_kernel(conv))

    def exact(self) -> Any:  # noqa: ANN401  of escnn
        """A convolution of escnn with the kernel nearest to this one, and the same bias."""
        conv: Any = _escnn.copied(self.equivariant)
        with torch.no_grad():
            conv.weights.copy_(self.exact_weights())
        # which makes the filter that escnn keeps for evaluation anew
        return conv if conv.training else conv.train().eval()

    def plain(self) -> nn.Module:
        """An ordinary map between the same fields with the same kernel, no longer bound to be equivariant."""
        return FreeEscnnConv(self.equivariant, self.kernel(), self.channel_bias())

    def distance(self) -> Float[Tensor, ""]:
        """What the projection removes: `|k - P k| / |k|`; differentiable."""
        conv, kernel = self.equivariant, self.kernel()
        exact = exact_kernel(conv)
        return relative_distance(kernel, exact + nearest_kernel(conv, kernel - exact))

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm of the kernel that is equivariant: `|P k|² / |k|²`, 1 when exact."""
        return [
            Degree(
                site=site,
                group=group_name(self.in_type.gspace),
                generator="equivariant share",
                unit="1",
                notion="task",
                estimate=1 - self.distance().item() ** 2,
                method=self.method,
            )
        ]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)


class FreeEscnnConv(nn.Module):
    """A convolution with the options and the fields of one of escnn, and a kernel of its own without its basis.

    Args:
        conv: of escnn.
        kernel, bias: what it starts with.
    """

    def __init__(self, conv: Any, kernel: Tensor, bias: Tensor | None) -> None:  # noqa: ANN401
        super().__init__()
        self.in_type, self.out_type = conv.in_type, conv.out_type
        self.options = {name: getattr(conv, name) for name in OPTIONS if hasattr(conv, name)}
        self.weight = nn.Parameter(kernel.detach().clone())
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())

    def forward(self, x: Any) -> Any:  # noqa: ANN401  geometric tensors
        """The fields of the output."""
        return self.out_type(convolved(SimpleNamespace(**self.options), x.tensor, self.weight, self.bias))


def convolved(conv: Any, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:  # noqa: ANN401
    """What a convolution of escnn would give with another kernel."""
    if kernel.ndim == 2:
        return nn.functional.linear(x, kernel, bias)
    padding = conv.padding
    if is_transposed(conv):
        options = conv.stride, padding, conv.output_padding, conv.groups, conv.dilation
        return TRANSPOSED[conv.d](x, kernel.transpose(0, 1), bias, *options)
    if conv.padding_mode != "zeros":
        x, padding = nn.functional.pad(x, conv._reversed_padding_repeated_twice, conv.padding_mode), 0
    return CONVOLUTIONS[conv.d](x, kernel, bias, conv.stride, padding, conv.dilation, conv.groups)


def exact_energy(conv: Any) -> Float[Tensor, ""]:  # noqa: ANN401
    """The negative log density of the equivariant kernel at usual initial weights: `fan_in D / N |k|² / 2`."""
    kernel = exact_kernel(conv)
    return 0.5 * kernel[0].numel() * conv.weights.numel() / kernel.numel() * kernel.square().sum()


def group_name(space: Any) -> str:  # noqa: ANN401
    """The name of the group here, or that of escnn where there is none."""
    try:
        return _escnn.group_of(space).name
    except ValueError:
        return space.fibergroup.name
