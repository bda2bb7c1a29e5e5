"""How much asymmetry under rotations the errors of trained models explain: a floor for the residual axis.

Legend of axes: `M` models, `B` examples; of 3: the rotations about x, y, z.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Action, PointCloud
from learnsym.groups import SO3
from learnsym.measure._inputs import asked
from learnsym.measure._probe import Model
from learnsym.measure.lie.derivatives import lie_derivatives
from learnsym.measure.moves import check_moved, pairing, squared_distance
from learnsym.parts import Whole, examples
from learnsym.symmetry import Symmetry


def own_floor(
    models: Sequence[Model],
    x: Whole,
    y: Float[Tensor, "B ..."],
    on_input: Action = PointCloud(),  # noqa: B008  frozen
    on_output: Action = PointCloud(),  # noqa: B008  frozen
    *,
    seed: int = 0,
    batch_size: int = 16,
) -> float:
    """The error per degree up to which a rotation counts as kept by models that were trained, for `residual_axis`.

    A model is the truth and an error of its own, `f_i = f + r_i`. Where the truth turns with its inputs, `L f_i` is
    `L r_i`, which no training makes zero. How much an error of a given size adds is seen in the differences of models
    from their mean, in which the truth does not stand:

        ρ² = Σ_a Σ_i E |L_a (f_i - mean f)|² / (3 Σ_i E |f_i - mean f|²)    the roughness of errors, per degree
        floor = √2 ρ sqrt(E |f_i - y|²) / d

    with `d` the root mean square distance between outputs of unrelated examples. Since `E |L f_i|²` is
    `E |L f|² + E |L r_i|²` where the two are unrelated, a rotation below `√2` is one of which the truth breaks no more
    than the error does: with better models the floor falls.

    Reference: Gruver, Finzi, Goldblum, Wilson (2023), arXiv 2210.02984, for the Lie derivative; the floor: this
    library.

    Args:
        models: at least two trainings that differ in their seeds, better in their examples, too.
        x: held-out examples.
        y: their targets, of the shape of the outputs.
        on_input, on_output: how rotations move inputs and outputs.
        seed: of the pairing of unrelated examples.
        batch_size: examples per call of a model; does not change the result.

    Raises:
        ValueError: for fewer than two models, models that are all alike, or targets of another shape.

    Example:
        >>> x = torch.randn(40, 4, 3)
        >>> models = [lambda x, k=k: x.roll(1, 1) + 0.1 * (k * x[:, :, :1]).sin() for k in (1, 2, 3)]
        >>> floor = ls.measure.own_floor(models, x, x.roll(1, 1))
        >>> 0 < floor < 0.01
        True
    """
    if len(models) < 2:
        raise ValueError(f"models: got {len(models)}, must be at least two trainings, between which errors differ")
    x, symmetry, output = asked(models[0], x, Symmetry(SO3(), on_input=on_input, on_output=on_output), None)
    check_moved(x, symmetry)
    outputs, derivatives = [], []
    for model in models:
        parts = list(lie_derivatives(model, x, symmetry, range(3), output=output, batch_size=batch_size))
        outputs.append(torch.cat([part.y for part in parts]).double())
        derivatives.append(torch.cat([(part.of_input - part.of_output).double() for part in parts], 1))
    f, lie = torch.stack(outputs), torch.stack(derivatives)  # (M, B, ...), (M, 3, B, ...)
    if y.shape != f.shape[1:]:
        raise ValueError(f"y: got shape {tuple(y.shape)}, must be {tuple(f.shape[1:])}, that of the outputs")
    between = (f - f.mean(0)).square().sum()
    if not between:
        raise ValueError("models: all have the same outputs; give trainings that differ in their seeds")
    roughness = (lie - lie.mean(0)).square().sum() / 3 / between
    error = (f - y.to(f)).flatten(2).square().sum(2).mean()
    partner = pairing(examples(x), seed)
    apart = torch.stack([squared_distance(each, each[partner]).double().mean() for each in f]).mean()
    return math.sqrt(float(2 * roughness * error / apart))
