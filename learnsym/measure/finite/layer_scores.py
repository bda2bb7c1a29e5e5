"""Learned equivariance and invariance of every layer of an image network.

Legend of axes: `B` examples, `K` elements, `n` size of their matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._modes import evaluating, keeping_buffers
from learnsym.actions import Image
from learnsym.distributions.draws import matching
from learnsym.measure._inputs import as_tensors
from learnsym.measure._probe import check_probe
from learnsym.measure._steadiness import depends_on_mates
from learnsym.measure.finite._correlation import above_chance, correlation
from learnsym.measure.finite._features import chosen_layers, feature_rows, features
from learnsym.measure.finite._frame import Frame, cropped, frame_of
from learnsym.measure.moves import check_elements, check_moved, pairing
from learnsym.parts import Whole, chosen, examples, split
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry


@dataclass(frozen=True, kw_only=True)
class LayerScore:
    """How equivariant and how invariant the features of a layer are: 0 is chance, 1 is exact."""

    equivariance: Estimate
    invariance: Estimate
    equivariance_chance: Estimate
    """The correlation with features of another image, which is 0 in `equivariance`."""
    invariance_chance: Estimate


@dataclass(frozen=True, kw_only=True)
class LayerScores:
    """The scores of the layers that return feature maps, in the order in which they run, and why others have none."""

    scores: dict[str, LayerScore]
    skipped: dict[str, str]


def layer_scores(
    model: nn.Module,
    x: Whole,
    symmetry: SymmetryLike,
    elements: Float[Tensor, "K n n"] | None = None,
    layers: Sequence[str] | None = None,
    seed: int = 0,
    *,
    strides: Mapping[str, int] | None = None,
    margin: int = 0,
    batch_size: int = 16,
) -> LayerScores:
    """Correlations of the features of moved images with moved features, and with features that stay.

    For features `φ` of a layer and an element `g` with its action on them, where `g` moves pixels and not channels,

        equivariance: r(g·φ(x_i), φ(g·x_i)),    invariance: r(φ(x_i), φ(g·x_i))

    with `r` Pearson's correlation over channels and the pixels of a central crop that is in view after the move (0 for
    features without variance). Features share a mean over images, so that even unrelated ones correlate: with `c` the
    mean of the same correlation with features of another image `x_j(i)`, scores are `(r - c) / (1 - c)`.

    Reference: Bruintjes, Motyka, van Gemert, "What affects learned equivariance in deep image recognition models?"
    (2023), arXiv 2304.02628; chance baseline, crop and averages are ours.

    Args:
        model: a network on images; its layers are heard by hooks that are removed at the end.
        x: images: a tensor, a NumPy array, or a structure of which the symmetry says that they move.
        symmetry: a planar group that acts on images; what it does to outputs is not read.
        elements: for example `pixel_shifts`; those of a finite group but the identity when None.
        layers: names of modules; all modules that hold no other one when None.
        seed: of the pairing `j`.
        strides: image pixels per feature pixel of layers by name, where the stride does not follow from the sizes
            because convolutions are not padded.
        margin: image pixels to cut off besides, such as what zeros at the border reach.
        batch_size: images per call of the model; does not change the result.

    Returns:
        Scores per layer, estimates over images, each the mean over elements.

    Raises:
        ValueError: for a model without layers, unknown layers or strides, images or elements that do not fit the
            symmetry, fewer than 2 images, a negative margin, another action than `Image`, no elements of a group that
            is not finite, or features that are not finite.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 2))
        >>> x = torch.rand(8, 1, 16, 16)
        >>> right = ls.measure.pixel_shifts(x, [(4, 0)])
        >>> found = ls.measure.layer_scores(net, x, ls.symmetry.translation2d(), right, margin=1)
        >>> found.scores["1"].equivariance.mean > 0.999, found.skipped["2"]
        (True, 'returns no feature maps (B, C, H, W)')
    """
    heard, strides = chosen_layers(model, layers), strides or {}
    _check_settings(heard, strides, margin)
    x, symmetry = as_tensors(x, model), as_symmetry(symmetry)
    check_probe(model, x, batch_size)
    elements = matching(_elements(x, symmetry, elements), symmetry.moving(x))
    partner = pairing(examples(x), seed)
    with torch.no_grad(), evaluating(model), keeping_buffers(model):
        alone = depends_on_mates(partial(feature_rows, model, heard), x, batch_size)
        count = 1 if alone else batch_size
        frames, skipped = _frames(model, heard, chosen(x, slice(0, 1)), symmetry, elements, strides, margin)
        parts = [
            _correlations(model, heard, frames, symmetry, elements, here, chosen(x, there))
            for here, there in zip(split(x, count), partner.split(count), strict=True)
        ]
    scores = {name: _score(name, torch.cat([part[name] for part in parts])) for name in frames}
    return LayerScores(scores=scores, skipped=skipped)


def _check_settings(layers: Mapping[str, nn.Module], strides: Mapping[str, int], margin: int) -> None:
    if margin < 0:
        raise ValueError(f"margin: got {margin}, must be >= 0 pixels")
    for name, stride in strides.items():
        if name not in layers or stride < 1:
            raise ValueError(f"strides: got {stride} for {name!r}, must be >= 1 pixel for one of the measured layers")


def _elements(x: Whole, symmetry: Symmetry, elements: Tensor | None) -> Float[Tensor, "K n n"]:
    group = symmetry.group
    if not isinstance(symmetry.on_input.within, Image):
        raise ValueError(f"symmetry: its inputs move by {symmetry.on_input}, must move as Image(), like feature maps")
    check_moved(x, symmetry)
    if elements is not None:
        check_elements(elements, group, "elements")
        return elements
    if group.order is None or group.order != len(group.components) or group.order < 2:
        raise ValueError(f"elements: got None for {group.name}; pass some, such as pixel_shifts(x, [(4, 0)])")
    return group.components[1:]


def _frames(
    model: nn.Module,
    layers: dict[str, nn.Module],
    x: Whole,
    symmetry: Symmetry,
    elements: Tensor,
    strides: Mapping[str, int],
    margin: int,
) -> tuple[dict[str, Frame], dict[str, str]]:
    returned, image = features(model, layers, x), symmetry.moving(x)
    skipped = {name: "is not called" for name in layers if name not in returned}
    strided = ((name, feature, strides.get(name.split("#")[0])) for name, feature in returned.items())
    tried = {name: frame_of(feature, image, elements, stride, margin) for name, feature, stride in strided}
    skipped |= {name: reason for name, reason in tried.items() if isinstance(reason, str)}
    return {name: frame for name, frame in tried.items() if isinstance(frame, Frame)}, skipped


def _correlations(
    model: nn.Module,
    layers: dict[str, nn.Module],
    frames: dict[str, Frame],
    symmetry: Symmetry,
    elements: Tensor,
    here: Whole,
    there: Whole,
) -> dict[str, Float[Tensor, "B 4"]]:
    """Correlations with features of the moved images: of own moved, own, another's moved and another's features."""
    move = symmetry.on_input.within
    own, other = features(model, layers, here), features(model, layers, there)
    total = {name: torch.zeros(()) for name in frames}
    for k, g in enumerate(elements):
        moved = features(model, layers, symmetry.on_input(g.expand(examples(here), -1, -1), here))
        for name, frame in frames.items():
            h, cut = frame.elements[k], frame.cuts[k]
            a, b, target = own[name], other[name], moved[name]
            assert isinstance(a, Tensor) and isinstance(b, Tensor) and isinstance(target, Tensor)
            compared = (move(_repeated(h, a), a), a, move(_repeated(h, b), b), b)
            columns = [correlation(cropped(part, cut), cropped(target, cut)) for part in compared]
            total[name] = total[name] + torch.stack(columns, 1) / len(elements)
    return total


def _score(name: str, columns: Float[Tensor, "B 4"]) -> LayerScore:
    bad = ~columns.isfinite().all(1)
    if bad.any():
        raise ValueError(
            f"model: features of layer {name!r} are not finite for example {int(bad.nonzero()[0])}; "
            "repair the model or leave this example out"
        )
    equivariance, invariance, equivariance_chance, invariance_chance = columns.unbind(1)
    return LayerScore(
        equivariance=above_chance(equivariance, equivariance_chance),
        invariance=above_chance(invariance, invariance_chance),
        equivariance_chance=Estimate.of(equivariance_chance),
        invariance_chance=Estimate.of(invariance_chance),
    )


def _repeated(g: Float[Tensor, "n n"], x: Tensor) -> Float[Tensor, "B n n"]:
    return g.expand(len(x), -1, -1)
