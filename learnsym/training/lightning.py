"""A callback of Lightning: degrees and equivariance errors in its log, symmetry parameters in a group of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from learnsym.learners import degrees, over_elements
from learnsym.measure import equivariance_error
from learnsym.parts import Whole, moved_to
from learnsym.symmetry import SymmetryLike
from learnsym.training.history import key_of

if TYPE_CHECKING:
    Callback = object
else:
    try:
        from lightning.pytorch import Callback
    except ImportError:
        Callback = object

RATES = ("lr", "initial_lr", "max_lr", "min_lr")
"""What optimisers and schedules keep of rates in a group of parameters."""


class SymmetryCallback(Callback):
    """Logs what a module of Lightning has learned, and gives its symmetry parameters a rate of their own.

    Degrees go to the log under the keys of `metrics.jsonl`, such as `degree/net/rotation`. Parameters over group
    elements leave the group of their optimiser for one called `symmetry`, without weight decay; schedules follow.

    Args:
        symmetry: with `x`, what is tested at the end of each epoch: `equivariance_error` and its standard error.
        x: a few examples for it, as `forward` takes them.
        every: steps between two looks at the degrees.
        rate: what the learning rate of their group is multiplied with for symmetry parameters.

    Raises:
        ImportError: when Lightning is not installed.
        ValueError: for `symmetry` without `x` or the reverse, or numbers that are not positive.

    Example:
        >>> callback = ls.training.SymmetryCallback("rotation2d", torch.rand(8, 1, 9, 9), rate=10.0)
        >>> callback.every, callback.rate
        (50, 10.0)
    """

    def __init__(
        self, symmetry: SymmetryLike | None = None, x: Whole = None, *, every: int = 50, rate: float = 1.0
    ) -> None:
        if Callback is object:
            raise ImportError("SymmetryCallback: Lightning is not installed; pip install learnsym[lightning]")
        if (symmetry is None) != (x is None):
            given, missing = ("x", "symmetry") if symmetry is None else ("symmetry", "x")
            raise ValueError(f"{missing}: got None beside {given}, must be given with it; an error needs both")
        for name, value in (("every", every), ("rate", rate)):
            if value <= 0:
                raise ValueError(f"{name}: got {value}, must be positive")
        self.symmetry, self.x, self.every, self.rate = symmetry, x, every, rate

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401  as Lightning calls them
        """Have optimisers split their groups when they are made."""
        if stage == "fit":
            pl_module.configure_optimizers = partial(_configured, pl_module, self.rate)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401
        """Leave the module as it was."""
        vars(pl_module).pop("configure_optimizers", None)

    def on_train_batch_end(
        self,
        trainer: Any,  # noqa: ANN401
        pl_module: Any,  # noqa: ANN401
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Log the degrees."""
        if trainer.global_step % self.every == 0 or trainer.is_last_batch:
            pl_module.log_dict({key_of(degree): degree.estimate for degree in degrees(pl_module)})

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401
        """Log the equivariance error."""
        if self.symmetry is not None:
            x = moved_to(self.x, pl_module.device)
            error = equivariance_error(pl_module, x, self.symmetry)
            values = {"equivariance_error": error.mean, "equivariance_error/standard_error": error.stderr}
            pl_module.log_dict(values, rank_zero_only=True)


def _configured(module: nn.Module, rate: float) -> Any:  # noqa: ANN401  what Lightning takes
    """What the class of the module configures, with symmetry parameters in groups of their own."""
    configured: Any = type(module).configure_optimizers(module)  # type: ignore[attr-defined]
    found, symmetry = [*_within(configured)], over_elements(module)
    for optimiser in (each for each in found if isinstance(each, torch.optim.Optimizer)):
        schedules = [each for each in found if getattr(each, "optimizer", None) is optimiser]
        for index, group in enumerate([*optimiser.param_groups]):
            _split(optimiser, schedules, index, group, symmetry, rate)
    return configured


def _within(configured: Any) -> Iterator[Any]:  # noqa: ANN401
    """The optimisers and schedules in whatever form Lightning takes them."""
    if isinstance(configured, Mapping):
        configured = [*configured.values()]
    if isinstance(configured, (list, tuple)):
        for each in configured:
            yield from _within(each)
    elif configured is not None:
        yield configured


def _split(
    optimiser: torch.optim.Optimizer, schedules: list[Any], index: int, group: dict, symmetry: set[int], rate: float
) -> None:
    """Move the symmetry parameters of one group into another, with its options but the rate and no weight decay."""
    moved = [parameter for parameter in group["params"] if id(parameter) in symmetry]
    if not moved or group.get("name") == "symmetry":
        return
    group["params"] = [parameter for parameter in group["params"] if id(parameter) not in symmetry]
    new = {**group, "params": moved, "name": "symmetry", "weight_decay": 0.0}
    optimiser.add_param_group({**new, **{key: rate * group[key] for key in RATES if key in group}})
    for schedule in schedules:
        for name, factor in (("base_lrs", rate), ("_last_lr", rate), ("lr_lambdas", None)):
            values = getattr(schedule, name, None)
            if isinstance(values, list):
                values.append(values[index] if factor is None else factor * values[index])
