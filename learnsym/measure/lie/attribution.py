"""Which layers break a symmetry: the local equivariance error of a network as a sum over its functions.

Legend of axes: `B` examples, `N` sites, `K` outputs, `M` probes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image
from learnsym.groups import Generator
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model, check_layers
from learnsym.measure.lie.flow import Derivative, flow
from learnsym.measure.lie.forward import differentiating
from learnsym.measure.lie.generator import Operator, generator_named, operator_of
from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.split import Operators, Part, Splitter
from learnsym.measure.lie.trace import Declared
from learnsym.measure.moves import check_moved
from learnsym.parts import Whole, split
from learnsym.statistics import Estimate
from learnsym.symmetry import SymmetryLike

logger = logging.getLogger(__name__)

LOST = 0.01
"""Part of all contributions that may be missing in their sum."""


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one site adds to the local equivariance error of the output."""

    site: str
    """A module by its path, a function in the `forward` of a container as `path · function`."""
    share: Estimate
    """Signed part of the squared error, `<c_i, c> / mean |c|²`; the shares of all sites sum to 1."""
    norm: Estimate | None
    """Root mean square of `c_i` over outputs, when asked for."""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The local equivariance error of a network, split into the contributions of its sites.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3))
        >>> found = ls.measure.attribute(net, torch.rand(4, 1, 8, 8), ls.symmetry_by_name("rotation2d"))
        >>> [row.site for row in found.rows], abs(found.unattributed) < 1e-5
        (['0', '1', '3', 'output'], True)
    """

    generator: str
    unit: str
    total: Estimate
    """Root mean square of `L f(x)` over outputs, per unit of the generator."""
    rows: tuple[Contribution, ...]
    """In the order in which sites are reached."""
    unattributed: float
    """1 minus the sum of all shares: rounding, and what was missed."""
    detected: Mapping[str, str]
    """Modules whose layout was taken from an input of the same shape rather than derived or declared."""
    lost: tuple[str, ...]
    """Functions after which rows and columns were not known: what they break counts at the next site."""
    probe_error: float
    """Relative standard error of each squared `norm` from random probes; 0 when norms are exact."""

    def largest(self, count: int = 10) -> tuple[Contribution, ...]:
        """The sites with the largest absolute shares, largest first."""
        return tuple(sorted(self.rows, key=lambda row: -abs(row.share.mean))[:count])

    def __str__(self) -> str:
        lines = [f"{self.generator}: {self.total} per {self.unit}, unattributed {100 * self.unattributed:.1e} %"]
        lines += [f"{100 * row.share.mean:8.2f} ± {100 * row.share.stderr:.2f} %  {row.site}" for row in self.largest()]
        return "\n".join(lines)


def attribute(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    generator: str | None = None,
    *,
    derivative: Derivative = "spectral",
    layouts: Mapping[str, Declared] | None = None,
    probes: int = 0,
    output: OutputLike = None,
    batch_size: int = 8,
    seed: int = 0,
) -> Attribution:
    """The local equivariance error of a network, split over its modules and functions.

    With `v` the result of a site, `A v` the generator on it, and `L` the jump `J (A u) - A v` from its inputs `u`,

        c = J_f(x) A x - A f(x) = Σ_i c_i,    c_i = J_{i -> output} L_i

    All signed shares `<c_i, c>` come from one reverse pass with `c` itself, exactly, for any number of outputs: `c_i`
    is never formed. Functions in the code of a module count like modules. The total comes from a pass of its own, so
    that `unattributed` checks the sum.

    Args:
        model: a network; put into evaluation mode and back.
        x: images, or a structure of which the symmetry says that they move.
        symmetry: with the action `Image` on inputs.
        generator: name of one generator of the group; may be left out when there is one.
        derivative: on images and feature maps, see `local_equivariance_error`; `spectral` charges the jump between
            opposite borders of ordinary photographs to the first layer, `central` does not.
        layouts: layouts of the outputs of modules where they cannot be derived, such as
            `{"encoder": "B (1 + H W) C"}`; `B C` means that nothing moves. Or a function of the shape of the output,
            such as `lambda shape: ls.measure.Layout.windows((56, 56), 7, shape[0] // 64, shape[2])`.
        probes: number `M` of random directions for the norm of each contribution; none for 0, and exact by one
            reverse pass per output where there are at most `M` outputs.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model; does not change the result.
        seed: of the probes.

    Returns:
        Contributions in the order of the forward pass.

    Raises:
        ValueError: when `x` does not fit, the inputs are no images, an output is not finite, the model is TorchScript,
            or it changes with `x` by a step without a derivative (the module is named). What it cuts off by `detach`,
            `no_grad` or `inference_mode` is attributed all the same.

    Reference:
        The error and its layers: Gruver, Finzi, Goldblum, Wilson (2023), arXiv 2210.02984. Generators as operators,
        functions as sites and signed shares by one reverse pass: this library.
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    check_moved(x, symmetry)
    check_layers(model)
    place, described = generator_named(symmetry.group, generator)
    moves = symmetry.on_input.within
    if not isinstance(moves, Image):
        raise ValueError(f"symmetry: got {type(moves).__name__} on inputs, attribution needs Image()")
    on_input, on_output = (
        operator_of(action, symmetry.group, place, derivative) for action in (moves, symmetry.on_output)
    )
    spread = partial(
        flow,
        generator=symmetry.group.algebra[place] * described.per_unit,
        derivative=derivative,
        padding=moves.padding,
    )
    operators = Operators(on_input, partial(_on_feature, spread), on_output)
    with differentiating(model, x, output, batch_size) as (read, x):
        size, key = read.batch_size, symmetry.on_input.part
        splitter = Splitter(read, operators, layouts or {}, probes, seed)
        parts = [
            replace(splitter, read=read.of_part(key, whole))(symmetry.moving(whole), index * size)
            for index, whole in enumerate(split(x, size))
        ]
    return _attribution(parts, described, probes)


def _on_feature(spread: Operator, t: Tensor, layout: Layout) -> Tensor:
    return layout.from_grid(spread(layout.to_grid(t))) if layout.has_grid else torch.zeros_like(t)


def _attribution(parts: list[Part], generator: Generator, probes: int) -> Attribution:
    outputs, trace = parts[0].outputs, parts[0].trace
    total = torch.cat([part.total for part in parts])
    shares = _by_site([(part.sites, part.dots) for part in parts])
    squares = _by_site([(part.sites, part.squares) for part in parts if part.squares is not None])
    rows = tuple(
        Contribution(
            site=site,
            share=ratio(dots, total),
            norm=Estimate.of((squares[site] / outputs).sqrt()) if squares else None,
        )
        for site, dots in shares.items()
    )
    _warn_of_lost(total, torch.stack(list(shares.values())))
    if trace.detected:
        shown = ", ".join([*trace.detected][:3])
        logger.warning(
            "%d modules are taken to keep the layout of inputs (see `detected`): %s", len(trace.detected), shown
        )
    return Attribution(
        generator=generator.name,
        unit=generator.unit,
        total=Estimate.of((total / outputs).sqrt()),
        rows=rows,
        unattributed=ratio(total - torch.stack(list(shares.values())).sum(0), total).mean,
        detected=trace.detected,
        lost=tuple(sorted(trace.lost)),
        probe_error=(2 / probes) ** 0.5 if 0 < probes < outputs else 0.0,
    )


def _warn_of_lost(total: Float[Tensor, "B"], dots: Float[Tensor, "N B"]) -> None:
    lost = float((total - dots.sum(0)).mean().abs())
    # where contributions cancel, rounding is as large as what is left
    if lost > LOST * float(total.mean() + dots.abs().sum(0).mean()):
        warnings.warn(
            f"model: {100 * lost / float(total.mean()):.0f} % of its error is at no site, as its gradient is not its "
            "derivative (a backward of its own, random choices); read shares with that in mind",
            stacklevel=2,
        )


def _by_site(parts: list[tuple[list[str], Tensor]]) -> dict[str, Float[Tensor, "B"]]:
    """Values per example for each site, summed where a module is called several times."""
    places = {name: place for place, name in enumerate(dict.fromkeys(site for sites, _ in parts for site in sites))}
    summed = [
        rows.new_zeros(len(places), *rows.shape[1:]).index_add(0, torch.tensor([places[site] for site in sites]), rows)
        for sites, rows in parts
    ]
    return dict(zip(places, torch.cat(summed, 1), strict=True)) if parts else {}


def ratio(numerator: Float[Tensor, "B"], denominator: Float[Tensor, "B"]) -> Estimate:
    """The ratio of two means over examples; its standard error by linearisation (delta method)."""
    scale = denominator.mean().clamp(min=torch.finfo(denominator.dtype).tiny)
    mean = numerator.mean() / scale
    return Estimate.of(mean + (numerator - mean * denominator) / scale)
