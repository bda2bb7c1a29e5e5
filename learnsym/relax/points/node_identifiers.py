"""Node identifiers: learned scalars of each position, which tell apart nodes that are not exchangeable.

Legend of axes: `B` clouds, `P` points, `F` numbers per point, `N` positions, `K` extra scalars, `O` output numbers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.equivariant.twins import exact_twin
from learnsym.groups import MatrixGroup, YoungSubgroup
from learnsym.ragged import Ragged, points_in, present_in, with_points
from learnsym.relax.penalised import penalised
from learnsym.relax.points.extras import Make, WithoutExtras, enlarged, with_scalars
from learnsym.relax.points.mean_square import MeanSquare
from learnsym.relax.residual_pathway import checked_variance
from learnsym.statistics.partition import connected


class NodeIdentifiers(nn.Module):
    """A permutation-equivariant network on clouds whose node at position `n` also carries `K` learned scalars `t_n`.

        f(x)_n = net(p_n, v_n, [s_n, t_n - t̄]),    t̄ = mean_n t_n

    The function of `x` alone keeps the permutations of positions with equal identifiers, a Young subgroup: all of them
    where all identifiers are equal, none where all differ. Symmetries of space stay what they are. Identifiers begin at
    0, where the network is exact and their gradient is not 0 where the data tell positions apart.

    Of `Ragged` clouds the position is the column of the mask; identifiers of columns that are padding are not read.
    Neither a network need use an identifier, nor is its size that of its effect: `measure.exchangeability` reads the
    function. There is no `plain`: the network is any module, with a twin of its own.

    References: Huang, Levie, Villar, "Approximately equivariant graph networks" (2023), arXiv 2308.10436, for symmetry
    under the permutations of a partition; Loukas, "What graph neural networks cannot learn" (2020), arXiv 1907.03199,
    for networks with node identifiers; that they are learned, and the prior, are our own.

    Args:
        make: builds the permutation-equivariant network for the enlarged inputs, `S + K` scalars.
        inputs: types of the clouds.
        positions: number `N`, at least that of the points of each cloud.
        features: number `K`.
        variance: prior variance of each number of an identifier, positive.

    Raises:
        ValueError: when the clouds do not lie in space, a number is out of range, or a cloud has too many points.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=8, layers=1)
        >>> net = ls.relax.points.NodeIdentifiers(make, ls.actions.PointCloud(vectors=1), positions=5)
        >>> net(torch.randn(2, 5, 6)).shape, net.stabiliser()
        (torch.Size([2, 5, 3]), S{0,1,2,3,4})
    """

    def __init__(
        self, make: Make, inputs: PointCloud, positions: int, features: int = 4, *, variance: float = 1.0
    ) -> None:
        super().__init__()
        if positions < 2:
            raise ValueError(f"positions: got {positions}, must be >= 2; a single node can change places with none")
        if features < 1:
            raise ValueError(f"features: got {features}, must be >= 1; 4 is usual")
        self.inputs, self.features, self.variance = inputs, features, checked_variance("variance", variance)
        self.net = make(enlarged(inputs, scalars=features))
        self.identifiers = nn.Parameter(torch.zeros(positions, features))
        self.seen_scalars = MeanSquare()

    def forward(self, x: Float[Tensor, "B P F"] | Ragged) -> Float[Tensor, "B P O"]:
        """The outputs of the network."""
        points = points_in(x)
        if self.training and self.inputs.scalars:
            self.seen_scalars.update(present_in(x, self.inputs.split(points).scalars).square())
        return self.net(with_points(x, with_scalars(self.inputs, points, self.centred())))

    def centred(self) -> Float[Tensor, "N K"]:
        """Identifiers without what all have in common, which tells no position from another."""
        return self.identifiers - self.identifiers.mean(0)

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior, `½ Σ_n |t_n|² / variance`, in nats up to a constant, with that of the network."""
        own = 0.5 * self.identifiers.square().sum() / self.variance
        return torch.stack([own, *(layer.penalty() for layer in penalised(self.net))]).sum()

    def exact(self) -> nn.Module:
        """The same network with equal identifiers."""
        twin = WithoutExtras(exact_twin(self.net), self.inputs, scalars=self.features)
        return twin.train(self.training)

    def told_apart(self) -> Float[Tensor, "N"]:
        """How far each position is told apart from the others: `d_n² / (d_n² + r²)`.

        `d_n²` is the mean of `|t_n - t_m|²` over the other positions `m`, `r` the root mean square of the scalars of
        points as seen in training; without scalars, and before, 1. A position that shares its identifier with some is
        told apart from the rest.
        """
        t = self.identifiers
        square = (t[:, None] - t).square().sum((1, 2)) / (len(t) - 1)
        return square / (square + self.seen_scalars.value)

    def distance(self) -> Float[Tensor, ""]:
        """What `exact` removes: the root mean of `told_apart` over positions."""
        return self.told_apart().mean().sqrt()

    def stabiliser(self, tolerance: float = 0.1) -> MatrixGroup:
        """The permutations of positions whose identifiers are equal, up to a tolerance in units of `r`.

        Positions are in one class when a chain of others joins them, each step no longer than the tolerance.

        Raises:
            ValueError: for a tolerance that is not positive.
        """
        if not tolerance > 0:
            raise ValueError(f"tolerance: got {tolerance}, must be positive; 0.1 is a tenth of the scalars of points")
        t = self.identifiers.detach()
        apart = torch.linalg.vector_norm(t[:, None] - t, dim=-1) / self.seen_scalars.root()
        return YoungSubgroup(len(t), connected(apart <= tolerance))

    def degrees(self, site: str) -> list[Degree]:
        """How far each position is told apart, see `told_apart`; 0 when exact."""
        return [
            Degree(
                site=site,
                group=f"S_{len(self.identifiers)}",
                generator=f"position {n}",
                unit="1",
                notion="task",
                estimate=share,
                method="node identifiers",
                status="no interval",
                reason=ONE_TRAINING,
            )
            for n, share in enumerate(self.told_apart().tolist())
        ]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The identifiers."""
        return [self.identifiers]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    def extra_repr(self) -> str:
        """Number of positions and scalars, and their prior."""
        return f"positions={len(self.identifiers)}, features={self.features}, variance={self.variance:g}"
