"""Derivatives that automatic differentiation does not see: found by differences, for a few examples.

Legend of axes: `G` directions, `B` examples.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import forward_ad

from learnsym.measure.lie.forward_rules import STEP, ForwardRules, size_of

EXAMPLES = 2
"""How many are looked at."""
PART = 0.02
"""Part of a derivative within which differences agree with it."""


def is_missed(
    f: Callable[[Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    tangents: Float[Tensor, "G B ..."],
    y: Float[Tensor, "B ..."],
    dy: Float[Tensor, "G B ..."],
) -> bool:
    """Whether the output moves along the directions otherwise than its derivatives say.

    Args:
        f: from inputs to outputs; one that does not take a few examples alone is not looked at.
        x: where; the first few examples are looked at.
        tangents: directions, looked at all together.
        y: `f(x)`.
        dy: the derivatives of `f` along them.
    """
    x, tangents, y, dy = x[:EXAMPLES], tangents[:, :EXAMPLES], y[:EXAMPLES], dy[:, :EXAMPLES]
    scale = tangents.new_tensor([1 / size_of(t) if t.any() else 0.0 for t in tangents])
    direction, wanted = (torch.einsum("g,g...->...", scale.to(t), t) for t in (tangents, dy))
    step = _step(x, direction)
    try:
        with torch.no_grad():
            above, below = (f(x + sign * step * direction) for sign in (1.0, -1.0))
    except Exception:
        return False
    return _disagrees(above, y, below, step, wanted)


def first_missed(model: nn.Module, f: Callable[[Tensor], Tensor], x: Tensor, tangent: Tensor) -> str:
    """The path of the first module whose result moves otherwise than its derivative says; empty for the model."""
    x, tangent = x[:EXAMPLES], tangent[:EXAMPLES]
    step = _step(x, tangent)
    above, middle, below = (_results(model, f, x + sign * step * tangent) for sign in (1.0, 0.0, -1.0))
    with forward_ad.dual_level(), ForwardRules():
        duals = _results(model, f, forward_ad.make_dual(x, tangent))
        # forgotten when the level ends
        wanted = {path: forward_ad.unpack_dual(t).tangent for path, t in duals.items()}
    for path, known in wanted.items():
        if path in above and path in middle and path in below:
            known = torch.zeros_like(middle[path]) if known is None else known
            if _disagrees(above[path], middle[path], below[path], step, known):
                return path
    return ""


def _step(x: Tensor, direction: Tensor) -> float:
    return STEP * size_of(x) / size_of(direction)


def _results(model: nn.Module, f: Callable[[Tensor], Tensor], x: Tensor) -> dict[str, Tensor]:
    """The last floating result of every module, in the order in which they end."""
    results: dict[str, Tensor] = {}

    def noting(path: str) -> Callable:
        def hook(module: nn.Module, args: tuple, out: object) -> None:
            if isinstance(out, Tensor) and out.is_floating_point():
                results.pop(path, None)
                # a later module may work in place
                results[path] = out.clone()

        return hook

    handles = [module.register_forward_hook(noting(path)) for path, module in model.named_modules()]
    try:
        with torch.no_grad():
            f(x)
    finally:
        for handle in handles:
            handle.remove()
    return results


def _disagrees(above: Tensor, middle: Tensor, below: Tensor, step: float, wanted: Tensor) -> bool:
    """Whether both sides move alike, and otherwise than wanted: by more than a small part and than rounding makes."""
    moved = (above - below) / (2 * step)
    # at a kink the derivative is that of one side
    kink = float((above - 2 * middle + below).norm()) / (2 * step) if wanted.any() else 0.0
    rounding = 8 * torch.finfo(middle.dtype).eps * float(middle.norm()) / step
    part = PART * max(float(moved.norm()), float(wanted.norm()))
    return float((moved - wanted).norm()) > part + 4 * kink + rounding
