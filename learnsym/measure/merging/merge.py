"""Layer-wise equivariance by merging: a network with its transformed copy, or with another network.

Legend of axes: `B` examples, `P` points of the line, `C` channels, `n` size of the matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from learnsym.actions._lattice import act_on_lattice
from learnsym.measure._inputs import OutputLike, as_tensors, output_of
from learnsym.measure._probe import Model, Output, check_one_tensor, check_probe
from learnsym.measure._reader import outputs_of
from learnsym.measure.merging.channels import Channels, Segment, follow
from learnsym.measure.merging.line import Line, connect
from learnsym.measure.merging.matching import Permutations, matchings
from learnsym.measure.merging.network import State, check_same, trace
from learnsym.parts import Whole
from learnsym.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class MergeBarrier:
    """What is lost half-way between two networks whose channels are matched, and on the way."""

    barrier: Estimate
    """Drop of accuracy at the midpoint, relative to the mean of the end points; negative for a better midpoint."""
    loss_barrier: Estimate
    """Rise of the cross-entropy at the midpoint over the mean of the end points, in nats."""
    alphas: Float[Tensor, "P"]
    """Share of the second network, from 0 to 1."""
    accuracy: tuple[Estimate, ...]
    """Along the line."""
    loss: tuple[Estimate, ...]
    """Cross-entropy along the line, in nats."""
    permutations: Permutations
    """For each set of channels that can be reordered only together, named after a layer that writes them: channel `i`
    of the first network is matched with channel `permutation[i]` of the second."""


def merge_barrier(
    model: Model,
    x: Whole,
    element: Float[Tensor, "n n"],
    y: Whole = None,
    *,
    calibration: Whole = None,
    matching: str = "activations",
    repair: bool = True,
    points: int = 11,
    output: OutputLike = None,
    batch_size: int = 64,
) -> MergeBarrier:
    """The barrier between a classifier and its own transformed copy: 0 for a group convolutional network in disguise.

    The copy `x -> f(g^-1 x)` is made of the same weights with all kernels moved by `g`. A network that is equivariant
    in every layer, with `g` permuting channels, is its own copy up to that permutation `P`, so nothing happens on

        θ(α) = (1 - α) θ + α P(g·θ),    barrier = 1 - acc(1/2) / mean(acc(0), acc(1))

    One permutation is found for each set of channels that can be reordered only together, such as a residual stream.
    The spread of activations, which shrinks between two networks, is repaired after every hidden layer; for batch
    normalisation that is the reset of its statistics. The standard error of the ratio is that of its linearisation.
    Strides make the copy exact at some image sizes only; the accuracy at its end of the line shows what that costs.

    Args:
        model: a module of convolutions, linear layers, batch normalisation, pointwise functions, pools, sums,
            flatten and concatenation; it is traced with torch.export and never changed.
        x: images `(B, C, H, W)`, a tensor or a NumPy array.
        element: a flip or quarter turn, such as `ls.groups.Dihedral(1).components[1]`.
        y: classes `(B,)`, or label maps; None for the classes that the model itself gives, agreement with the original.
        calibration: images on which channels are matched and spreads repaired, without labels; None for `x`. The values
            of one layer for all of them are held in memory.
        matching: by correlations of `activations`, or by `weights` alone.
        repair: whether spreads are repaired; False for weights that are interpolated and nothing else.
        points: number of points of the line, odd, so that the midpoint is one.
        output: key of the part of what the model returns that are the logits, or a function that takes them out.
        batch_size: examples per call; does not change the result.

    Returns:
        The barriers, accuracy and loss along the line, and the permutations.

    Raises:
        ValueError: for an operation through which channels cannot be followed, an element that does not map kernels
            onto themselves, or targets that do not fit the outputs.

    Reference: Bökman, Kahl, "Investigating how ReLU-networks encode symmetries" (2023), arXiv 2305.17017.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> unmoved = ls.measure.merge_barrier(model, torch.rand(6, 1, 8, 8), torch.eye(2))
        >>> unmoved.barrier.mean, unmoved.permutations["0"]
        (0.0, tensor([0, 1, 2, 3]))
    """
    x, y, calibration = (as_tensors(given, model) for given in (x, y, calibration))
    images, output = x if calibration is None else calibration, output_of(output)
    _check(model, x, images, matching, points, batch_size)
    targets = _targets(model, x, y, output, batch_size)
    network = trace(model, x, output)
    channels = follow(network)
    # θ -> g·θ
    copy = moved_state(network.state, channels, element)
    line = connect(network, channels, copy, images, matchings[matching], repair, batch_size)
    return barrier_of(line, x, targets, points)


def merge_barrier_between(
    model_a: Model,
    model_b: Model,
    x: Whole,
    y: Whole = None,
    *,
    calibration: Whole = None,
    matching: str = "activations",
    repair: bool = True,
    points: int = 11,
    output: OutputLike = None,
    batch_size: int = 64,
) -> MergeBarrier:
    """The barrier between two classifiers of one architecture, such as two that were trained independently.

    The yardstick for `merge_barrier`, which puts the transformed copy of a network in place of the second; the other
    arguments are the same. Without `y`, targets are the classes that `model_a` gives.

    Raises:
        ValueError: as `merge_barrier`, and for models of different architectures.

    Reference: Entezari, Sedghi, Saukh, Neyshabur, "The role of permutation invariance in linear mode connectivity of
    neural networks" (2022), arXiv 2110.06296.

    Example:
        >>> a, b = (nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2))
        >>> found = ls.measure.merge_barrier_between(a, b, torch.rand(6, 1, 3, 3), matching="weights")
        >>> len(found.accuracy), found.permutations["1"].shape
        (11, torch.Size([4]))
    """
    x, y, calibration = (as_tensors(given, model_a) for given in (x, y, calibration))
    images, output = x if calibration is None else calibration, output_of(output)
    _check(model_a, x, images, matching, points, batch_size)
    targets = _targets(model_a, x, y, output, batch_size)
    network, other = trace(model_a, x, output), trace(model_b, x, output)
    check_same(network, other)
    channels = follow(network)
    line = connect(network, channels, other.state, images, matchings[matching], repair, batch_size)
    return barrier_of(line, x, targets, points)


def moved_state(state: State, channels: Channels, element: Float[Tensor, "n n"]) -> State:
    """The weights of the transformed copy `x -> g·f(g^-1 x)`: all kernels and flattened grids moved by `g`.

    Raises:
        ValueError: when the element does not map the points of a kernel onto points of the kernel.
    """
    return {name: _moved(name, value, channels, element) for name, value in state.items()}


def barrier_of(line: Line, x: Shaped[Tensor, "B ..."], targets: Int[Tensor, "B ..."], points: int) -> MergeBarrier:
    """Accuracy and loss of examples along a line."""
    alphas = torch.linspace(0, 1, points)
    with torch.no_grad():
        outputs = [line.outputs(alpha, x) for alpha in alphas.tolist()]
    accuracy = [_per_example(logits.argmax(1) == targets) for logits in outputs]
    loss = [_per_example(F.cross_entropy(logits.double(), targets, reduction="none")) for logits in outputs]
    # acc(α) -> 1 - acc(1/2) / mean(acc(0), acc(1))
    middle = points // 2
    return MergeBarrier(
        barrier=_relative_drop(accuracy[middle], (accuracy[0] + accuracy[-1]) / 2),
        loss_barrier=Estimate.of(loss[middle] - (loss[0] + loss[-1]) / 2),
        alphas=alphas,
        accuracy=tuple(map(Estimate.of, accuracy)),
        loss=tuple(map(Estimate.of, loss)),
        permutations=line.permutations,
    )


def _targets(model: Model, x: Tensor, y: Tensor | None, output: Output | None, batch_size: int) -> Tensor:
    """The targets that are given, or the classes of the model."""
    outputs = outputs_of(model, x, output, batch_size)
    shape, classes = tuple(outputs.shape), outputs.shape[1] if outputs.ndim > 1 else 0
    if classes < 2:
        raise ValueError(f"output: got shape {shape}, must be (B, K, ...) logits of K >= 2 classes; choose the logits")
    if y is None:
        return outputs.argmax(1)
    if tuple(y.shape) != (len(x), *shape[2:]):
        raise ValueError(f"y: got shape {tuple(y.shape)} for outputs {shape}, must be one class per output")
    if not bool(((y >= 0) & (y < classes)).all()):
        raise ValueError(f"y: has classes from {int(y.min())} to {int(y.max())}, must lie in [0, {classes - 1}]")
    return y.to(outputs.device).long()


def _check(model: Model, x: Whole, images: Whole, matching: str, points: int, batch_size: int) -> None:
    for given in (x, images):
        check_one_tensor(given)
    check_probe(model, images, batch_size)
    if images.shape[1:] != x.shape[1:]:
        shapes = f"{tuple(images.shape)} for x of shape {tuple(x.shape)}"
        raise ValueError(f"calibration: got shape {shapes}, must be images of the same size")
    if matching not in matchings:
        raise ValueError(f"matching: got {matching!r}, must be one of {', '.join(matchings)}")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points: got {points}, must be odd and >= 3, so that the midpoint is one; 11 is usual")


def _relative_drop(middle: Float[Tensor, "B"], ends: Float[Tensor, "B"]) -> Estimate:
    """`1 - mean(middle) / mean(ends)` with the linearised share of each example."""
    if not ends.any():
        raise ValueError("y: no example is classified correctly at the end points; give the classes of the model")
    ratio = middle.mean() / ends.mean()
    # r = m/e to first order: r + (m_i - r e_i) / e
    return Estimate.of(1 - ratio - (middle - ratio * ends) / ends.mean())


def _per_example(values: Tensor) -> Float[Tensor, "B"]:
    return values.double().reshape(len(values), -1).mean(1)


def _moved(name: str, value: Tensor, channels: Channels, element: Tensor) -> Tensor:
    if name in channels.kernels:
        value = _on_plane(name, value, element)
    for axis, layout in channels.axes.get(name, {}).items():
        parts = value.movedim(axis, 0).split([segment.size for segment in layout])
        grids = [_on_grid(name, part, s, element) if s.grid else part for part, s in zip(parts, layout, strict=True)]
        value = torch.cat(grids).movedim(0, axis)
    return value


def _on_grid(name: str, value: Tensor, segment: Segment, element: Tensor) -> Tensor:
    """`(C h w, *rest)` with the grids `h x w` moved."""
    planes = value.flatten(1) if value.ndim > 1 else value[:, None]
    planes = planes.unflatten(0, (segment.channels, *segment.grid)).permute(0, 3, 1, 2)
    return _on_plane(name, planes, element).permute(0, 2, 3, 1).reshape(value.shape)


def _on_plane(name: str, value: Tensor, element: Tensor) -> Tensor:
    moved = act_on_lattice(value, element.detach().expand(len(value), -1, -1))
    if moved is None:
        raise ValueError(
            f"element: got {element.tolist()}, which does not map the {value.shape[-2]}x{value.shape[-1]} grid of "
            f"{name} onto itself; use flips, half turns, or on square grids quarter turns"
        )
    return moved
