"""Forward-mode rules that torch lacks, or has only at a higher price.

A convolution's derivative in torch also convolves with the tangent of the weights, which is zero here; functions that
are linear in their input need one application to the tangent. A function without a rule is differentiated by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from learnsym.measure.lie.closed_forms import OF_ONE, scaled_dot_product_attention

STEP = 1e-3
"""Step of central differences, in units of the largest entry of the direction."""


class ForwardRules(TorchFunctionMode):
    """While it is entered, torch functions carry tangents by these rules.

    What a model says about gradients is left aside: the derivative of a function does not depend on `detach`, `no_grad`
    and `inference_mode`. Gradients are recorded throughout when they are where it is entered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_themselves: set[str] = set()
        self._records = torch.is_grad_enabled()

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:  # noqa: ANN401
        """Any torch function."""
        return self.apply(func, args, kwargs or {})

    def apply(self, func: Callable, args: tuple, kwargs: dict) -> Any:  # noqa: ANN401
        """The result with its tangent, and its gradient where they are recorded."""
        with self.unhindered():
            return self._applied(func, args, kwargs)

    @contextmanager
    def unhindered(self) -> Iterator[None]:
        """Outside the inference mode of the model, and with gradients where they are recorded."""
        if not torch.is_inference_mode_enabled() and torch.is_grad_enabled() >= self._records:
            yield
            return
        with torch.inference_mode(False), torch.set_grad_enabled(self._records):
            yield

    def _applied(self, func: Callable, args: tuple, kwargs: dict) -> Any:  # noqa: ANN401
        if func in _CUTS:
            return args[0] if func is Tensor.detach_ else args[0].view_as(args[0])
        name = getattr(func, "__name__", str(func))
        known = _closed_form(name, func, args, kwargs)
        if known is not None:
            return known
        try:
            return func(*args, **kwargs)
        except NotImplementedError as error:
            if "forward AD" not in str(error):
                raise
        self.by_themselves.add(name)
        return _by_itself(func, args, kwargs)


_CUTS = (Tensor.detach, Tensor.detach_, torch.detach, torch.detach_, Tensor.data.__get__)  # pyright: ignore[reportAttributeAccessIssue]


def _closed_form(name: str, func: Callable, args: tuple, kwargs: dict) -> Tensor | None:
    """The result by a rule of this library; None where there is none, and when weights move too."""
    if name == "scaled_dot_product_attention":
        return _attention(args, kwargs)
    if (name not in _LINEAR and name not in OF_ONE) or not args or not isinstance(args[0], Tensor):
        return None
    primal, tangent = forward_ad.unpack_dual(args[0])
    weights = [t for t in (*args[1:], *kwargs.values()) if isinstance(t, Tensor)]
    if tangent is None or any(forward_ad.unpack_dual(t).tangent is not None for t in weights):
        return None
    if name in OF_ONE:
        pair = OF_ONE[name](primal, tangent, *args[1:], **kwargs)
        return None if pair is None else forward_ad.make_dual(*pair)
    moved = _without_bias(func, tangent, *args[1:], **kwargs)
    return forward_ad.make_dual(func(primal, *args[1:], **kwargs), moved)


def _without_bias(
    func: Callable, t: Tensor, weight: Tensor, bias: object = None, *rest: object, **named: object
) -> Tensor:
    return func(t, weight, None, *rest, **named)


_LINEAR = (
    *("conv1d", "conv2d", "conv3d", "linear"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
)


def _attention(args: tuple, kwargs: dict) -> Tensor | None:
    """Of queries, keys and values that all move, without a mask and dropout."""
    if len(args) != 3 or any(value for key, value in kwargs.items() if key not in ("attn_mask", "scale")):
        return None
    if kwargs.get("attn_mask") is not None:
        return None
    pairs = [forward_ad.unpack_dual(t) for t in args]
    tangents = [tangent for _, tangent in pairs if tangent is not None]
    if len(tangents) < len(pairs):
        return None
    primals = [primal for primal, _ in pairs]
    return forward_ad.make_dual(*scaled_dot_product_attention(*primals, *tangents, scale=kwargs.get("scale")))


def _by_itself(func: Callable, args: tuple, kwargs: dict) -> Tensor:
    leaves, structure = tree_flatten((args, kwargs))
    duals = {i: forward_ad.unpack_dual(leaf) for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)}
    moving = [i for i, (_, tangent) in duals.items() if tangent is not None]

    def plain(*values: Tensor) -> Tensor:
        filled = [duals[i].primal if i in duals else leaf for i, leaf in enumerate(leaves)]
        for i, value in zip(moving, values, strict=True):
            filled[i] = value
        given, named = tree_unflatten(filled, structure)
        return func(*given, **named)

    primals = tuple(duals[i].primal.detach() for i in moving)
    directions = tuple(tangent for _, tangent in duals.values() if tangent is not None)
    try:
        with torch.enable_grad():
            y, dy = torch.autograd.functional.jvp(plain, primals, directions)
    except RuntimeError:
        y, dy = plain(*primals), central_difference(plain, primals, directions, STEP)
    return forward_ad.make_dual(y, dy)


def central_difference(
    f: Callable[..., Tensor], primals: tuple[Tensor, ...], tangents: tuple[Tensor, ...], h: float
) -> Tensor:
    above, below = (f(*(p + sign * h * t for p, t in zip(primals, tangents, strict=True))) for sign in (1.0, -1.0))
    return (above - below) / (2 * h)


def size_of(t: Tensor) -> float:
    """Largest absolute entry, never 0."""
    return max(float(t.abs().max()), torch.finfo(t.dtype).tiny)
