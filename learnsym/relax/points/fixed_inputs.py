"""Fixed extra inputs: learned vectors, the same for every point, that break rotations down to those that keep them.

Legend of axes: `B` clouds, `N` points, `F` numbers per point, `K` fixed vectors, `V` input vectors, `O` output numbers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.distributions import uniform_noise
from learnsym.equivariant.twins import exact_twin
from learnsym.groups import SO3, AxialSO2, Group, Trivial
from learnsym.ragged import Ragged, points_in, present_in, with_points
from learnsym.relax.penalised import penalised
from learnsym.relax.points.extras import Make, WithoutExtras, appended, enlarged
from learnsym.relax.points.mean_square import MeanSquare
from learnsym.relax.residual_pathway import checked_variance


class FixedInputs(nn.Module):
    """An equivariant network on clouds whose every point also carries `K` learned vectors `u_k`, such as gravity.

        f(x) = net(p_i, [v_ia, u_k, u_k × v_ia], [s_i, |u_k|]),    net(R x, R u) = R net(x, u)

    The function of `x` alone keeps the rotations that keep every `u_k`: all where they are 0, those about `u` where all
    are parallel, none otherwise. Translations stay. The cross products let an axial field (a magnetic one) act in
    networks that have none; cross products with differences of positions are not among them.

    Parity: to the network all extra vectors are polar, `-> M ·` under a mirror `M`. That is right for `u_k` as a polar
    vector, and for `u_k × v` with `u_k` as an axial one, `u -> det(M) M u`; no mirror does both. So the joint symmetry
    is that of rotations, also for a network with mirrors, whose mirrors hold at `u = 0` only, as in `exact`.

    Vectors start small and at random. At 0 the gradient of all that is even in `u_k` (`|u|²`, `<u, v>²`: an anisotropy
    without a sense) is 0, so training would not leave 0 where the data break rotations in such a way only, and `|u|`
    has a kink there.

    Neither the length of `u_k` is the size of its effect, since the network may scale it, nor need a network use it:
    `measure.residual_axis` reads the function. There is no `plain`: the network is any module, with a twin of its own.

    Reference: Ashman, Diaconu, Weller, Bruinsma, Turner, "Approximately equivariant neural processes" (2024), arXiv
    2406.13488, for fixed inputs and dropping them; vectors, their cross products and the prior are our own.

    Args:
        make: builds the exact network for the enlarged inputs, `V + K + K V` vectors and `S + K` scalars.
        inputs: types of the clouds.
        vectors: number `K`.
        start: root mean square length of each `u_k` at the start, positive.
        variance: prior variance of each coordinate of `u_k`, positive.
        drop: probability in [0, 1) that a cloud gets 0 for all `u_k` in training, so that `exact` is trained as well;
            the paper has 0.5.

    Raises:
        ValueError: when the clouds do not lie in space, or a number is out of range.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=8, layers=1)
        >>> net = ls.relax.points.FixedInputs(make, ls.actions.PointCloud(vectors=1))
        >>> net(torch.randn(2, 5, 6)).shape, net.stabiliser(tolerance=1.0).name
        (torch.Size([2, 5, 3]), 'SO(3)')
    """

    def __init__(
        self,
        make: Make,
        inputs: PointCloud,
        vectors: int = 1,
        *,
        start: float = 0.1,
        variance: float = 1.0,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        if vectors < 1:
            raise ValueError(f"vectors: got {vectors}, must be >= 1; 1 leaves rotations about one axis")
        if not 0 < start < float("inf"):
            raise ValueError(f"start: got {start}, must be positive, since 0 may have no gradient; 0.1 is usual")
        if not 0 <= drop < 1:
            raise ValueError(f"drop: got {drop}, must lie in [0, 1); 0.5 is that of the paper")
        self.inputs, self.drop, self.variance = inputs, drop, checked_variance("variance", variance)
        self.extra_vectors, self.extra_scalars = vectors * (1 + inputs.vectors), vectors
        self.net = make(enlarged(inputs, self.extra_vectors, self.extra_scalars))
        self.fixed = nn.Parameter(torch.randn(vectors, 3) * (start / 3**0.5))
        self.seen = MeanSquare()

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N O"]:
        """The outputs of the network."""
        points = points_in(x)
        _, v, _ = self.inputs.split(points)
        if self.training:
            self.seen.update(present_in(x, self._lengths(x)).square().sum(-1))
        u = self.fixed.to(points.dtype).expand(*points.shape[:2], -1, -1)
        if self.training and self.drop:
            u = u * (uniform_noise((len(points), 1, 1, 1), points, batch_axis=0) >= self.drop).to(points.dtype)
        products = torch.linalg.cross(u.unsqueeze(3), v.unsqueeze(2)).flatten(2, 3)
        # 0 has the gradient 0 here
        lengths = torch.linalg.vector_norm(u, dim=-1)
        return self.net(with_points(x, appended(self.inputs, points, torch.cat([u, products], 2), lengths)))

    def _lengths(self, x: Tensor | Ragged) -> Tensor:
        """Vectors of points; without any, their positions from the centroid."""
        positions, vectors, _ = self.inputs.split(points_in(x))
        if self.inputs.vectors:
            return vectors
        centre = positions.mean(1) if isinstance(x, Tensor) else x.mean(positions)
        return positions - centre.unsqueeze(1)

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior, `½ Σ_k |u_k|² / variance`, in nats up to a constant, with that of the network."""
        own = 0.5 * self.fixed.square().sum() / self.variance
        return torch.stack([own, *(layer.penalty() for layer in penalised(self.net))]).sum()

    def exact(self) -> nn.Module:
        """The same network with `u = 0`."""
        twin = WithoutExtras(exact_twin(self.net), self.inputs, self.extra_vectors, self.extra_scalars)
        return twin.train(self.training)

    def lengths(self) -> Float[Tensor, "K"]:
        """`|u_k|` over the root mean square length of the input vectors seen in training.

        Of points without vectors it is over that of their positions from the centroid; before training over 1.
        """
        return torch.linalg.vector_norm(self.fixed, dim=-1) / self.seen.root()

    def distance(self) -> Float[Tensor, ""]:
        """What `exact` removes: the sum of `lengths`."""
        return self.lengths().sum()

    def axis(self) -> Float[Tensor, "3"]:
        """The unit vector along the longest `u_k`.

        Raises:
            ValueError: when all `u_k` are 0.
        """
        longest = self.fixed.detach()[self.lengths().argmax()]
        if not longest.any():
            raise ValueError("fixed: all vectors are 0, which have no direction; train with `start` above 0")
        return longest / longest.norm()

    def stabiliser(self, tolerance: float = 0.01) -> Group:
        """The rotations that keep every fixed vector, up to a part that is shorter than `tolerance`, as in `lengths`.

        Returns:
            SO(3), the rotations about `axis`, or the trivial group.

        Raises:
            ValueError: for a tolerance that is not positive.
        """
        if not tolerance > 0:
            raise ValueError(f"tolerance: got {tolerance}, must be positive; 0.01 is 1 % of the input vectors")
        if bool((self.lengths() <= tolerance).all()):
            return SO3()
        n = self.axis()
        across = self.fixed.detach() - (self.fixed.detach() @ n)[:, None] * n
        if bool((across.norm(dim=1) / self.seen.root() > tolerance).any()):
            return Trivial(3, "space")
        return AxialSO2(n.tolist())

    def degrees(self, site: str) -> list[Degree]:
        """The relative length of each fixed vector, see `lengths`; 0 when exact."""
        return [
            Degree(
                site=site,
                group="SO(3)",
                generator=f"fixed vector {k}",
                unit="input length",
                notion="task",
                estimate=length,
                method="fixed inputs",
                status="no interval",
                reason=ONE_TRAINING,
            )
            for k, length in enumerate(self.lengths().tolist())
        ]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The fixed vectors."""
        return [self.fixed]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    def extra_repr(self) -> str:
        """Number of vectors and their prior."""
        return f"vectors={len(self.fixed)}, variance={self.variance:g}, drop={self.drop:g}"
