"""A learned part of a group, to which a feature map is restricted; what all kinds share.

Legend of axes: `B` batch, `c` channels, `m` fields, `d` values or coefficients of one field, `P` extents, `*S` pixels.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.equivariant import FieldType
from learnsym.equivariant.field_type import check_channels
from learnsym.representations import Regular


class PartialRange(nn.Module, abc.ABC):
    """A learned part of the group, by a density `p` on it: restricts a feature map, `f(h) -> p(h) f(h)`, mean of `p` 1.

    The density keeps the group wherever it is 1: an exactly equivariant identity.
    """

    over_elements = True
    field_type: FieldType

    @abc.abstractmethod
    def window(self) -> Float[Tensor, "d d"]:
        """The matrix of the restriction on one field: values or Fourier coefficients of `p f` from those of `f`."""

    def drawn_window(self) -> Float[Tensor, "d d"]:
        """The matrix that training uses; another one where the part is drawn."""
        return self.window()

    @abc.abstractmethod
    def extent(self) -> Float[Tensor, "P"]:
        """How much of the group is kept, each number from 0 to 1, differentiable."""

    @abc.abstractmethod
    def degrees(self, site: str) -> list[Degree]:
        """What has been learned, in reporting units."""

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """All of its parameters."""
        return list(self.parameters())

    def forward(self, x: Float[Tensor, "B c *S"]) -> Float[Tensor, "B c *S"]:
        """The feature map on the learned part of the group."""
        check_channels(self.field_type, x)
        return restricted(self.field_type, self.drawn_window() if self.training else self.window(), x)

    def matrix(self) -> Float[Tensor, "c c"]:
        """The restriction on all channels."""
        window = self.window()
        eye = torch.eye(self.field_type.size, dtype=window.dtype, device=window.device)
        return restricted(self.field_type, window, eye).mT

    def plain(self) -> nn.Module:
        """An ordinary convolution over one pixel."""
        return pointwise(self.matrix())

    def exact(self) -> nn.Module:
        """The identity: the whole group is kept."""
        return nn.Identity()

    def distance(self) -> Float[Tensor, ""]:
        """`|p - 1| / |p|`, as matrices; differentiable."""
        window = self.window()
        tiny = torch.finfo(window.dtype).tiny
        rest = window - torch.eye(len(window), dtype=window.dtype, device=window.device)
        return rest.square().sum().clamp(min=tiny).sqrt() / window.norm()


def partial_ranges(network: nn.Module) -> list[PartialRange]:
    """The learned ranges of a network, in the order of its modules."""
    return [module for module in network.modules() if isinstance(module, PartialRange)]


def increase_along_depth(ranges: Sequence[PartialRange]) -> Float[Tensor, ""]:
    """`Σ_l Σ_i relu(extent_{l+1, i} - extent_{l, i})`: a later layer cannot win back what an earlier one gave up.

    Reference: Romero, Lohit (2022), arXiv 2110.10211.

    Args:
        ranges: from the first layer to the last, all of one kind; see `partial_ranges`.

    Raises:
        ValueError: without ranges, or for ranges of different kinds.
    """
    if not ranges:
        raise ValueError(
            "ranges: got none, must be at least one; add a PartialGroupConv or a PartialMean to the network"
        )
    extents = [item.extent() for item in ranges]
    if len({extent.shape for extent in extents}) > 1:
        raise ValueError(f"ranges: got {[len(extent) for extent in extents]} extents, must be as many in each layer")
    return torch.stack([extents[0].sum() * 0, *((b - a).relu().sum() for a, b in pairwise(extents))]).sum()


def restricted(field_type: FieldType, window: Float[Tensor, "d d"], x: Float[Tensor, "B c *S"]) -> Tensor:
    """A matrix on the values or coefficients of each field."""
    moved = torch.einsum("ij,bcj...->bci...", window.to(x.dtype), fields(field_type, x))
    return from_fields(moved, field_type)


def fields(field_type: FieldType, x: Float[Tensor, "B c *S"]) -> Float[Tensor, "B m d *S"]:
    """The `m` fields of regular type or of all irreps, each with its `d` values or coefficients."""
    parts = [x[:, channels].unflatten(1, (count, -1)) for _, count, channels in field_type.sections()]
    return torch.cat(parts, 2)


def from_fields(x: Float[Tensor, "B m d *S"], field_type: FieldType) -> Float[Tensor, "B c *S"]:
    """The inverse of `fields`."""
    sizes = [representation.size for representation, _ in field_type.parts]
    return torch.cat([part.flatten(1, 2) for part in x.split(sizes, 2)], 1)


def pointwise(matrix: Float[Tensor, "o i"]) -> nn.Conv2d:
    """An ordinary convolution over one pixel."""
    conv = nn.Conv2d(matrix.shape[1], matrix.shape[0], 1, bias=False, device=matrix.device, dtype=matrix.dtype)
    with torch.no_grad():
        conv.weight.copy_(matrix[..., None, None])
    return conv


def regular_order(field_type: FieldType) -> int:
    (representation, _), *rest = field_type.parts
    if field_type.group.order is None or rest or representation != Regular(field_type.group):
        raise ValueError(f"field_type: got {field_type}, must be FieldType.regular(group, count) of C_N or D_N")
    return representation.size


def partial_degree(field_type: FieldType, site: str, generator: str, unit: str, estimate: float) -> Degree:
    return Degree(
        site=site,
        group=field_type.group.name,
        generator=generator,
        unit=unit,
        notion="task",
        estimate=estimate,
        method="partial group convolution",
        status="no interval",
        reason=ONE_TRAINING,
    )
