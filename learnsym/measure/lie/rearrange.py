"""What moving and grouping axes does to a layout: permute, reshape, slice, join, reduce."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

from learnsym.measure.lie.layout import CHANNELS, SPACE, Axis, Factor, Layout

Index = int | slice | None | EllipsisType


def permuted(layout: Layout, order: Sequence[int]) -> Layout:
    """Axes in another order."""
    return layout.with_axes([layout.axes[dim] for dim in order])


def transposed(layout: Layout, first: int, second: int) -> Layout:
    """Two axes swapped."""
    order = list(range(len(layout.axes)))
    order[first], order[second] = order[second], order[first]
    return permuted(layout, order)


def moved(layout: Layout, source: int, target: int) -> Layout:
    """One axis moved to another place."""
    order = list(range(len(layout.axes)))
    order.insert(target % len(order), order.pop(source))
    return permuted(layout, order)


def reshaped(layout: Layout, shape: Sequence[int]) -> Layout | None:
    """Axes split and merged in the order in which they lie in memory; None when that cuts a factor unevenly."""
    waiting = [piece for axis in layout.axes for piece in _pieces(axis) if piece.size != 1]
    axes: list[Axis] = []
    for size in shape:
        taken: list[Axis] = []
        need = size
        while need > 1 and waiting:
            piece = _fitted(waiting, need)
            if piece is None:
                return None
            taken.append(piece)
            need //= piece.size
        if need > 1 or (len(taken) > 1 and any(piece.prefix for piece in taken)):
            return None
        prefix = taken[0].prefix if taken else 0
        axes.append(Axis(_fused([factor for piece in taken for factor in piece.factors]), prefix))
    return None if waiting else layout.with_axes(axes)


def _fused(factors: list[Factor]) -> tuple[Factor, ...]:
    """Outer and inner parts that lie side by side again, put together."""
    fused: list[Factor] = []
    for inner in factors:
        outer = fused[-1] if fused else None
        if outer and outer.kind == inner.kind and outer.kind in SPACE and outer.stride == inner.size * inner.stride:
            fused[-1] = Factor(inner.kind, outer.size * inner.size, inner.stride)
        else:
            fused.append(inner)
    return tuple(fused)


def _pieces(axis: Axis) -> list[Axis]:
    """What an axis can be cut into: its factors, or the whole of it when something lies in front."""
    return [axis] if axis.prefix else [Axis((factor,)) for factor in axis.factors]


def _fitted(waiting: list[Axis], need: int) -> Axis | None:
    """The next piece, or its outer part of size `need`, taken off the list."""
    piece = waiting.pop(0)
    if need % piece.size == 0:
        return piece
    if piece.prefix or piece.size % need:
        return None
    (factor,) = piece.factors
    inner = piece.size // need
    waiting.insert(0, Axis((Factor(factor.kind, inner, factor.stride),)))
    return Axis((Factor(factor.kind, need, factor.stride * inner),))


def reduced(layout: Layout, dims: Sequence[int], keepdim: bool) -> Layout:
    """Axes averaged, summed or maximised away."""
    gone = {dim % len(layout.axes) for dim in dims}
    axes = [Axis(()) if dim in gone else axis for dim, axis in enumerate(layout.axes) if keepdim or dim not in gone]
    return layout.with_axes(axes)


def mixed(layout: Layout, size: int, dim: int = -1) -> Layout:
    """One axis replaced by `size` channels; parts of rows and columns in it are no longer part of the grid."""
    axes = list(layout.axes)
    axes[dim] = Axis((Factor(CHANNELS, size),))
    return layout.with_axes(axes)


def resized(layout: Layout, shape: Sequence[int]) -> Layout | None:
    """Plain axes, each with another size, as convolution, pooling, resizing and padding leave them."""
    if tuple(shape) == layout.shape:
        return layout
    kinds = layout.kinds
    if len(shape) != len(kinds) or "?" in kinds or len(set(kinds)) < len(kinds) or any(layout.shift):
        return None
    return Layout.of(kinds, tuple(shape))


def sliced(layout: Layout, index: Sequence[Index], shape: Sequence[int]) -> Layout | None:
    """What `t[index]` leaves, a tensor of `shape`; None when it takes a part of the grid."""
    axes: list[Axis] = []
    waiting = list(layout.axes)
    for place, part in enumerate(index):
        if part is Ellipsis:
            rest = len([later for later in index[place + 1 :] if later is not None])
            axes += waiting[: len(waiting) - rest]
            del waiting[: len(waiting) - rest]
        elif part is None:
            axes.append(Axis(()))
        else:
            cut = _cut(waiting.pop(0), part)
            if cut is None:
                return None
            axes += cut
    remaining = layout.with_axes([*axes, *waiting])
    return remaining if remaining.shape == tuple(shape) else None


def _cut(axis: Axis, index: Index) -> list[Axis] | None:
    """The axes that remain of one under an integer or a slice."""
    if isinstance(index, int):
        movable = axis.kinds & set(SPACE) and not 0 <= index < axis.prefix
        return None if movable else []
    assert isinstance(index, slice)
    start, stop, step = index.indices(axis.size)
    if (start, stop, step) == (0, axis.size, 1):
        return [axis]
    if axis.prefix and step == 1 and stop == axis.size and start <= axis.prefix:
        return [Axis(axis.factors, axis.prefix - start)]
    in_front = bool(axis.prefix) and stop <= axis.prefix
    if in_front or axis.kinds <= {CHANNELS}:
        return [Axis((Factor(CHANNELS, len(range(start, stop, step))),))]
    return None


def joined(layouts: Sequence[Layout | None], sizes: Sequence[int], dim: int) -> Layout | None:
    """Several tensors behind one another: of channels, or entries without a layout in front of a grid."""
    known = [layout for layout in layouts if layout is not None]
    first = known[0]
    dim %= len(first.axes)
    axis = first.axes[dim]
    if axis.kinds <= {CHANNELS} and len(known) == len(layouts):
        like = all(mixed(other, 1, dim) == mixed(first, 1, dim) for other in known)
        return mixed(first, sum(sizes), dim) if like else None
    if len(known) == 1 and layouts[-1] is not None and axis.kinds <= set(SPACE):
        axes = list(first.axes)
        axes[dim] = Axis(axis.factors, axis.prefix + sum(sizes[:-1]))
        return first.with_axes(axes)
    return None


def rolled(layout: Layout, shifts: Sequence[int], dims: Sequence[int]) -> Layout | None:
    """A grid rolled along plain axes of rows and columns."""
    shift = dict(zip(SPACE, layout.shift, strict=True))
    for by, dim in zip(shifts, dims, strict=True):
        kind = layout.kinds[dim]
        if kind not in SPACE:
            return None
        size = layout.axes[dim].size
        shift[kind] = (shift[kind] + by) % size
    return Layout(layout.axes, (shift[SPACE[0]], shift[SPACE[1]]))
