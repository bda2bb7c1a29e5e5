"""Layouts of results: which axes are rows and columns after a torch function, when they are so before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.rearrange import (
    Index,
    joined,
    mixed,
    moved,
    permuted,
    reduced,
    reshaped,
    resized,
    rolled,
    sliced,
    transposed,
)

Known = Mapping[Tensor, Layout]
Rule = Callable[[Known, Tensor, tuple, dict], Layout | None]

POINTWISE = frozenset(
    """abs add addcmul batch_norm celu clamp clamp_min clone contiguous cos detach div double dropout dropout2d elu erf
    exp expm1 feature_dropout float gelu group_norm hardsigmoid hardswish hardtanh instance_norm layer_norm leaky_relu
    lerp local_response_norm log log1p log_softmax masked_fill mish mul neg normalize pow prelu reciprocal relu relu6
    rms_norm rrelu rsqrt rsub selu sigmoid silu sin softmax softplus softsign sqrt square sub tanh tanhshrink threshold
    to true_divide truediv type_as where""".split()  # noqa: SIM905
)
"""Functions that treat all pixels alike and keep the shape; operators and in-place forms go by the same names."""
SPATIAL = frozenset(
    """conv2d max_pool2d avg_pool2d lp_pool2d fractional_max_pool2d adaptive_avg_pool2d adaptive_max_pool2d interpolate
    upsample pad conv_transpose2d pixel_shuffle pixel_unshuffle""".split()  # noqa: SIM905
)
REDUCTIONS = frozenset({"mean", "sum", "amax", "amin", "std", "var", "norm", "logsumexp", "nanmean"})


def rule_of(name: str) -> tuple[Rule, bool] | None:
    """The rule for a function, and whether it only rearranges entries; None for an unknown function."""
    plain = name.strip("_")
    if name.startswith("__"):
        plain = plain if plain in _MOVES or plain in _RESULTS else plain[1:]
    if plain in _MOVES:
        return _MOVES[plain], True
    if plain in _RESULTS:
        return _RESULTS[plain], False
    return None


def _first(known: Known, args: tuple) -> Layout | None:
    return known.get(args[0]) if args and isinstance(args[0], Tensor) else None


def _numbers(args: Sequence[Any]) -> list[int]:
    """Integers given one by one or as one sequence."""
    return [*args[0]] if len(args) == 1 and isinstance(args[0], Sequence) else [*args]


def _argument(args: tuple, kwargs: dict, place: int, name: str, default: Any = None) -> Any:  # noqa: ANN401
    return kwargs[name] if name in kwargs else args[place] if len(args) > place else default


def _of_first(change: Callable[[Layout, Tensor, tuple, dict], Layout | None]) -> Rule:
    """A rule that looks at the first argument alone."""

    def rule(known: Known, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
        layout = _first(known, args)
        return None if layout is None else change(layout, out, args[1:], kwargs)

    return rule


def _pointwise(known: Known, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    of_inputs = [known[t] for t in [*args, *kwargs.values()] if isinstance(t, Tensor) and t in known]
    return next((layout for layout in of_inputs if layout.shape == tuple(out.shape)), None)


def _query(known: Known, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    """Attention: one row per query."""
    query = _argument(args, kwargs, 0, "query")
    layout = known.get(query) if isinstance(query, Tensor) else None
    return None if layout is None else mixed(layout, out.shape[-1])


def _matmul(known: Known, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    layout, weight = _first(known, args), args[1]
    return None if layout is None or weight in known or weight.ndim > 2 else mixed(layout, out.shape[-1])


def _cat(known: Known, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    tensors: Sequence[Tensor] = _argument(args, kwargs, 0, "tensors")
    dim = _argument(args, kwargs, 1, "dim", 0) % out.ndim
    return joined([known.get(t) for t in tensors], [t.shape[dim] for t in tensors], dim)


def _reduction(layout: Layout, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    dims = _argument(args, kwargs, 0, "dim")
    if dims is None:
        return None
    remaining = reduced(layout, [dims] if isinstance(dims, int) else dims, _argument(args, kwargs, 1, "keepdim", False))
    return Layout(remaining.axes) if not remaining.has_grid else remaining if layout.shift == (0, 0) else None


def _getitem(layout: Layout, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    index: tuple[Index, ...] = args[0] if isinstance(args[0], tuple) else (args[0],)
    simple = all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in index)
    return sliced(layout, index, out.shape) if simple else None


def _roll(layout: Layout, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    shifts, dims = _argument(args, kwargs, 0, "shifts"), _argument(args, kwargs, 1, "dims")
    return None if dims is None else rolled(layout, _numbers([shifts]), _numbers([dims]))


def _part(layout: Layout, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    """One of several parts along an axis of channels: chunk, split."""
    changed = [dim for dim, size in enumerate(out.shape) if size != layout.axes[dim].size]
    if len(changed) != 1:
        return None if changed else layout
    return mixed(layout, out.shape[changed[0]], changed[0]) if layout.kinds[changed[0]] == "C" else None


def _unbound(layout: Layout, out: Tensor, args: tuple, kwargs: dict) -> Layout | None:
    dim = _argument(args, kwargs, 0, "dim", 0)
    return sliced(layout, [*[slice(None)] * (dim % len(layout.axes)), 0], out.shape)


_MOVES: dict[str, Rule] = {
    **dict.fromkeys(
        ["reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as"],
        _of_first(lambda layout, out, args, kwargs: reshaped(layout, out.shape)),
    ),
    "permute": _of_first(lambda layout, out, args, kwargs: permuted(layout, _numbers(args or [kwargs["dims"]]))),
    **dict.fromkeys(
        ["transpose", "swapaxes", "swapdims"], _of_first(lambda layout, out, args, kwargs: transposed(layout, *args))
    ),
    **dict.fromkeys(["mT", "mH"], _of_first(lambda layout, out, args, kwargs: transposed(layout, -2, -1))),
    **dict.fromkeys(["data", "real"], _of_first(lambda layout, out, args, kwargs: layout)),
    **dict.fromkeys(["movedim", "moveaxis"], _of_first(lambda layout, out, args, kwargs: moved(layout, *args))),
    "getitem": _of_first(_getitem),
    "roll": _of_first(_roll),
    "cat": _cat,
    "concat": _cat,
    **dict.fromkeys(["chunk", "split", "tensor_split", "split_with_sizes"], _of_first(_part)),
    "unbind": _of_first(_unbound),
}
_RESULTS: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, _pointwise),
    **dict.fromkeys(SPATIAL, _of_first(lambda layout, out, args, kwargs: resized(layout, out.shape))),
    **dict.fromkeys(REDUCTIONS, _of_first(_reduction)),
    "linear": _of_first(lambda layout, out, args, kwargs: mixed(layout, out.shape[-1])),
    "matmul": _matmul,
    "scaled_dot_product_attention": _query,
    "multi_head_attention_forward": _query,
}
