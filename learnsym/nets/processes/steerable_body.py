"""A residual steerable network on the lattice of a neural process of the plane.

Legend of axes: `B` tasks, `W` features, `K` extra inputs; `*G` lattice axes.
"""

from __future__ import annotations

from torch import Tensor, nn

from learnsym.equivariant import FieldType, SteerableConv
from learnsym.groups import Cyclic, Group
from learnsym.nets.processes.conv_body import check_body, mix

QUARTER_TURNS = Cyclic(4)


class SteerableBody(nn.Module):
    """As `ConvBody`, between regular fields of a finite group of the plane: `z <- P conv_L(... SiLU(conv_0(z + A t)))`.

    A lifting convolution leads from `W` scalars to `width` regular fields, residual ones follow, and the mean over the
    group with a linear map leads back to scalars. Quarter turns and flips of the lattice are exact; a finer group
    commutes with its turns up to the sampling of kernels.

    Reference: for the insertion Ashman et al. (2024), arXiv 2406.13488, whose E(2) networks are steerable ones of
    Weiler, Cesa (2019), arXiv 1911.08251.

    Args:
        width: features `W`, and regular fields.
        depth: convolutions, the lifting one included.
        kernel: lattice points along an axis, odd.
        extras: number `K` of extra inputs that it can take.
        group: C_N or D_N.

    Raises:
        ValueError: for sizes that are out of range, or a group that is not finite.

    Example:
        >>> ls.nets.processes.SteerableBody(4, depth=2, kernel=3)(torch.rand(1, 4, 8, 8)).shape
        torch.Size([1, 4, 8, 8])
    """

    def __init__(
        self, width: int = 8, depth: int = 4, kernel: int = 5, extras: int = 0, group: Group = QUARTER_TURNS
    ) -> None:
        super().__init__()
        self.dim = 2
        check_body(self.dim, width, depth, kernel, extras)
        if group.order is None:
            raise ValueError(f"group: got {group}, must be finite; take C_N or D_N, such as groups.Dihedral(4)")
        self.width, self.extras, self.group = width, extras, group
        self.mix = mix(self.dim, extras, width)
        scalars, regular = FieldType.trivial(group, width), FieldType.regular(group, width)
        self.lift = SteerableConv(scalars, regular, kernel, padding=kernel // 2)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), SteerableConv(regular, regular, kernel, padding=kernel // 2))
            for _ in range(depth - 1)
        )
        self.out = nn.Conv2d(width, width, 1)

    @property
    def group_name(self) -> str:
        """Translations, with the turns and flips of its group."""
        return f"translation2d and {self.group.name}"

    def forward(self, z: Tensor, t: Tensor | None = None) -> Tensor:
        """Features `(B, W, *G)` of features, and of extra inputs `(B, K, *G)` if there are any."""
        z = self.lift(z if t is None else z + self.mix(t))
        for layer in self.layers:
            z = z + layer(z)
        # the mean over the group of SiLU of each regular field
        fields = nn.functional.silu(z).unflatten(1, (self.width, -1)).mean(2)
        return self.out(fields)
