"""Batch normalisation of fields.

Legend of axes: `B` batch, `c` channels, `f` fields, `d` components of a field, `*S` pixels, if any.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels

PLAIN: dict[str, type[nn.Module]] = {"plane": nn.BatchNorm2d, "space": nn.BatchNorm3d}


class FieldBatchNorm(nn.Module):
    """Batch normalisation with one mean and one variance for each field, so that a group commutes with it.

    Fields whose components the group permutes are `nn.BatchNorm1d` over the batch, the pixels and the components. Other
    fields have mean zero over the group and are only divided: `v -> w v / sqrt(E|v|² / d + ε)`. The same parts serve
    images, volumes and vectors; `SyncBatchNorm.convert_sync_batchnorm` finds those that are `nn.BatchNorm1d`,
    and training with `learnsym.training` takes the statistics of all over the batch of all processes.

    Args:
        field_type: fields of input and output.
        eps, momentum, affine: as in `nn.BatchNorm2d`.

    Reference: Weiler, Cesa (2019), arXiv 1911.08251.

    Example:
        >>> fields = ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 2, 1: 3})
        >>> ls.equivariant.FieldBatchNorm(fields)(torch.rand(4, 8, 5, 5)).shape
        torch.Size([4, 8, 5, 5])
    """

    def __init__(self, field_type: FieldType, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True) -> None:
        super().__init__()
        self.in_type = self.out_type = field_type
        self.eps, self.momentum, self.affine = eps, momentum, affine
        self.sections = field_type.sections()
        self.parts = nn.ModuleList(
            nn.BatchNorm1d(count, eps, momentum, affine)
            if representation.is_permutation
            else NormScale(count, eps, momentum, affine)
            for representation, count in field_type.parts
        )

    def forward(self, x: Tensor) -> Tensor:
        """The normalised fields, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        done = []
        for (_, count, channels), part in zip(self.sections, self.parts, strict=True):
            fields = x[:, channels]
            done.append(part(fields.reshape(len(x), count, -1)).reshape(fields.shape))
        return done[0] if len(done) == 1 else torch.cat(done, 1)

    def plain(self) -> nn.Module:
        """`nn.BatchNorm2d` or `nn.BatchNorm3d` that computes the same function in evaluation."""
        module: Any = PLAIN[self.in_type.group.space]
        norm = module(self.in_type.size, self.eps, self.momentum, self.affine)
        norm = norm.to(next(self.buffers()).device, next(self.buffers()).dtype)
        with torch.no_grad():
            for (representation, _, channels), part in zip(self.sections, self.parts, strict=True):
                _copy(part, norm, channels, representation.size)
        return norm

    def extra_repr(self) -> str:
        """Type."""
        return repr(self.in_type)


class NormScale(nn.Module):
    """Each channel `(B, f, L)` divided by its root mean square over the batch; no mean is taken off."""

    running_var: Tensor
    weight: nn.Parameter | None

    def __init__(self, fields: int, eps: float, momentum: float, affine: bool) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(fields)) if affine else None
        self.register_buffer("running_var", torch.ones(fields))

    def forward(self, x: Tensor) -> Tensor:
        """The divided fields, `(B, f, L)` from `(B, f, L)`."""
        variance = self.running_var
        if self.training:
            variance = self.mean_square(x.to(variance.dtype))
            with torch.no_grad():
                self.running_var.lerp_(variance.detach(), self.momentum)
        scale = (variance + self.eps).rsqrt()
        scale = scale if self.weight is None else scale * self.weight
        return x * scale.to(x.dtype)[:, None]

    @staticmethod
    def mean_square(x: Tensor) -> Tensor:
        """Of each field, `(f,)` from `(B, f, L)`."""
        return x.square().mean((0, 2))


def _copy(part: Any, norm: Any, channels: slice, size: int) -> None:  # noqa: ANN401
    norm.running_var[channels] = part.running_var.repeat_interleave(size)
    mean, bias = getattr(part, "running_mean", None), getattr(part, "bias", None)
    norm.running_mean[channels] = 0 if mean is None else mean.repeat_interleave(size)
    if part.weight is not None:
        norm.weight[channels] = part.weight.repeat_interleave(size)
        norm.bias[channels] = 0 if bias is None else bias.repeat_interleave(size)
