"""Hypotheses: one network under several laws, each with another fixed amount of symmetry, and what data say of them.

Legend of axes: `H` hypotheses, `B` batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from learnsym._read_once import ReadOnce
from learnsym.augment.augmented import Augmented, checked_count
from learnsym.augment.averages import Average, mean_outputs
from learnsym.augment.laws import laws as laws_of
from learnsym.augment.laws import named
from learnsym.augment.twins import Plain
from learnsym.degrees import Degree
from learnsym.distributions import LearnableDistribution
from learnsym.parts import Whole
from learnsym.statistics import LEVEL
from learnsym.symmetry import SymmetryLike, as_symmetry

NONE = "none"
"""Name of the hypothesis that no symmetry holds."""
UNCHECKED = "the interval holds no noise of training, and its coverage was checked on six tasks alone"


class Hypotheses(nn.Module):
    """One network under several laws: as it is, and averaged over each of them.

        f_0(x) = net(x),    f_h(x) = average over g ~ mu_h of  g^{-1} · net(g · x)

    An objective such as `objectives.SuccessiveHalving` trains it on these laws in turn and decides by held-out examples
    which go on, how probable each is, and which one predicts. All of this is in buffers.

    Args:
        net: any module.
        symmetry: how group elements move inputs and outputs, or its name, see `as_symmetry`.
        laws: fixed distributions over its group; `augment.laws(symmetry.group)` by default.
        copies, test_copies, average: as for `Augmented`.

    Raises:
        ValueError: without a law, with the same one twice, or as `Augmented`.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> model = ls.augment.Hypotheses(net, "rotation2d")
        >>> model.names
        ('none', 'rotation 15', 'rotation 30', 'rotation 60', 'rotation 90', 'rotation 120', 'rotation 180')
        >>> model(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    answers_for = ("laws",)
    alive: Tensor
    probabilities: Tensor
    choice: Tensor

    def __init__(
        self,
        net: nn.Module,
        symmetry: SymmetryLike,
        laws: Sequence[LearnableDistribution] | None = None,
        *,
        copies: int = 1,
        test_copies: int = 8,
        average: Average = mean_outputs,
    ) -> None:
        super().__init__()
        symmetry = as_symmetry(symmetry)
        laws = laws_of(symmetry.group) if laws is None else list(laws)
        if not laws:
            raise ValueError("laws: got none, must be at least one beside none; augment.laws(group) gives some")
        self.net = net
        self.symmetry = symmetry
        self.laws = nn.ModuleList(laws)
        self._copies = checked_count("copies", copies)
        self.test_copies = checked_count("test_copies", test_copies)
        self.average = average
        self._members: dict[int, Plain | Augmented] = {}
        self._degrees = [[], *(law.degrees("input") for law in laws)]
        self.names = (NONE, *(named(law) or NONE for law in laws))
        again = next((name for i, name in enumerate(self.names) if name in self.names[:i]), None)
        if again is not None:
            raise ValueError(f"laws: {again} is there twice; give each hypothesis once")
        count = len(self.names)
        self.register_buffer("alive", torch.ones(count, dtype=torch.bool))
        self.register_buffer("probabilities", torch.full((count,), 1 / count))
        self.register_buffer("choice", torch.ones((), dtype=torch.long))
        self._alive, self._choice = ReadOnce(), ReadOnce()

    def forward(self, x: Whole) -> Tensor:
        return self.member_outputs(self.chosen, x, self.test_copies)

    def member(self, h: int) -> Plain | Augmented:
        """A hypothesis: the network under one of the laws."""
        if h not in self._members:
            self._members[h] = self._made(h)
        member = self._members[h]
        member.training = self.training  # which is no child, as the network is one already
        return member

    def _made(self, h: int) -> Plain | Augmented:
        if not h:
            return Plain(self.net, self.symmetry.on_output.part.key)
        law, options = self.laws[h - 1], {"copies": self._copies, "test_copies": self.test_copies}
        assert isinstance(law, LearnableDistribution)
        return Augmented(self.net, self.symmetry, law, average=self.average, **options)

    def member_outputs(self, h: int, x: Whole, copies: int) -> Tensor:
        """The outputs of one hypothesis, in evaluation with so many copies of each example.

        Args:
            h: which one.
            x: inputs.
            copies: transformed ones of each example.
        """
        member = self.member(h)
        if isinstance(member, Augmented):
            if member.test_copies != copies:
                member.test_copies = copies
            return member(x)
        return self.average(member(x).unsqueeze(0))

    @property
    def chosen(self) -> int:
        """The hypothesis that predicts."""
        return self._choice(self.choice)

    def choose(self, h: int) -> None:
        """Let a hypothesis predict."""
        self.choice.fill_(h)

    @property
    def single(self) -> nn.Module:
        """The chosen hypothesis with its averaging, which is exported."""
        member = self.member(self.chosen)
        if isinstance(member, Augmented):
            member.test_copies = self.test_copies
        return member

    def plain(self) -> nn.Module:
        """The network alone."""
        return self.net

    def posterior(self) -> dict[str, float]:
        """How probable each hypothesis is, by name; all alike before held-out examples were looked at."""
        return dict(zip(self.names, self.probabilities.tolist(), strict=True))

    def degrees(self, site: str) -> list[Degree]:
        """The posterior mean of each degree, with an interval that reaches to the next hypotheses on either side."""
        return [self._degree(j, degree, site) for j, degree in enumerate(self._degrees[1])]

    def is_wider(self, h: int, k: int) -> bool:
        """Whether hypothesis `k` has as much of everything as `h`, and more of something."""
        pairs = [(self._value(h, j), self._value(k, j)) for j in range(len(self._degrees[1]))]
        return all(there >= here for here, there in pairs) and any(there > here for here, there in pairs)

    def _value(self, h: int, j: int) -> float:
        return self._degrees[h][j].estimate if self._degrees[h] else 0.0

    def _degree(self, j: int, degree: Degree, site: str) -> Degree:
        values = torch.tensor([self._value(h, j) for h in range(len(self.names))], dtype=torch.float64)
        probabilities = self.probabilities.double().cpu()
        mean = float(probabilities @ values)
        low, high = _interval(values, probabilities)
        doubt = {} if low is None else {"status": "bound only", "reason": UNCHECKED}
        return replace(degree, site=site, estimate=mean, low=low, high=high, level=LEVEL, method="hypotheses", **doubt)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """None: laws are fixed, and which one holds is chosen."""
        return []

    def terms(self) -> tuple[str, ...]:
        """None."""
        return ()

    def living(self) -> Iterator[int]:
        """The hypotheses that are still trained."""
        return (h for h, alive in enumerate(self._alive(self.alive)) if alive)


def _interval(values: Tensor, probabilities: Tensor) -> tuple[float | None, float | None]:
    """Quantiles of a discrete law, widened by a step of the grid of values; none where there is one value."""
    grid = values.unique()
    if len(grid) == 1:
        return None, None
    masses = torch.stack([probabilities[values == value].sum() for value in grid]).cumsum(0)
    tail = (1 - LEVEL) / 2
    first = int((masses <= tail).sum())
    last = min(int((masses < 1 - tail - 1e-9).sum()), len(grid) - 1)
    return float(grid[max(0, first - 1)]), float(grid[min(last + 1, len(grid) - 1)])
