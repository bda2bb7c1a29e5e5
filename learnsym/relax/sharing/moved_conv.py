"""Convolution whose kernel for each element of a group is the same one, moved by a learned matrix.

Legend of axes: `o`, `i` fields out and in, `G` elements, `b` components of a field that comes in, `k` pixels along an
axis, `n = b k²` entries of a kernel.
"""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.distributions._elements import names
from learnsym.equivariant import FieldType
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.lattice.orbits import check_lattice
from learnsym.equivariant.steerable.conv import check_pair, convolve, plain_convolution
from learnsym.relax.sharing.moves import LearnedMoves, convex_coefficients, group_moves
from learnsym.representations import Regular


@final
class LearnedGroupConv2d(nn.Module):
    """A group convolution that is not told its group, only the number of its elements.

        k(h, b, u) = (R_h w)(b, u),    R_1 = 1

    with one stack of learned matrices `R` on the `n = b k²` entries of a kernel for all pairs of fields; see
    `LearnedMoves`. With the permutations of a group in place of `R` it is `GroupConv2d`. From trivial fields it is the
    lifting layer. The group of the field types says how many elements there are, and what `degrees` compares with.

    What is learned need not be in the order of that group, and `degrees` of a layer above another learned one only say
    how far both are: read the structure off the first layer.

    Reference: van der Linden, García-Castellanos, Vadgama, Kuipers, Bekkers (2024), arXiv 2412.04594.

    Args:
        in_type: trivial fields, or regular ones.
        out_type: regular fields of the same group of at least two elements.
        kernel_size, stride, padding, bias, padding_mode: as in `GroupConv2d`.
        kind: of the matrices, see `LearnedMoves`.

    Raises:
        ValueError: for other fields, or a group that does not map pixels to pixels.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> image, fields = ls.equivariant.FieldType.trivial(group, 1), ls.equivariant.FieldType.regular(group, 2)
        >>> layer = ls.relax.sharing.LearnedGroupConv2d(image, fields, 3)
        >>> layer(torch.rand(1, 1, 9, 9)).shape
        torch.Size([1, 8, 7, 7])
        >>> print(layer.degrees("layer:0")[0])
        layer:0: C_4 rotation by 90 0... (task, learned weight sharing)...
    """

    answers_for = ("moves",)

    def __init__(
        self,
        in_type: FieldType,
        out_type: FieldType,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        padding_mode: str = "zeros",
        kind: str = "doubly_stochastic",
    ) -> None:
        super().__init__()
        check_lattice(in_type.group)
        check_pair(in_type, out_type, kernel_size)
        _check_fields(in_type, out_type)
        self.in_type, self.out_type = in_type, out_type
        self.kernel_size, self.padding_mode = kernel_size, padding_mode
        self.options: dict[str, Any] = {"stride": stride, "padding": padding}
        entries = in_type.parts[0][0].size * kernel_size**2
        self.moves = LearnedMoves(len(in_type.group.components), entries, kind)
        self.weight = nn.Parameter(torch.empty(out_type.fields, in_type.fields, entries))
        self.bias = nn.Parameter(torch.zeros(out_type.fields)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights anew, normal with variance `1 / (c_in k²)`; no bias. Matrices stay."""
        nn.init.normal_(self.weight, std=(self.in_type.size * self.kernel_size**2) ** -0.5)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def kernel(self) -> Float[Tensor, "oG ib k k"]:
        """The kernel as an ordinary convolution has it."""
        # w -> R_h w
        moved = torch.einsum("hnm,oim->ohin", self.moves.matrices(), self.weight)
        return moved.unflatten(-1, (-1, self.kernel_size, self.kernel_size)).flatten(2, 3).flatten(0, 1)

    def channel_bias(self) -> Tensor | None:
        """The constant of each channel, one for a field."""
        return None if self.bias is None else self.bias.repeat_interleave(len(self.in_type.group.components))

    def forward(self, x: Float[Tensor, "B c_in H W"]) -> Float[Tensor, "B c_out H_out W_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return convolve(x, self.kernel(), self.channel_bias(), self.padding_mode, self.options)

    def plain(self) -> nn.Module:
        """An ordinary convolution with the same kernel."""
        return plain_convolution(self.kernel(), self.channel_bias(), self.padding_mode, self.options)

    def structure(self) -> tuple[Float[Tensor, "G G"], Float[Tensor, "G"]]:
        """What part of each matrix is which element of the group, and what is left over; see `convex_coefficients`."""
        return convex_coefficients(self.moves.matrices(), group_moves(self.in_type, self.kernel_size))

    def degrees(self, site: str) -> list[Degree]:
        """For each element but the identity the largest part that it has in a learned matrix: 1 when it was found."""
        found = self.structure()[0][1:].amax(0)
        return [
            Degree(
                site=site,
                group=self.in_type.group.name,
                generator=name,
                unit="1",
                notion="task",
                estimate=share,
                method="learned weight sharing",
                status="no interval",
                reason=ONE_TRAINING,
            )
            for name, share in list(zip(names(self.in_type.group), found.tolist(), strict=True))[1:]
        ]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the matrices."""
        return self.moves.symmetry_parameters()

    def terms(self) -> tuple[str, ...]:
        """The norm of the matrices."""
        return ("moves",)

    def extra_repr(self) -> str:
        """Types and size."""
        return f"{self.in_type} -> {self.out_type}, kernel_size={self.kernel_size}"


def _check_fields(in_type: FieldType, out_type: FieldType) -> None:
    regular = Regular(in_type.group)
    if regular.size < 2:
        raise ValueError(f"in_type: {in_type.group} has one element, must have two or more; take C_4")
    if [part for part, _ in out_type.parts] != [regular]:
        raise ValueError(f"out_type: got {out_type}, must be regular fields")
    sources = [part for part, _ in in_type.parts]
    if len(sources) != 1 or not (sources[0] == regular or sources[0].is_trivial):
        raise ValueError(f"in_type: got {in_type}, must be trivial fields or regular ones, not both")
