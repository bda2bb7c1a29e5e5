"""Directional derivatives of any model: forward mode where torch has it, and what is done where it has not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from learnsym._modes import module_of
from learnsym.measure._probe import Model, Output
from learnsym.measure._reader import Reader, reading
from learnsym.measure.lie.forward_rules import STEP, ForwardRules, central_difference, size_of
from learnsym.parts import Whole, device_of, mapped

logger = logging.getLogger(__name__)

Backend = Literal["auto", "forward", "double", "differences"]


@contextmanager
def differentiable(model: object) -> Iterator[None]:
    """Fused kernels without a forward-mode derivative replaced by plain ones: attention, transformer layers, LSTM.

    Code compiled by `torch.compile` runs as the Python code that it stands for.
    """
    module = module_of(model)
    modules = [] if module is None else list(module.modules())
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        if any(isinstance(module, nn.RNNBase) for module in modules):
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        for each in modules:
            # a value that is overwritten cannot be compared with what it was
            if getattr(each, "inplace", False) is True and not isinstance(each, torch.jit.ScriptModule):
                stack.callback(setattr, each, "inplace", True)
                each.inplace = False  # type: ignore[assignment]
        yield


@contextmanager
def differentiating(model: Model, x: Whole, output: Output | None, batch_size: int) -> Iterator[tuple[Reader, Whole]]:
    """`reading` of a model that is differentiated, and the examples; also where the caller is in inference mode."""
    with (
        torch.inference_mode(False),
        reading(model, x, output, batch_size) as read,
        differentiable(model),
        _ordinary_weights(model),
        torch.autocast(device_of(x).type, enabled=False),
    ):
        yield read, mapped(_ordinary, x)


@contextmanager
def _ordinary_weights(model: Model) -> Iterator[None]:
    """Weights that were made in inference mode, through which no gradient flows, replaced by copies."""
    module = module_of(model)
    with ExitStack() as stack:
        for owner in [] if module is None else module.modules():
            tables: Any = (owner._parameters, owner._buffers)
            for weights in tables:
                for name, weight in list(weights.items()):
                    if weight is not None and weight.is_inference():
                        stack.callback(weights.__setitem__, name, weight)
                        weights[name] = _ordinary(weight)
        yield


def _ordinary(t: Tensor) -> Tensor:
    return t.clone() if t.is_inference() else t.detach()


def linearise(
    f: Callable[[Tensor], Tensor], x: Float[Tensor, "B ..."], tangents: Float[Tensor, "G B ..."], backend: Backend
) -> tuple[Float[Tensor, "B ..."], Float[Tensor, "G B ..."], str]:
    """Outputs, and their derivatives along several directions of the inputs.

    Args:
        f: from inputs to one tensor; use within `differentiable`.
        x: where.
        tangents: directions.
        backend: `forward` mode; `double` reverse mode; central `differences` with a step-halving check; `auto` takes
            the first that works.

    Returns:
        `f(x)`, `J_f(x) t` for each direction, and what was done.

    Raises:
        ValueError: for an unknown backend, or outputs that are not floating.
    """
    if backend not in get_args(Backend):
        raise ValueError(f"backend: got {backend!r}, must be one of {', '.join(get_args(Backend))}")
    if backend != "auto":
        return _BACKENDS[backend](f, x, tangents)
    for name in ("forward", "double"):
        try:
            return _BACKENDS[name](f, x, tangents)
        except RuntimeError as error:  # NotImplementedError is one
            logger.warning("no derivative by backend %r: %s", name, " ".join(str(error).split())[:200])
    return _differences(f, x, tangents)


def _forward(f: Callable[[Tensor], Tensor], x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor, str]:
    """One pass of dual numbers per direction; all directions at once where torch can batch them."""
    if len(tangents) > 1:
        try:
            with torch.no_grad(), ForwardRules():
                both = torch.func.vmap(lambda t: torch.func.jvp(f, (x,), (t,)))(tangents)
                return both[0][0], both[1], "forward"
        except (RuntimeError, ValueError) as error:
            logger.debug("directions one by one: %s", error)
    duals = [dual(f, x, t) for t in tangents]
    used = "; ".join(dict.fromkeys(how for _, _, how in duals))
    return duals[0][0], torch.stack([dy for _, dy, _ in duals]), used


def dual(f: Callable[[Tensor], Tensor], x: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor, str]:
    """One direction by dual numbers; what was done names the functions that had to be differentiated by themselves."""
    rules = ForwardRules()
    with torch.no_grad(), forward_ad.dual_level():
        start = forward_ad.make_dual(x, tangent)
        with rules:
            returned = f(start)
        y, dy = forward_ad.unpack_dual(returned)
        how = f"forward ({', '.join(sorted(rules.by_themselves))} by itself)" if rules.by_themselves else "forward"
        return y, torch.zeros_like(y) if dy is None else dy, how


def _double(f: Callable[[Tensor], Tensor], x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor, str]:
    """Reverse mode twice: `J t` is the derivative of `Jᵀ v` with respect to `v`, along `t`."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        y = f(x)
        v = torch.zeros_like(y, requires_grad=True)
        (pulled,) = torch.autograd.grad(y, x, v, create_graph=True)
        dy = [torch.autograd.grad(pulled, v, t, retain_graph=True)[0] for t in tangents]
    return y.detach(), torch.stack(dy), "double"


def _differences(f: Callable[[Tensor], Tensor], x: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor, str]:
    """Central differences; the change under half the step says how far to trust them."""
    with torch.no_grad():
        wide, dy = (
            torch.stack([central_difference(f, (x,), (t,), step * size_of(x) / size_of(t)) for t in tangents])
            for step in (STEP, STEP / 2)
        )
        change = float((wide - dy).norm() / dy.norm().clamp(min=torch.finfo(dy.dtype).tiny))
        if change > 0.01:
            logger.warning("differences change by %.0f %% when the step is halved: not to be trusted", 100 * change)
        return f(x), dy, f"differences (step halved: {change:.1e})"


_BACKENDS = {"forward": _forward, "double": _double, "differences": _differences}
