"""Linear layers and convolutions of torch.

Legend of axes: `R` rows, `M` groups of channels, `T` positions, `I` numbers taken in, `O` numbers given.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.layers.patches import padded, patches

BLOCKS = {"weight": ("gradients", "inputs"), "bias": ("gradients",)}


@dataclass(frozen=True)
class LinearActing:
    """`y_t = W a_t + b`; positions are all axes between the first and the last."""

    layer: nn.Linear

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return BLOCKS

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R 1 T I"]]:
        return {"inputs": x.reshape(len(x), 1, -1, x.shape[-1])}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R 1 T O"]]:
        return {"gradients": g.reshape(len(g), 1, -1, g.shape[-1])}


@dataclass(frozen=True)
class ConvActing:
    """`y_t = W a_t + b` with the patch `a_t` around each position, in each group of channels."""

    layer: nn.Conv1d | nn.Conv2d | nn.Conv3d

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return BLOCKS

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R M T I"]]:
        conv = self.layer
        x = padded(x, conv._reversed_padding_repeated_twice, conv.padding_mode)
        found = patches(x, conv.kernel_size, conv.stride, conv.dilation)
        return {"inputs": found.unflatten(2, (conv.groups, -1)).flatten(3).transpose(1, 2)}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R M T O"]]:
        return {"gradients": g.flatten(2).unflatten(1, (self.layer.groups, -1)).mT}
