"""Penalties on imperfect symmetry: numbers that are 0 for an equivariant function, from outputs along orbits.

Legend of axes: `M` examples, `S` group samples of each, `N` points of the largest cloud.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from learnsym.objectives.losses import LossFunction, loss_of, squared_distance
from learnsym.parts import repeated
from learnsym.ragged import Ragged, points_in
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class OrbitOutputs:
    """What a model says of examples and of their moves."""

    symmetry: Symmetry
    g: Float[Tensor, "S M n n"]
    at_moved: Shaped[Tensor, "S M ..."]
    """`f(g_s x)`."""
    at_x: Shaped[Tensor, "M ..."] | None = None
    """`f(x)`; None where the penalty does not need it."""
    y: Shaped[Tensor, "M ..."] | Ragged | None = None
    """Targets that belong to `x`; None without labels."""
    mask: Bool[Tensor, "M N"] | None = None
    """Which points of the examples there are; None for inputs without a mask."""
    moved_mask: Bool[Tensor, "S M N"] | None = None
    """Which points of the moved examples there are: where points change places, their mask does."""

    def acting(self, g: Float[Tensor, "S M n n"], values: Shaped[Tensor, "S M ..."]) -> Shaped[Tensor, "S M ..."]:
        """`g_s` on values of the kind of outputs."""
        return self.symmetry.on_output.within(g.flatten(0, 1), values.flatten(0, 1)).unflatten(0, values.shape[:2])

    def over_samples(self, values: Shaped[Tensor, "M ..."]) -> Shaped[Tensor, "S M ..."]:
        """The same values for every sample."""
        return values.expand(len(self.g), *values.shape)

    def squared(
        self, first: Tensor, second: Tensor, mask: Bool[Tensor, "*S M N"] | None, loss_fn: LossFunction
    ) -> Tensor:
        """How far outputs `(S, M, ...)` are from others, as a mean square in the scale of the loss."""
        return squared_distance(loss_fn)(self._present(first, mask), self._present(second, mask))

    def _present(self, values: Shaped[Tensor, "S M ..."], mask: Bool[Tensor, "*S M N"] | None) -> Tensor:
        """Of numbers of points, `(S, M, N, O)` or like Ragged targets, those of points that there are; else all."""
        of_points = isinstance(self.y, Ragged) or values.ndim >= 4
        if mask is None or not of_points or values.shape[2] != mask.shape[-1]:
            return values.flatten(0, 1)
        return values[mask.expand(values.shape[:3])]


Penalty = Callable[[OrbitOutputs, LossFunction], Tensor]


def anchored(orbit: OrbitOutputs, loss_fn: LossFunction) -> Float[Tensor, ""]:
    """`mean_s loss(f(g_s x), g_s y)`: the loss on moved examples, anchored to their moved labels.

    This is what relaxed equivariance through multitask learning (REMUL) trains: a mixture of the data with augmented
    data. It is 0 only for a model that is right everywhere, and its minimum is that of the task for labels that move
    with the inputs. Reference: Elhag, Rusch, Di Giovanni, Bronstein (2024), arXiv 2410.17878.
    """
    assert orbit.y is not None
    targets: Tensor | Ragged = orbit.acting(orbit.g, orbit.over_samples(points_in(orbit.y))).flatten(0, 1)
    if isinstance(orbit.y, Ragged):
        mask = repeated(orbit.y, len(orbit.g)).mask if orbit.moved_mask is None else orbit.moved_mask.flatten(0, 1)
        targets = Ragged(targets, mask)
    return loss_of(loss_fn, orbit.at_moved.flatten(0, 1), targets)


def functional(orbit: OrbitOutputs, loss_fn: LossFunction) -> Float[Tensor, ""]:
    """`mean_s |f(g_s x) - g_s f(x)|²` per output: the equivariance defect of the function, without labels.

    Beside a loss that weighs quantities of several units, `|.|²` weighs them alike: see `PotentialLoss`.
    """
    assert orbit.at_x is not None
    expected = orbit.acting(orbit.g, orbit.over_samples(orbit.at_x))
    return orbit.squared(orbit.at_moved, expected, orbit.moved_mask, loss_fn)


def orbit_variance(orbit: OrbitOutputs, loss_fn: LossFunction) -> Float[Tensor, ""]:
    """The variance of `f_s = g_s^-1 f(g_s x)` along the orbit, per output, without labels.

        S / (S - 1) · mean_s |f_s - f̄|²

    Under the Haar measure this is, without bias, the distance to the nearest equivariant function, the twirl: the part
    of a squared loss on moved data that is due to imperfect symmetry. Needs `S >= 2`.
    Reference: Shen et al., "Training dynamics of learning 3D-rotational equivariance" (2025), arXiv 2512.02303.
    """
    pulled = orbit.acting(orbit.symmetry.group.inverse(orbit.g), orbit.at_moved)
    count = len(pulled)
    mean = orbit.over_samples(pulled.mean(0))
    return orbit.squared(pulled, mean, orbit.mask, loss_fn) * (count / (count - 1))


penalties: dict[str, Penalty] = {"anchored": anchored, "functional": functional, "twirl": orbit_variance}
