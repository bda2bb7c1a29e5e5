"""Linear maps of multivectors and auxiliary scalars as two dense matrix products.

Legend of axes: `T` tokens, `C`, `D` channels in and out, `S`, `R` auxiliary scalars in and out, `K` maps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym.equivariant.projective.features import Features
from learnsym.equivariant.projective.maps import (
    check_group,
    invariant_blades,
    invariant_columns,
    map_basis,
    map_parity,
    maps_of,
    signs_of,
)


class MultivectorLinear(nn.Module):
    """All linear maps of multivectors and auxiliary scalars that commute with a group.

    One matrix acts on the blades 1, p, q, r of all channels and the auxiliary scalars, one on the x, the y and the z of
    the blades e, B, m, P. Their zeros and ties are those of the group: 16 maps between two channels for SE(3), half of
    them for E(3) (those that match the signs of the channels), 32 for SO(3). Auxiliary scalars are read from the
    invariant blades and written to those that may take an invariant; so is a bias.

    Reference: Geometric algebra transformer (Brehmer, de Haan, Behrends, Cohen 2023), arXiv 2305.18415 (9 maps).

    Args:
        channels: channels `C` of the input and `D` of the output.
        scalars: auxiliary scalars `S` of the input and `R` of the output.
        group: "E(3)", "SE(3)" or "SO(3)".
        signs: of the output channels, under E(3); the usual ones without.

    Raises:
        ValueError: for another group, or an odd number of channels under E(3).

    Example:
        >>> linear = MultivectorLinear((2, 4), (3, 5), "SE(3)")
        >>> y = linear(Features(torch.rand(11, 7), torch.rand(8, 3, 7)))
        >>> y.scalars.shape, y.vectors.shape
        (torch.Size([21, 7]), torch.Size([16, 3, 7]))
    """

    def __init__(
        self, channels: tuple[int, int], scalars: tuple[int, int], group: str, signs: Tensor | None = None
    ) -> None:
        super().__init__()
        check_group(group)
        self.channels, self.scalars, self.group = channels, scalars, group
        self.halves = 2 if group == "E(3)" else 1
        if any(count % self.halves for count in channels):
            raise ValueError(f"channels: got {channels}, must be even under E(3): one half for each sign")
        signs = signs_of(group, channels[1]) if signs is None else signs
        targets = invariant_columns(group, signs, invariant_blades(group, outputs=True))
        sources = invariant_columns(group, signs_of(group, channels[0]), invariant_blades(group, outputs=False))
        self.register_buffer("basis", _allowed_basis(group, signs), persistent=False)
        self.register_buffer("targets", targets, persistent=False)
        self.register_buffer("sources", sources, persistent=False)
        self.maps = nn.Parameter(torch.empty(channels[1], len(maps_of(group)), channels[0] // self.halves))
        # the last column is the bias
        self.up = nn.Parameter(torch.empty(len(targets), scalars[0] + 1))
        self.down = nn.Parameter(torch.empty(len(sources), scalars[1])) if scalars[1] else None
        self.mixed = nn.Parameter(torch.empty(scalars[1], scalars[0] + 1)) if scalars[1] else None
        self.reset_parameters()

    basis: Tensor
    targets: Tensor
    sources: Tensor

    def reset_parameters(self) -> None:
        """Independent normal weights, such that outputs have the size of inputs."""
        scalars, outputs = self.scalars[0], [pairs[0][0] for pairs in maps_of(self.group)]
        takes = invariant_blades(self.group, outputs=True)
        with torch.no_grad():
            for k, blade in enumerate(outputs):
                fan = outputs.count(blade) * self.maps.shape[2] + scalars * (blade in takes and blade in "1pqr")
                self.maps[:, k].normal_(std=fan**-0.5)
            fan = len(self.sources) + scalars
            for weight in (self.up, self.down, self.mixed):
                if weight is not None:
                    weight.normal_(std=fan**-0.5)
            for weight in (self.up, self.mixed):
                if weight is not None:
                    weight[:, -1] = 0

    def forward(self, x: Features) -> Features:
        """The maps applied to every token."""
        on_scalars, bias, on_vectors = self.weights()
        scalars = torch.addmm(bias[:, None], on_scalars, x.scalars)
        return Features(scalars, (on_vectors @ x.vectors.flatten(1)).unflatten(1, (3, -1)))

    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """Matrix `(4 D + R, 4 C + S)` and bias of the scalars, matrix `(4 D, 4 C)` of the vectors."""
        on_blades, on_vectors = self.matrices().unbind()
        # a row for each output blade; those that take no invariant stay 0
        up = self.up.new_zeros(on_blades.shape[0], self.up.shape[1]).index_copy(0, self.targets, self.up)
        up, bias = up.split([self.scalars[0], 1], 1)
        weight = torch.cat([on_blades, up], 1)
        if self.down is not None and self.mixed is not None:
            down = self.down.new_zeros(on_blades.shape[1], self.scalars[1]).index_copy(0, self.sources, self.down)
            mixed, more = self.mixed.split([self.scalars[0], 1], 1)
            weight, bias = torch.cat([weight, torch.cat([down.T, mixed], 1)]), torch.cat([bias, more])
        return weight, bias[:, 0], on_vectors

    def matrices(self) -> Tensor:
        """Matrices `(2, 4 D, 4 C)` on the scalar and on the vector blades of all channels."""
        dense = (self.basis.to(self.maps.dtype) @ self.maps).unflatten(1, (2, 4, 4, self.halves))
        # D, part, blade out, blade in, half, channels of a half
        return dense.permute(1, 2, 0, 3, 4, 5).reshape(2, 4 * self.channels[1], 4 * self.channels[0])

    def extra_repr(self) -> str:
        (c, d), (s, r) = self.channels, self.scalars
        return f"{c} multivectors, {s} scalars -> {d} multivectors, {r} scalars, {self.group}"


def _allowed_basis(group: str, signs: Tensor) -> Tensor:
    """`(D or 1, 2 4 4 halves, K)`: the maps, each between channels of the signs that it connects."""
    basis = map_basis(group).movedim(0, -1).unsqueeze(3)
    if group != "E(3)":
        return basis.reshape(1, -1, basis.shape[-1])
    halves = torch.tensor([1.0, -1.0])
    allowed = signs[:, None, None] * halves[:, None] * map_parity(group) > 0
    return (basis * allowed[:, None, None, None].to(basis.dtype)).flatten(1, 4)
