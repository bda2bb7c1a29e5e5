"""The residual axis: the rotations of space under which a trained model is nearest to equivariant.

Legend of axes: `M` models, `B` examples, `R` replicates; of 3: the rotations about x, y, z.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Action, PointCloud
from learnsym.groups import SO3
from learnsym.measure._distance import Distance
from learnsym.measure._inputs import asked
from learnsym.measure._probe import Model, Output
from learnsym.measure.lie.derivatives import lie_derivatives
from learnsym.measure.lie.principal_axes import angles, gap_p_value, principal_axes, replicates_of
from learnsym.measure.moves import check_moved, pairing, squared_distance
from learnsym.parts import Whole, examples
from learnsym.statistics import LEVEL, Interval, check_level
from learnsym.symmetry import Symmetry

Verdict = Literal["all rotations", "one axis", "undecided", "none"]
Direction = Sequence[float | int] | Float[Tensor, "3"]


@dataclass(frozen=True, kw_only=True)
class ResidualAxis:
    """The rotation axis that a model keeps best, how far it is from keeping it, and how well the axis is known."""

    axis: tuple[float, float, float]
    """The unit vector; its sign has no meaning, the largest coordinate is positive."""
    axes: tuple[tuple[float, float, float], ...]
    """The three principal axes, the best kept one first."""
    eigenvalues: tuple[float, ...]
    """Of `Q`, in ascending order: squares of `errors`."""
    errors: tuple[float, ...]
    """Per principal axis, root mean square of `|L f(x)|` over the distance of unrelated outputs, per degree."""
    intervals: tuple[Interval, ...]
    """Around `errors`, over the examples and models, at fixed axes."""
    p_value: float
    """How likely a gap between the two smallest eigenvalues as large as here is when there is none."""
    radius: float
    """Degrees around `axis` within which the axis over all examples (and models) lies with probability `level`."""
    level: float
    floor: float
    """Error per degree up to which a rotation counts as kept."""
    examples: int
    models: int
    bootstrap: int

    @property
    def told_apart(self) -> bool:
        """Whether one axis is kept better than every other, beyond chance."""
        return self.p_value <= 1 - self.level

    @property
    def verdict(self) -> Verdict:
        """What is kept, to within `floor`.

        `all rotations`: all three errors are at most the floor. `none`: none is. `one axis`: the smallest is, and its
        axis is told apart from the others. `undecided`: it is, and the examples do not say about which axis.
        """
        if self.errors[2] <= self.floor:
            return "all rotations"
        if self.errors[0] > self.floor:
            return "none"
        return "one axis" if self.told_apart else "undecided"

    def angle_to(self, direction: Direction) -> float:
        """Degrees between the axis and a direction, in [0, 90], since an axis has no sign.

        Raises:
            ValueError: for a direction that is not three finite numbers, or 0.
        """
        return float(angles(torch.tensor(self.axis, dtype=torch.float64), _unit(direction)))

    def to_dict(self) -> dict[str, Any]:
        """All of it in numbers, words and lists, for JSON."""
        return {**_lists(asdict(self)), "told_apart": self.told_apart, "verdict": self.verdict}

    def __str__(self) -> str:
        axis = ", ".join(f"{round(value, 3) + 0.0:.3f}" for value in self.axis)
        apart = "told apart" if self.told_apart else "not told apart"
        errors = "; ".join(map(str, self.intervals))
        return "\n".join(
            [
                f"{self.verdict}: ({axis}) ± {self.radius:.3g}° at {self.level:.0%}",
                f"errors per degree: {errors}; floor {self.floor:.3g}",
                f"{apart}, p = {self.p_value:.2g}; {self.examples} examples, {self.models} models",
            ]
        )


def residual_axis(
    model: Model | Sequence[Model],
    x: Whole,
    on_input: Action = PointCloud(),  # noqa: B008  frozen
    on_output: Action = PointCloud(),  # noqa: B008  frozen
    *,
    floor: float = 1e-3,
    bootstrap: int = 1000,
    level: float = LEVEL,
    seed: int = 0,
    batch_size: int = 16,
) -> ResidualAxis:
    """The axis of the rotations under which a trained model, or several seeds of it, is nearest to equivariant.

    The Lie derivative `L_w f(x) = J_f(x) (w·x) - w·f(x)` along the rotation with axis and speed `w` is linear in `w`,
    `L_w = Σ_a w_a L_a`, so that the mean square of all rotations is one 3 x 3 matrix,

        E |L_w f|² / d² = wᵀ Q w,    Q_ab = E <L_a f, L_b f> / d²

    with `d` the root mean square distance between outputs of unrelated examples. The axis is its eigenvector of the
    smallest eigenvalue. Rotations are about the origin; a model that keeps translations does the same about any point.

    Examples are drawn with replacement and the axis is found anew; `radius` is the `level` quantile of the angle. All
    models see the same examples and are drawn besides, both with deviations widened by Student's quantile, without
    which few models look too much alike. Eigenvalues of a sample never coincide: the gap is compared with those of
    replicates around the nearest `Q` whose two smallest eigenvalues do, not around `Q`.

    The verdict goes by `floor`; `own_floor` gives one that goes by the errors of the models themselves.

    References: Gruver, Finzi, Goldblum, Wilson (2023), arXiv 2210.02984, for the Lie derivative; Beran, Srivastava,
    "Bootstrap tests and confidence regions for functions of a covariance matrix" (1985), for eigenvalues that coincide;
    Rao, Wu, "Resampling inference with complex survey data" (1988), for few units. The axis: this library.

    Args:
        model: any callable of a batch, or several with the same inputs and outputs, such as seeds of one training.
        x: examples: a tensor, a NumPy array, or a structure of them.
        on_input: how rotations move inputs; `On` a part of structured ones.
        on_output: how rotations move outputs; `On` a part of structured ones.
        floor: relative error per degree up to which a rotation counts as kept, positive; at the default a turn of 60°
            costs about 6 % of the distance between outputs of unrelated examples.
        bootstrap: number `R` of replicates.
        level: probability of the cap and of the intervals; `1 - level` is the size of the test of the gap.
        seed: of the pairing of unrelated examples and of the replicates.
        batch_size: examples per call of the model; does not change the result.

    Raises:
        ValueError: when inputs or outputs do not fit, fewer than 2 examples or no models are given, a number is out of
            range, or the output is not floating, not finite, or does not depend differentiably on `x`.

    Example:
        >>> cloud = ls.actions.PointCloud(vectors=1)
        >>> falling = lambda x: x[..., :3] + x[..., 3:] + torch.tensor([0.0, 0.0, -5.0])
        >>> found = ls.measure.residual_axis(falling, torch.randn(20, 4, 6), cloud)
        >>> found.verdict, found.angle_to((0, 0, -1)) < 1e-3
        ('one axis', True)
    """
    models = list(model) if isinstance(model, Sequence) else [model]
    _check(models, floor, bootstrap, level)
    x, symmetry, output = asked(models[0], x, Symmetry(SO3(), on_input=on_input, on_output=on_output), None)
    check_moved(x, symmetry)
    partner = pairing(examples(x), seed)
    products = [_products(each, x, symmetry, output, partner, batch_size) for each in models]
    mean, q = torch.stack([q for q, _ in products]).mean((0, 1)), torch.stack([linear for _, linear in products])
    eigenvalues, axes = principal_axes(mean)
    replicates = replicates_of(q, bootstrap, level, seed)
    angle = angles(principal_axes(replicates)[1][:, 0], axes[0])
    along = torch.einsum("ka,rab,kb->rk", axes, replicates, axes).clamp(min=0).sqrt()
    low, high = along.quantile(along.new_tensor([(1 - level) / 2, (1 + level) / 2]), 0).tolist()
    errors = eigenvalues.sqrt().tolist()
    directions = [(a[0], a[1], a[2]) for a in axes.tolist()]
    return ResidualAxis(
        axis=directions[0],
        axes=tuple(directions),
        eigenvalues=tuple(eigenvalues.tolist()),
        errors=tuple(errors),
        intervals=tuple(
            Interval(estimate=error, low=a, high=b, level=level) for error, a, b in zip(errors, low, high, strict=True)
        ),
        p_value=gap_p_value(mean, replicates),
        radius=float(angle.quantile(level)),
        level=level,
        floor=floor,
        examples=examples(x),
        models=len(models),
        bootstrap=bootstrap,
    )


def _products(
    model: Model, x: Whole, symmetry: Symmetry, output: Output | None, partner: Tensor, batch_size: int
) -> tuple[Tensor, Tensor]:
    """`<L_a f, L_b f> / D²` of each example `(B, 3, 3)`, per degree squared, and the same with the chance of `D²`."""
    parts = list(lie_derivatives(model, x, symmetry, range(3), output=output, batch_size=batch_size))
    y = torch.cat([part.y for part in parts]).double().reshape(len(partner), -1)
    lie = torch.cat([(part.of_input - part.of_output).double() for part in parts], 1).reshape(3, len(partner), -1)
    distance = Distance.between(squared_distance(y, y[partner]), y, partner)
    lie = distance.units(lie)
    q = torch.einsum("abk,cbk->bac", lie, lie)
    return q.cpu(), (q - q.mean(0) * distance.deviations[:, None, None]).cpu()


def _check(models: Sequence[Model], floor: float, bootstrap: int, level: float) -> None:
    if not models:
        raise ValueError("model: got no models, must be one or several")
    if not 0 < floor < math.inf:
        raise ValueError(f"floor: got {floor}, must be positive and finite; 1e-3 is usual")
    if bootstrap < 1:
        raise ValueError(f"bootstrap: got {bootstrap}, must be >= 1; 1000 is usual")
    check_level(level)


def _unit(direction: Direction) -> Float[Tensor, "3"]:
    given = torch.as_tensor(direction).detach().double().cpu()
    if given.shape != (3,) or not bool(given.isfinite().all()) or not bool(given.any()):
        raise ValueError(f"direction: got {given.tolist()}, must be three finite numbers, not all 0; such as (0, 0, 1)")
    return given / given.norm()


def _lists(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value
