"""Relaxed convolutions on the lattice of a neural process: banks of kernels that locations weigh.

Legend of axes: `B` tasks, `W` features, `L` layers, `M` banks; `*G` lattice axes.
"""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one
from learnsym.nets.processes.conv_body import CONVOLUTIONS, TRANSLATIONS, check_body


class BankedBody(nn.Module):
    """As `ConvBody`, each convolution a mean over banks of kernels with weights that depend on the location.

        z <- z + (1/M) Σ_m (1 + s_lm(x)) conv_lm(SiLU(z))

    Without extra inputs `s` all layers are ordinary convolutions with the mean kernel.

    Reference: the relaxed convolution that Ashman et al. (2024), arXiv 2406.13488, compare with, after Wang, Walters,
    Yu (2022), arXiv 2201.11969; they divide by 3 M, which is a matter of the weights at the start.

    Args:
        dim: dimension of the lattice, 1 to 3.
        width: features `W`.
        depth: layers `L`.
        kernel: lattice points along an axis, odd.
        banks: number `M`; it takes `L M` extra inputs.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> body = ls.nets.processes.BankedBody(1, width=4, depth=2, kernel=3)
        >>> body.extras, body(torch.rand(1, 4, 8), torch.zeros(1, 6, 8)).shape
        (6, torch.Size([1, 4, 8]))
    """

    def __init__(self, dim: int, width: int = 16, depth: int = 4, kernel: int = 9, banks: int = 3) -> None:
        super().__init__()
        check_body(dim, width, depth, kernel, 0)
        at_least_one(banks=banks)
        self.dim, self.width, self.banks, self.extras = dim, width, banks, depth * banks
        conv = CONVOLUTIONS[dim - 1]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), conv(width, banks * width, kernel, padding=kernel // 2)) for _ in range(depth)
        )

    @property
    def group_name(self) -> str:
        """Translations alone."""
        return TRANSLATIONS[self.dim - 1]

    def forward(self, z: Tensor, s: Tensor | None = None) -> Tensor:
        """Features `(B, W, *G)` of features, and of weights `(B, L M, *G)` if there are any."""
        weights = [None] * len(self.layers) if s is None else s.chunk(len(self.layers), 1)
        for layer, weight in zip(self.layers, weights, strict=True):
            each = layer(z).unflatten(1, (self.banks, self.width))
            z = z + (each if weight is None else each * (1 + weight.unsqueeze(2))).mean(1)
        return z
