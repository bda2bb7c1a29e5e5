"""What the orientation of an example tells of its target: whether augmentation would take away a signal.

Legend of axes: `B` examples, `K` elements of a finite group, `C` classes, `H` random orientations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from learnsym._settings import shown
from learnsym.measure._inputs import moving
from learnsym.measure.breaking.elements import check_exact
from learnsym.parts import Whole
from learnsym.statistics import Estimate, ratio_of_means
from learnsym.symmetry import Symmetry, SymmetryLike

SIDE = 4
"""Pixels along each axis to which images are reduced before they are scored: small shifts then turn few of them."""
FEATURES = 32

Score = Callable[[Tensor], Float[Tensor, "B"]]
"""Any function of a batch of examples with one number for each; what it prefers defines an orientation."""


@dataclass(frozen=True, kw_only=True)
class UsefulAsymmetry:
    """How much better targets are predicted from the orientation of an example than from a random one."""

    ratio: float
    """`t`: 1 where orientations tell nothing, more where they do."""
    stderr: float
    """That of one split: splits share their examples."""
    oriented: float
    """Held-out accuracy from the orientation, or mean squared error of numbers."""
    rotated: float
    """The same of moved examples, whose orientation is uniform: that of the best constant."""
    splits: tuple[float, ...]

    @property
    def is_useful(self) -> bool:
        """Whether `t` is more than two standard errors above 1."""
        return self.ratio - 2 * self.stderr > 1

    def __str__(self) -> str:
        return f"{self.ratio:.3g} ± {self.stderr:.2g}: {self.oriented:.3g} oriented, {self.rotated:.3g} moved"


def useful_asymmetry(
    x: Whole,
    y: Tensor | np.ndarray,
    symmetry: SymmetryLike,
    *,
    orientations: int = 8,
    splits: int = 5,
    score: Score | None = None,
    seed: int = 0,
) -> UsefulAsymmetry:
    """`t(p_X, Y)`, the task notion in one number: what the orientation of an example tells of its target.

        c(x) = argmax_g h(g^-1·x),    t = acc(y from c(x)) / acc(y from c(g·x)),    of errors the inverse

    `h` is random and untrained, and `c(g·x) = g c(x)` whatever it is, so that `c` has nothing of an example but its
    orientation. It has finitely many values: the best prediction from it is a table, and of moved examples it is
    uniform, so that the best prediction from it is a constant; neither needs a network. Of several random `h` the one
    that predicts best on the training half is tested on the other.

    `t` near 1: augmentation is safe. Much more than 1: it takes a signal away, as of 6 and 9 under half turns. Of many
    classes, of which a constant names few, a weak signal makes a large `t`: read `oriented` beside it. It sees
    signals of the orientation alone; one that only orientation and shape tell together is missed, so that `t` near 1
    is no guarantee.

    Reference: Lawrence, Hofgard, Portilheiro, Chen, Smidt, Walters, "To augment or not" (2025), arXiv 2510.01349, with
    a network that is trained on one random `c`; the table, its exact moved counterpart and the choice are our own.

    Args:
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        y: classes `(B,)`, whole numbers, or numbers `(B,)` or `(B, D)`.
        symmetry: of a finite group with listed elements, which permute pixels where examples are images; or its name.
        orientations: number of random `h`.
        splits: how often the examples are divided anew.
        score: `h` itself; takes the place of random ones.
        seed: of splits and of `h`.

    Raises:
        ValueError: when `x` or `y` do not fit, the group is not finite, moves interpolate, or there are fewer than 20
            examples.

    Example:
        >>> up = torch.zeros(60, 1, 8, 8)
        >>> up[:, :, :3] = torch.rand(60, 1, 3, 8) + 1
        >>> y = torch.arange(60) % 2
        >>> x = torch.where(y[:, None, None, None] > 0, up, up.flip(2))  # one class is upside down
        >>> ls.measure.useful_asymmetry(x, y, "quarter_turns2d").is_useful
        True
    """
    x, symmetry = moving(x, symmetry)
    y = torch.as_tensor(y)
    _check(x, y, symmetry, splits, orientations)
    scores = [score] if score is not None else [random_score(x, seed * orientations + h) for h in range(orientations)]
    found = torch.stack([orientation(x, symmetry, each) for each in scores])
    targets = F.one_hot(y.long()).double() if _is_classes(y) else y.double().reshape(len(y), -1)
    gain = _right if _is_classes(y) else _squared_error
    parts = [_split(found, targets, gain, seed * splits + k, symmetry) for k in range(splits)]
    return _joined(parts, inverse=not _is_classes(y))


def orientation(x: Float[Tensor, "B *X"], symmetry: Symmetry, score: Score) -> Int[Tensor, "B"]:
    """`c(x) = argmax_g h(g^-1·x)`, the number of an element of a finite group: `c(g·x) = g c(x)`."""
    inverses = symmetry.group.inverse(symmetry.group.components).to(x)
    with torch.no_grad():
        scores = [score(symmetry.on_input(g.expand(len(x), -1, -1), x)) for g in inverses]
    return torch.stack(scores).argmax(0)


def random_score(x: Float[Tensor, "B *X"], seed: int) -> Score:
    """A random `h`: linear in images reduced to 4 pixels along each axis, a sum over the points of clouds."""
    generator = torch.Generator().manual_seed(seed)
    if x.ndim == 3:
        inner = torch.randn(x.shape[-1], FEATURES, generator=generator).to(x) / float(x.std().clamp(min=1e-6))
        outer = torch.randn(FEATURES, generator=generator).to(x)
        shift = torch.randn(FEATURES, generator=generator).to(x)
        return lambda z: ((z @ inner + shift).tanh() @ outer).sum(1)
    reduced = _reduced(x[:1])
    weight = torch.randn(reduced.shape[1], generator=generator).to(x)
    return lambda z: _reduced(z) @ weight


def _reduced(x: Float[Tensor, "B *X"]) -> Float[Tensor, "B d"]:
    if x.ndim == 4:
        return F.adaptive_avg_pool2d(x, SIDE).flatten(1)
    return (F.adaptive_avg_pool3d(x, SIDE) if x.ndim == 5 else x).flatten(1)


@dataclass(frozen=True)
class _Split:
    oriented: Estimate
    rotated: Estimate


Gain = Callable[[Float[Tensor, "B C"], Float[Tensor, "B C"]], Float[Tensor, "B"]]


def _split(
    found: Int[Tensor, "H B"], targets: Float[Tensor, "B C"], gain: Gain, seed: int, symmetry: Symmetry
) -> _Split:
    """One division: tables of one half, of which the best predicts the other half."""
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed)).to(targets.device)
    if gain is _right:
        # with as many of a class in either half the best constant of one is that of the other
        order = order[targets[order].argmax(1).argsort(stable=True)]
    train, test = order[::2], order[1::2]
    count = len(symmetry.group.components)
    constant = targets[train].mean(0)
    tables = [_table(each[train], targets[train], constant, count) for each in found]
    fits = [float(gain(table[each[train]], targets[train]).mean()) for table, each in zip(tables, found, strict=True)]
    best = fits.index(max(fits) if gain is _right else min(fits))
    oriented = gain(tables[best][found[best][test]], targets[test])
    return _Split(Estimate.of(oriented), Estimate.of(gain(constant.expand_as(targets[test]), targets[test])))


def _table(c: Int[Tensor, "B"], targets: Float[Tensor, "B C"], constant: Float[Tensor, "C"], count: int) -> Tensor:
    """The mean target of each orientation; that of all where none was seen."""
    sums = targets.new_zeros(count, targets.shape[1]).index_add(0, c, targets)
    seen = torch.bincount(c, minlength=count)[:, None]
    return torch.where(seen > 0, sums / seen.clamp(min=1), constant)


def _right(means: Float[Tensor, "B C"], targets: Float[Tensor, "B C"]) -> Float[Tensor, "B"]:
    """Whether the most frequent class is the right one."""
    return (means.argmax(1) == targets.argmax(1)).double()


def _squared_error(means: Float[Tensor, "B C"], targets: Float[Tensor, "B C"]) -> Float[Tensor, "B"]:
    return (means - targets).square().mean(1)


def _joined(parts: list[_Split], inverse: bool) -> UsefulAsymmetry:
    """Means over splits, with the standard error of one."""
    pairs = [(each.rotated, each.oriented) if inverse else (each.oriented, each.rotated) for each in parts]
    if any(denominator.mean == 0 for _, denominator in pairs):
        raise ValueError(
            "y: is predicted without any error from the orientation, or never from a constant; give more data"
        )
    ratios = [ratio_of_means(*pair) for pair in pairs]
    return UsefulAsymmetry(
        ratio=sum(each.mean for each in ratios) / len(parts),
        stderr=math.sqrt(sum(each.stderr**2 for each in ratios) / len(parts)),
        oriented=sum(each.oriented.mean for each in parts) / len(parts),
        rotated=sum(each.rotated.mean for each in parts) / len(parts),
        splits=tuple(each.mean for each in ratios),
    )


def _is_classes(y: Tensor) -> bool:
    return not y.is_floating_point()


def _check(x: Tensor, y: Tensor, symmetry: Symmetry, splits: int, orientations: int) -> None:
    group = symmetry.group
    if group.order is None or group.order != len(group.components):
        raise ValueError(
            f"symmetry: got {shown(group.name)}, must be of a finite group with a list of elements, such as "
            "quarter_turns2d, or Symmetry(groups.Octahedral(), actions.PointCloud()) for clouds"
        )
    symmetry.on_input.check_data(group, x)
    check_exact(symmetry, tuple(x.shape[1:]))
    if len(y) != len(x) or (_is_classes(y) and y.ndim != 1):
        raise ValueError(f"y: got shape {tuple(y.shape)} for {len(x)} examples, must be one class or number for each")
    if len(x) < 20 or splits < 1 or orientations < 1:
        raise ValueError(
            f"x: got {len(x)} examples, {splits} splits and {orientations} orientations, must be at least 20, 1 and 1"
        )
