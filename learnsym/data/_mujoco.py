"""MuJoCo, which may be missing."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

logger = logging.getLogger(__name__)


def mujoco_or(sentence: str) -> Any:  # noqa: ANN401 - a module that may be missing
    """The module `mujoco`.

    Raises:
        ValueError: this sentence, when it is not installed.
    """
    try:
        mujoco = import_module("mujoco")
    except ImportError as error:
        raise ValueError(sentence) from error
    if mujoco.get_mju_user_warning() is None:
        mujoco.set_mju_user_warning(logger.debug)  # else into a file of the working folder
    return mujoco
