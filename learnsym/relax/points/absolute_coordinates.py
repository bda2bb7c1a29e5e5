"""Absolute coordinates: residual scalars of points that see where they are, behind one learned gain.

Legend of axes: `B` clouds, `N` points, `F` numbers per point, `K` extra scalars, `O` output numbers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.equivariant.twins import exact_twin
from learnsym.ragged import Ragged, points_in, present_in, with_points
from learnsym.relax.penalised import penalised
from learnsym.relax.points.extras import Make, WithoutExtras, appended, enlarged
from learnsym.relax.points.mean_square import MeanSquare
from learnsym.relax.residual_pathway import checked_variance


class AbsoluteCoordinates(nn.Module):
    """An equivariant network on clouds whose points also carry `K` scalars made of their coordinates as mere numbers.

        f(x) = net(p_i, v_i, [s_i, a φ(p_i, v_i)]),    a >= 0,    |φ| <= 1

    At `a = 0` it is the network itself. Otherwise any symmetry of space may break, translations too, by as much as the
    network makes of scalars of size `a`: outputs stay combinations of vectors that it can make, with coefficients that
    are free. A field that acts on points at rest needs a vector of its own, see `FixedInputs`; one may wrap the other.
    There is no `plain`: the network is any module, with a twin of its own.

    As `φ` is bounded, `a` has a scale, and a Gaussian prior. Coordinates should be of order 1.

    References: a residual pathway (Finzi, Benton, Wilson 2021, arXiv 2112.01388) in the inputs, like the fixed
    functions of Ashman et al. (2024), arXiv 2406.13488; the bounded perceptron with a gain is our own.

    Args:
        make: builds the exact network for the enlarged inputs, `S + K` scalars.
        inputs: types of the clouds.
        features: number `K`.
        hidden: width of the perceptron `φ`.
        start: the gain `a` at the start, positive.
        variance: prior variance of the gain, positive.

    Raises:
        ValueError: when the clouds do not lie in space, or a number is out of range.

    Example:
        >>> make = lambda inputs: ls.nets.points.EGNN(inputs, ls.actions.PointCloud(), hidden=8, layers=1)
        >>> net = ls.relax.points.AbsoluteCoordinates(make, ls.actions.PointCloud(vectors=1))
        >>> net(torch.randn(2, 5, 6)).shape, bool(net.distance() < 0.1)
        (torch.Size([2, 5, 3]), True)
    """

    def __init__(
        self,
        make: Make,
        inputs: PointCloud,
        features: int = 4,
        *,
        hidden: int = 32,
        start: float = 0.01,
        variance: float = 1.0,
    ) -> None:
        super().__init__()
        for name, value in (("features", features), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be >= 1")
        if not 0 < start < float("inf"):
            raise ValueError(f"start: got {start}, must be positive, since φ has no gradient at 0; 0.01 is usual")
        self.inputs, self.features, self.variance = inputs, features, checked_variance("variance", variance)
        self.net = make(enlarged(inputs, scalars=features))
        self.coordinates = 3 * (1 + inputs.vectors)
        first, second = nn.Linear(self.coordinates, hidden), nn.Linear(hidden, features)
        self.phi = nn.Sequential(first, nn.SiLU(), second, nn.Tanh())
        self.signed_gain = nn.Parameter(torch.tensor(float(start)))
        self.seen, self.seen_scalars = MeanSquare(), MeanSquare()

    def gain(self) -> Float[Tensor, ""]:
        """`a`, by absolute value: a sign would be one of `φ`."""
        return self.signed_gain.abs()

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N O"]:
        """The outputs of the network."""
        points = points_in(x)
        phi = self.phi(points[..., : self.coordinates])
        if self.training:
            self.seen.update(present_in(x, phi).square())
            if self.inputs.scalars:
                self.seen_scalars.update(present_in(x, self.inputs.split(points).scalars).square())
        vectors = points.new_zeros(*points.shape[:2], 0, 3)
        return self.net(with_points(x, appended(self.inputs, points, vectors, self.gain() * phi)))

    def penalty(self) -> Float[Tensor, ""]:
        """The negative log prior, `½ a² / variance`, in nats up to a constant, with that of the network."""
        own = 0.5 * self.signed_gain.square() / self.variance
        return torch.stack([own, *(layer.penalty() for layer in penalised(self.net))]).sum()

    def exact(self) -> nn.Module:
        """The same network with `a = 0`."""
        twin = WithoutExtras(exact_twin(self.net), self.inputs, scalars=self.features)
        return twin.train(self.training)

    def distance(self) -> Float[Tensor, ""]:
        """What `exact` removes: `a σ / (a² σ² + r²)^(1/2)`.

        `σ` is the root mean square of `φ` and `r` that of the scalars of points, as seen in training; without scalars
        `r = 1`, and before training both are.
        """
        size = self.gain() * self.seen.root()
        return size / (size.square() + self.seen_scalars.value).sqrt()

    def degrees(self, site: str) -> list[Degree]:
        """The share of the mean square of all scalars that sees coordinates, 0 when exact."""
        share = Degree(
            site=site,
            group="E(3)",
            generator="absolute coordinates",
            unit="1",
            notion="task",
            estimate=self.distance().item() ** 2,
            method="absolute coordinates",
            status="no interval",
            reason=ONE_TRAINING,
        )
        return [share]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The gain of the scalars."""
        return [self.signed_gain]

    def terms(self) -> tuple[str, ...]:
        """The prior."""
        return ("prior",)

    def extra_repr(self) -> str:
        """Number of scalars and their prior."""
        return f"features={self.features}, variance={self.variance:g}"
