"""Whether values may be looked at while something is computed, or are none yet, or not to be waited for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad


def may_look(x: Tensor) -> bool:
    """Whether values of `x` may decide the path: on a CPU, and no trace, compiler or transform needs both paths.

    A path that is taken must have the same derivatives as the other one.
    """
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or x.device.type != "cpu":
        return False
    return type(x) in (Tensor, torch.nn.Parameter) and not in_transform()


def in_transform() -> bool:
    """Whether a `torch.func` transform or forward-mode AD is active."""
    return peek_interpreter_stack() is not None or in_forward_mode()


def in_forward_mode() -> bool:
    """Whether forward-mode AD is active, through `torch.func.jvp` too."""
    return forward_ad._current_level >= 0
