"""A number of steps that is kept on the host, since reading it from a GPU would hold every step up."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def count_steps(module: nn.Module) -> None:
    """Give a module the number `seen`, 0 at first, which its state holds as the tensor `seen`.

    Example:
        >>> module = nn.Module()
        >>> ls.objectives.choosers.step_count.count_steps(module)
        >>> module.seen += 1
        >>> module.state_dict()["seen"]
        tensor(1)
    """
    module.seen = 0  # pyright: ignore[reportAttributeAccessIssue,reportArgumentType]
    module.register_state_dict_post_hook(_save)
    module.register_load_state_dict_pre_hook(_load)


def _save(module: Any, state: dict[str, Any], prefix: str, metadata: object) -> None:  # noqa: ANN401  any module
    state[f"{prefix}seen"] = torch.tensor(module.seen)


def _load(
    module: Any,  # noqa: ANN401  any module
    state: dict[str, Any],
    prefix: str,
    metadata: object,
    strict: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    if f"{prefix}seen" in state:
        module.seen = int(state.pop(f"{prefix}seen"))
    else:
        missing.append(f"{prefix}seen")
