"""How well moved examples are told from examples as they are: how far the law of the data is from symmetric.

Legend of axes: `B` examples, `S` elements per example, `R` positions on an orbit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.measure._inputs import moving
from learnsym.measure.breaking.elements import check_exact
from learnsym.measure.closure import trained_sides
from learnsym.measure.moves import Moves
from learnsym.measure.pose.networks import default_network
from learnsym.measure.pose.reader import Network
from learnsym.parts import Whole
from learnsym.symmetry import SymmetryLike

AT_ONCE = 1024


@dataclass(frozen=True, kw_only=True)
class Asymmetry:
    """How often a network tells moved examples from those as they are: 0.5 for a symmetric law, more for a broken one.

    It bounds what can be told from below: a larger network or more examples may tell more.
    """

    mean: float
    """`m`, over splits."""
    stderr: float
    """The binomial one of one split, at least one example: splits share their examples, so that their number does not
    make it smaller."""
    splits: tuple[float, ...]
    largest: float
    """What data reach of which each example has one pose, `1 - 1 / (2 |G|)`; 1 for a Lie group."""

    @property
    def is_broken(self) -> bool:
        """Whether `m` is more than two standard errors above 0.5."""
        return self.mean - 2 * self.stderr > 0.5

    def __str__(self) -> str:
        return f"{self.mean:.3g} ± {self.stderr:.2g}, between 0.5 and {self.largest:.3g}"


def orbit_asymmetry(probabilities: Float[Tensor, "R"]) -> float:
    """The best accuracy on one orbit, on which the data hold position `i` with probability `θ_i`.

        m = 1 - 1/2 Σ_i min(1 / R, θ_i)

    An example as it is lies at `i` with probability `θ_i`, a moved one with `1 / R`; half of the examples are moved.

    Reference: Lawrence, Hofgard, Portilheiro, Chen, Smidt, Walters, "To augment or not" (2025), arXiv 2510.01349.

    Args:
        probabilities: `θ`, with sum 1.

    Raises:
        ValueError: for numbers that are no probabilities.

    Example:
        >>> ls.measure.orbit_asymmetry(torch.tensor([1.0, 0, 0, 0])), ls.measure.orbit_asymmetry(torch.full((4,), 0.25))
        (0.875, 0.5)
    """
    if bool((probabilities < 0).any()) or not math.isclose(float(probabilities.sum()), 1, abs_tol=1e-5):
        raise ValueError(f"probabilities: got {probabilities.tolist()}, must be positive with sum 1; divide by the sum")
    return 1 - 0.5 * float(probabilities.clamp(max=1 / len(probabilities)).sum())


def asymmetry(
    x: Whole,
    symmetry: SymmetryLike,
    *,
    samples: int = 8,
    splits: int = 5,
    network: Network | None = None,
    steps: int = 300,
    seed: int = 0,
) -> Asymmetry:
    """`m(p_X)`, the distribution notion in one number: how well moved examples are told from those as they are.

    Half of the examples train a network to tell `g·x`, with `g` from the Haar measure, from `x`; the other half test
    it, each as it is and moved by the whole of a small finite group. No labels are needed, and an answer of 0.5 says
    that the data cover their orbits, so that there is nothing left for augmentation to add; see `useful_asymmetry` for
    whether the asymmetry tells targets. The range of angles that data cover is what `pose_posterior` gives.

    Reference: Lawrence, Hofgard, Portilheiro, Chen, Smidt, Walters, "To augment or not" (2025), arXiv 2510.01349.

    Args:
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: of a compact group, whose elements permute pixels where examples are images; or its name.
        samples: elements per example; a finite group of at most so many is taken whole.
        splits: how often the examples are divided anew.
        network: a function of the number of scores (1) that returns a module; chosen by the data when None.
        steps: training steps of 128 examples for each split.
        seed: of splits, elements and networks; the caller's random state is left alone.

    Raises:
        ValueError: when `x` does not fit the symmetry, moves interpolate, or there are fewer than 20 examples.

    Example:
        >>> x = torch.zeros(40, 1, 8, 8)
        >>> x[:, :, :3] = torch.rand(40, 1, 3, 8) + 1  # what is bright is always above
        >>> found = ls.measure.asymmetry(x, "quarter_turns2d", splits=1, steps=40)
        >>> found.is_broken, found.largest
        (True, 0.875)
    """
    x, symmetry = moving(x, symmetry)
    if splits < 1 or len(x) < 20:
        raise ValueError(f"x: got {len(x)} examples and {splits} splits, must be at least 20 and 1; take more data")
    check_exact(symmetry, tuple(x.shape[1:]))
    elements = Moves(symmetry, samples, seed=seed).orbit(x)
    moved = torch.stack([symmetry.on_input(g, x) for g in elements])
    make = network or (lambda bins: default_network(symmetry.on_input, x, bins, closed=True))
    found = [_told_apart(x.float(), moved.float(), make, steps, seed * splits + k) for k in range(splits)]
    order, mean, tested = symmetry.group.order, sum(found) / splits, len(x) - len(x) // 2
    return Asymmetry(
        mean=mean,
        stderr=math.sqrt(max(mean * (1 - mean), 1 / tested) / tested),
        splits=tuple(found),
        largest=1.0 if order is None else 1 - 1 / (2 * order),
    )


def _told_apart(
    x: Float[Tensor, "B *X"], moved: Float[Tensor, "S B *X"], make: Network, steps: int, seed: int
) -> float:
    """The accuracy of one split: of each test example as it is, and of the mean over its moved copies."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)).to(x.device)
    train, test = order[: len(x) // 2], order[len(x) // 2 :]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        copies = x[train].repeat(len(moved), *[1] * (x.ndim - 1))
        net = trained_sides(make(1).to(x.device), moved[:, train].flatten(0, 1), copies, steps)
    on_moved = torch.stack([_says_moved(net, each[test]) for each in moved]).mean(0)
    return float((on_moved + 1 - _says_moved(net, x[test])).mean() / 2)


@torch.no_grad()
def _says_moved(net: nn.Module, x: Float[Tensor, "B *X"]) -> Float[Tensor, "B"]:
    """1 where a network takes an example for a moved one, 0.5 for a tie."""
    return torch.cat([(net(part).squeeze(1).sign() + 1) / 2 for part in x.split(AT_ONCE)]).double()
