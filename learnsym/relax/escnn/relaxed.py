"""A convolution of escnn whose basis kernels are weighted differently at each pixel.

Legend of axes: `K` basis kernels, `P` points of the kernel.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from learnsym.equivariant import Constant
from learnsym.relax.escnn.blocks import Block, basis_of, blocks_of, joined
from learnsym.relax.escnn.convolution import EscnnConv
from learnsym.relax.relaxed_steerable_conv import same_radius


@final
class EscnnRelaxed(EscnnConv):
    """`k(u) = Σ_K c_K w_K(u) b_K(u)` with the basis and the coefficients of escnn; `w` starts at 1, an exact layer.

    As `RelaxedSteerableConv` with one bank.

    Args:
        conv: of escnn.
    """

    method = "relaxed steerable convolution"

    def __init__(self, conv: nn.Module) -> None:
        super().__init__(conv)
        bases = {block.name: basis_of(conv, block) for block in blocks_of(conv)}
        self.weights = nn.ParameterDict(
            {name: nn.Parameter(torch.ones(len(b), b.shape[-1]).to(b)) for name, b in bases.items() if len(b)}
        )
        self.same_radius = Constant(same_radius(self.equivariant.kernel_size, self.equivariant.d))

    def kernel(self) -> Tensor:
        """The kernel as an ordinary convolution has it."""
        found = [block for block in blocks_of(self.equivariant) if block.name in self.weights]
        return joined(self.equivariant, {block.name: self._block(block) for block in found})

    def _block(self, block: Block) -> Tensor:
        coefficients = self.equivariant.weights[block.weights].view(*block.fields, -1)
        weighted = basis_of(self.equivariant, block) * self.weights[block.name][:, None, None]
        return torch.einsum("oik,kabp->oiabp", coefficients, weighted)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The weights of each pixel."""
        return list(self.weights.values())

    def penalty(self) -> Tensor:
        """`Σ_K Σ_{u,v} |w_K(u) - w_K(v)|` over pairs of pixels at the same radius, each once."""
        w = torch.cat(list(self.weights.values()))
        return ((w[:, :, None] - w[:, None, :]).abs() * self.same_radius().to(w)).sum() / 2
