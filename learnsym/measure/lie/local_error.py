"""The local equivariance error of any model, for each generator of a group.

Legend of axes: `B` examples, `G` generators.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure._distance import Distance
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure.lie.derivatives import lie_derivatives
from learnsym.measure.lie.flow import Derivative
from learnsym.measure.lie.forward import Backend
from learnsym.measure.lie.generator import generator_named
from learnsym.measure.moves import check_moved, pairing, squared_distance
from learnsym.parts import Whole, examples
from learnsym.statistics import Estimate
from learnsym.symmetry import SymmetryLike

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LocalError:
    """How fast one generator carries a model away from equivariance, `L f(x) = J_f(x) A x - A f(x)`."""

    generator: str
    unit: str
    lee: Estimate
    """`|L f(x)|² / dim f`, per unit squared: the local equivariance error of the paper."""
    relative: Estimate
    """`|L f(x)|` over the root mean square distance between outputs of unrelated examples, per unit."""
    of_derivative: Estimate
    """`|L f(x)| / (|J_f(x) A x| + |A f(x)|)`: 0 is exact, 1 is what an output that should not move but moves has."""


@dataclass(frozen=True, kw_only=True)
class LocalErrors:
    """Local equivariance errors of one model, a row for each generator."""

    rows: tuple[LocalError, ...]
    backend: str
    """How derivatives were taken."""

    def __getitem__(self, generator: str) -> LocalError:
        return next(row for row in self.rows if row.generator == generator)

    def __str__(self) -> str:
        lines = [f"{row.generator}: {row.relative} per {row.unit}, LEE {row.lee}" for row in self.rows]
        return "\n".join([*lines, f"derivatives: {self.backend}"])


def local_equivariance_error(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    generators: Sequence[str] | None = None,
    *,
    derivative: Derivative = "spectral",
    output: OutputLike = None,
    batch_size: int = 16,
    backend: Backend = "auto",
    seed: int = 0,
) -> LocalErrors:
    """The Lie derivative of a model, `L f(x) = d/dt exp(-tG)·f(exp(tG)·x)` at t = 0.

        L f(x) = J_f(x) A x - A f(x)

    with the generator `A` an explicit linear operator on inputs and on outputs, so that nothing is resampled, and one
    forward-mode pass. It is 0 for all `x` if and only if `f` is equivariant under the one-parameter group; other
    components of the group (reflections) are out of its sight, see `error_curve`.

    Args:
        model: any callable of a batch; a module is put into evaluation mode and back.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: what is tested; or its name, or a list of several.
        generators: names of generators; all of the group when None.
        derivative: on images: `spectral`, of the band-limited periodic image, exact for circular convolutions but
            blind to borders; `central` differences; `bilinear`, what bilinear resampling does at t = 0+. Numbers are
            comparable for one choice only.
        output: key of the part of what the model returns that is measured, such as `logits`, or a function that takes
            it out; the part that the symmetry is about when None, see `Symmetry.at`.
        batch_size: examples per call of the model, half as many of large ones on a CPU; does not change the result.
        backend: `auto` takes forward mode, then double reverse mode, then central differences, and says which.
        seed: of the pairing of unrelated examples.

    Returns:
        One row for each generator, per unit in which the group reads it.

    Raises:
        ValueError: when `x` does not fit the symmetry, the group has no generators, fewer than 2 examples are given,
            or the output is not floating, not finite, or does not depend differentiably on `x`. What a model cuts
            off by `detach`, `no_grad` or `inference_mode` is differentiated all the same.

    Reference:
        Gruver, Finzi, Goldblum, Wilson, "The Lie derivative for measuring learned equivariance" (2023), arXiv
        2210.02984; explicit operators and forward mode: this library.

    Example:
        >>> mean = lambda x: x.mean((-2, -1))
        >>> errors = ls.measure.local_equivariance_error(mean, torch.rand(4, 1, 8, 8), ls.symmetry.translation2d())
        >>> errors["translation_x"].relative.mean < 1e-4
        True
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    check_moved(x, symmetry)
    partner = pairing(examples(x), seed)
    names = list(generators or [generator.name for generator in symmetry.group.generators] or [""])
    chosen = [generator_named(symmetry.group, name) for name in names]
    places = [place for place, _ in chosen]
    outputs: list[Tensor] = []
    lies, scales = [], []
    used: dict[str, None] = {}
    # norms of a batch are kept, not its derivatives, which are as large as outputs times generators
    for part in lie_derivatives(model, x, symmetry, places, derivative, output, batch_size, backend):
        lies.append(_norm(part.of_input - part.of_output))
        scales.append(_norm(part.of_input) + _norm(part.of_output))
        outputs.append(part.y)
        used[part.backend] = None
    y = torch.cat(outputs)
    distance = Distance.between(squared_distance(y, y[partner]), y, partner)
    lie, scale, dim = torch.cat(lies, 1), torch.cat(scales, 1), y[0].numel()
    rows = tuple(
        LocalError(
            generator=described.name,
            unit=described.unit,
            lee=Estimate.of(lie[row].square() / dim),
            relative=distance.estimate(lie[row]),
            of_derivative=Estimate.of(torch.where(lie[row] == 0, lie[row], lie[row] / scale[row])),
        )
        for row, (_, described) in enumerate(chosen)
    )
    return LocalErrors(rows=rows, backend="; ".join(used))


def _norm(t: Float[Tensor, "G B ..."]) -> Float[Tensor, "G B"]:
    return t.reshape(*t.shape[:2], -1).double().norm(dim=2)
