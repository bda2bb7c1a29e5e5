"""A residual pathway beside a convolution of escnn."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from learnsym.relax.escnn.blocks import exact_kernel
from learnsym.relax.escnn.convolution import EscnnConv, exact_energy
from learnsym.relax.residual_pathway import checked_variance


@final
class EscnnResidual(EscnnConv):
    """`W = A + F`: the kernel of escnn plus a free one, which starts at 0 and which a prior keeps small.

    As `ResidualPathway`, whose priors it has.

    Args:
        conv: of escnn.
        free_variance: prior variance of the free kernel in that of usual initial weights, positive.
    """

    method = "residual pathway"

    def __init__(self, conv: nn.Module, free_variance: float = 0.01) -> None:
        super().__init__(conv)
        self.free = nn.Parameter(torch.zeros_like(exact_kernel(conv)))
        self.free_variance = checked_variance("free_variance", free_variance)

    def kernel(self) -> Tensor:
        """The sum of both kernels."""
        return exact_kernel(self.equivariant) + self.free

    def penalty(self) -> Tensor:
        """The negative log prior of both kernels, in nats, up to a constant."""
        free = 0.5 * self.free[0].numel() * self.free.square().sum() / self.free_variance
        return exact_energy(self.equivariant) + free
