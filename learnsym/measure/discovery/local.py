"""Local symmetry: charts of the input, each with generators of its own that hold up to a reach of its own.

Legend of axes: `B` examples, `J` those that judge, `K` generators, `n` size of their matrices, `C` charts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.actions import Action
from learnsym.measure._inputs import as_tensors
from learnsym.measure._probe import Model, check_one_tensor, check_probe
from learnsym.measure._reader import outputs_of
from learnsym.measure.certified.certificates import CertificateVerdict, check_tolerance, verdict_of
from learnsym.measure.discovery.basis import dimension_of_space, learned_basis, square_departures
from learnsym.measure.discovery.ratio import lower_ratio, upper_ratio
from learnsym.parts import Whole
from learnsym.statistics import Interval, check_level

REACHES = (0.25, 0.5, 1.0, 2.0, 3.0, 4.5)
"""Largest moves that are tried, as norms of `c B`; a turn of the plane by 180° has 4.44."""
CONTROLS = 199
"""Fewest random generators."""
ROUNDING = 1e-5
"""Relative errors that are no further apart are equal: networks may be in single precision."""
LEAST = 40
"""Fewest examples of a chart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChartBasis:
    """Generators that were learned on one chart, the largest first, and what is surely known of them there."""

    matrices: Float[Tensor, "K n n"]
    """As far as the reward stretched them: norms up to 1."""
    defects: tuple[Interval, ...]
    """Relative error `(E |f(g·x) - g·f(x)|² / var f)^1/2` of moves up to norm 1, on examples that judge."""
    p_values: tuple[float, ...]
    """Share of random generators that are followed as well."""
    reaches: tuple[float, ...]
    """Largest norms of moves up to which the network surely follows; 0 for none."""
    verdicts: tuple[CertificateVerdict, ...]

    @property
    def norms(self) -> Float[Tensor, "K"]:
        """Frobenius norms."""
        return self.matrices.flatten(1).norm(dim=1)

    @property
    def present(self) -> Float[Tensor, "M n n"]:
        """Certified generators, of norm 1."""
        held = torch.tensor([verdict == "certified" for verdict in self.verdicts], dtype=torch.bool)
        return (self.matrices / self.norms[:, None, None])[held]


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalBasis:
    """Generators of each chart, and in which other charts they hold."""

    charts: Mapping[str, ChartBasis]
    holds: Mapping[tuple[str, str], tuple[bool, ...]]
    """Of the certified generators of the first chart, whether they are certified on the second, too."""
    delta: float
    level: float

    @property
    def shared(self) -> Float[Tensor, "M n n"]:
        """Certified generators of one chart that are certified on all others, of the chart that has most of them."""
        best = max(self.charts, key=lambda name: sum(self._everywhere(name)))
        return self.charts[best].present[torch.tensor(self._everywhere(best), dtype=torch.bool)]

    def _everywhere(self, name: str) -> list[bool]:
        rows = [self.holds[name, other] for other in self.charts]
        return [all(each) for each in zip(*rows, strict=True)]

    def __str__(self) -> str:
        parts = [
            f"{name}: {len(chart.present)} of {len(chart.matrices)} generators"
            + "".join(
                f", up to {reach:g}"
                for reach, verdict in zip(chart.reaches, chart.verdicts, strict=True)
                if verdict == "certified"
            )
            for name, chart in self.charts.items()
        ]
        return f"to within {self.delta:g} at {self.level:.0%}; {'; '.join(parts)}; shared by all: {len(self.shared)}"


def local_basis(
    charts: Mapping[str, tuple[Model, Whole]],
    on_input: Action,
    on_output: Action,
    generators: int = 2,
    delta: float = 0.2,
    level: float = 0.95,
    reward: float = 0.05,
    steps: int = 1000,
    seed: int = 0,
) -> LocalBasis:
    """Local symmetry: which generators the network of each chart follows, how far, and which of them all charts share.

    A chart is a region of the input with coordinates of its own, such as crops about a place, and a predictor of what
    is there. On one half of its examples a basis is learned (`learned_basis`), without naming a group. The other half
    judges: with `g = exp(c B / |B|)` and `c` uniform in [-s, s], the relative error

        ρ_s = (E |f(g·x) - g·f(x)|² / var f)^1/2

    has an upper and a lower bound (Fieller), together valid with probability `level` for all generators, charts and
    reaches (Bonferroni). A generator is *certified* when the upper bound of `ρ_1` is at most `delta` and few random
    generators are followed as well, at most a share of `1 - level` over the number of generators and charts; it is
    *refuted* when the lower bound is above `delta`. Its *reach* is the largest `s` up to which it is certified: an
    input-dependent range. Norms are reported and decide nothing.

    In the source all charts share one basis, whose number of generators is given and whose size is stretched to a clip
    by the reward; nothing tells absence. Here each chart has a basis of its own, and what they share is found by
    judging the generators of each on all others.

    Bounds are asymptotic in the number of examples, which must be independent, and are about the networks.

    Reference: Bhat et al., "AtlasD" (2025), arXiv 2504.10777.

    Args:
        charts: by name, a differentiable callable of a batch, and examples `(B, ...)` that had no part in training.
        on_input, on_output: how matrices move inputs and outputs of all charts.
        generators: `K` of each chart.
        delta: the largest relative error of a symmetry.
        level: probability with which all verdicts hold.
        reward, steps: of `learned_basis`.
        seed: of halves, starts and moves.

    Raises:
        ValueError: when shapes do not fit, a chart has too few examples, or outputs do not vary.

    Example:
        >>> x, points = torch.randn(400, 1, 2), ls.actions.PointCloud(dim=2)
        >>> hill = lambda x: (-x.square().sum((1, 2)) / 2)[:, None].exp()
        >>> found = ls.measure.local_basis({"round": (hill, x)}, points, ls.actions.Invariant(), 1, steps=150)
        >>> found.charts["round"].verdicts
        ('certified',)
    """
    check_level(level)
    check_tolerance(delta)
    n = dimension_of_space(on_input)
    if not charts:
        raise ValueError("charts: got none, must be at least one; give {name: (model, examples)}")
    halves = {name: _halves(name, *chart, seed) for name, chart in charts.items()}
    judges = {
        name: Judge.of(name, charts[name][0], judging, on_input, on_output) for name, (_, judging) in halves.items()
    }
    count = len(charts) * generators
    # two bounds of each reach of each generator of each chart, and one on each other chart
    tail = (1 - level) / ((2 * len(REACHES) + len(charts)) * count)
    controls = random_matrices(n, count, level, seed)
    found = {}
    for name, (choosing, _) in halves.items():
        basis = learned_basis(
            charts[name][0], choosing, on_input, on_output, generators, reward=reward, steps=steps, seed=seed
        )
        found[name] = judges[name].basis(basis.matrices, controls, delta, tail, (1 - level) / count, level, seed)
    holds = {
        (name, other): tuple(judge.bounds(each, 1.0, tail, seed)[2] <= delta for each in found[name].present)
        for name in charts
        for other, judge in judges.items()
    }
    return LocalBasis(charts=found, holds=holds, delta=delta, level=level)


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """A network, examples that had no part in choosing generators, and what it says of them."""

    model: Model
    x: Tensor
    outputs: Tensor
    on_input: Action
    on_output: Action

    @classmethod
    def of(cls, name: str, model: Model, x: Tensor, on_input: Action, on_output: Action) -> Judge:
        """Read the outputs."""
        outputs = outputs_of(model, x, None).to(x)
        if not float(outputs.var(0).mean()) > 0:
            raise ValueError(f"charts: outputs of {name!r} are the same for all examples; no move has a scale")
        return cls(model=model, x=x, outputs=outputs, on_input=on_input, on_output=on_output)

    def squares(self, matrix: Float[Tensor, "n n"], reach: float, seed: int) -> tuple[Tensor, Tensor]:
        """`|f(g·x) - g·f(x)|²` and `|f(x) - mean f|²` of each example."""
        unit = (matrix / matrix.norm()).to(self.x)
        generator = torch.Generator().manual_seed(seed)
        with evaluating(self.model), torch.no_grad():
            q = square_departures(
                self.model,
                None,
                self.x,
                self.outputs,
                self.on_input,
                self.on_output,
                unit[None],
                generator,
                reach,
            )
        h = (self.outputs - self.outputs.mean(0)).square().flatten(1).mean(1)
        return q.double().cpu(), h.double().cpu()

    def error(self, matrix: Float[Tensor, "n n"], seed: int) -> Tensor:
        """`ρ_1`."""
        q, h = self.squares(matrix, 1.0, seed)
        return (q.mean() / h.mean()).sqrt()

    def bounds(self, matrix: Float[Tensor, "n n"], reach: float, tail: float, seed: int) -> tuple[float, float, float]:
        """Estimate, lower and upper bound of `ρ`."""
        q, h = self.squares(matrix, reach, seed)
        high = upper_ratio(q, h, tail, extra=max(float(q.max()), float(h.mean())))
        return float(q.mean() / h.mean()) ** 0.5, lower_ratio(q, h, tail), high

    def basis(
        self,
        matrices: Float[Tensor, "K n n"],
        controls: Float[Tensor, "R n n"],
        delta: float,
        tail: float,
        share: float,
        level: float,
        seed: int,
    ) -> ChartBasis:
        """Bounds with probability `1 - tail` each, and verdicts beside random generators of which at most a share may
        be followed as well."""
        random = torch.stack([self.error(each, seed) for each in controls])
        table = [[self.bounds(each, reach, tail, seed) for reach in REACHES] for each in matrices]
        at_one = [row[REACHES.index(1.0)] for row in table]
        p_values = [(1 + int((random <= estimate + ROUNDING).sum())) / (1 + len(random)) for estimate, _, _ in at_one]
        verdicts: tuple[CertificateVerdict, ...] = tuple(
            _beside(verdict_of(low, high, delta, ""), p <= share)
            for (_, low, high), p in zip(at_one, p_values, strict=True)
        )
        return ChartBasis(
            matrices=matrices,
            defects=tuple(Interval(estimate=e, low=low, high=high, level=level) for e, low, high in at_one),
            p_values=tuple(p_values),
            reaches=tuple(_reach([high <= delta for _, _, high in row]) for row in table),
            verdicts=verdicts,
        )


def _beside(verdict: CertificateVerdict, is_rare: bool) -> CertificateVerdict:
    """What random generators leave of a verdict: nothing is certified that many of them would be, too."""
    if verdict == "certified" and not is_rare:
        return "not decided"
    return verdict


def _reach(held: list[bool]) -> float:
    """The largest before the first that does not hold."""
    first = held.index(False) if False in held else len(held)
    return REACHES[first - 1] if first else 0.0


def random_matrices(n: int, count: int, level: float, seed: int) -> Float[Tensor, "R n n"]:
    """So many that none of `count` tests is passed by chance more often than it may."""
    generator = torch.Generator().manual_seed(seed + 1)
    wanted = max(CONTROLS, math.ceil(count / (1 - level)))
    return torch.randn(wanted, n, n, generator=generator, dtype=torch.float64)


def _halves(name: str, model: Model, x: Whole, seed: int) -> tuple[Tensor, Tensor]:
    """Examples that choose, and those that judge."""
    x = as_tensors(x, model)
    check_one_tensor(x)
    check_probe(model, x)
    if len(x) < LEAST:
        raise ValueError(f"charts: {name!r} has {len(x)} examples, must be >= {LEAST}; a thousand are usual")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)).to(x.device)
    choosing, judging = (x[part] for part in order.tensor_split(2))
    return choosing, judging
