"""A residual convolutional network on the lattice of a neural process.

Legend of axes: `B` tasks, `W` features, `K` extra inputs; `*G` lattice axes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSLATIONS = ("translation1d", "translation2d", "translation3d")


class ConvBody(nn.Module):
    """`z <- z + A t`, then `z <- z + conv_l(SiLU(z))` for each layer `l`, with kernels as they come.

    Reference: the additive form of Ashman et al. (2024), arXiv 2406.13488; `A` takes any number of inputs.

    Args:
        dim: dimension of the lattice, 1 to 3.
        width: features `W`.
        depth: convolutions.
        kernel: lattice points along an axis, odd.
        extras: number `K` of extra inputs that it can take.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> ls.nets.processes.ConvBody(2, width=4, depth=1, kernel=3)(torch.rand(1, 4, 8, 8)).shape
        torch.Size([1, 4, 8, 8])
    """

    def __init__(self, dim: int, width: int = 16, depth: int = 4, kernel: int = 9, extras: int = 0) -> None:
        super().__init__()
        check_body(dim, width, depth, kernel, extras)
        self.dim, self.width, self.extras = dim, width, extras
        self.mix = mix(dim, extras, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), CONVOLUTIONS[dim - 1](width, width, kernel, padding=kernel // 2))
            for _ in range(depth)
        )

    @property
    def group_name(self) -> str:
        """Translations alone."""
        return TRANSLATIONS[self.dim - 1]

    def forward(self, z: Tensor, t: Tensor | None = None) -> Tensor:
        """Features `(B, W, *G)` of features, and of extra inputs `(B, K, *G)` if there are any."""
        z = z if t is None else z + self.mix(t)
        for layer in self.layers:
            z = z + layer(z)
        return z


def mix(dim: int, extras: int, width: int) -> nn.Module:
    """The linear map `A` from extra inputs to features; 0 for 0.

    Its draw leaves the state of the generator as it was: with one seed, all other weights begin as those of the network
    without extra inputs, and a comparison of the two is one of pairs.
    """
    if not extras:
        return nn.Identity()
    with torch.random.fork_rng(devices=()):
        return CONVOLUTIONS[dim - 1](extras, width, 1, bias=False)


def check_body(dim: int, width: int, depth: int, kernel: int, extras: int) -> None:
    """Refuse sizes that are out of range."""
    at_least_one(width=width, depth=depth, kernel=kernel)
    if not 1 <= dim <= 3:
        raise ValueError(f"dim: got {dim}, must be 1, 2 or 3, for which there are convolutions")
    if kernel % 2 == 0:
        raise ValueError(f"kernel: got {kernel}, must be odd, so that the lattice keeps its centre; take {kernel + 1}")
    if extras < 0:
        raise ValueError(f"extras: got {extras}, must be >= 0; 0 for none")
