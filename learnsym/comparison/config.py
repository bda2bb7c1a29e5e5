"""What is compared: twins x training examples x model sizes x lengths of training x learning rates x seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from learnsym._settings import Count, Distinct, In, NotNegative, Positive, Seed, check_settings
from learnsym.files import check_name
from learnsym.nets.sources import source_of
from learnsym.training.config import RunConfig
from learnsym.training.config_file import CHOSEN, config_of, names_in

Match = Literal["parameters", "flops", "none"]


@dataclass(frozen=True, kw_only=True)
class ComparisonConfig:
    """Arms and axes of a comparison; an axis that is left out has the one value of the base.

    Example:
        >>> arms = {"plain": {"twin": "plain"}, "learned": {}}
        >>> config = ls.comparison.ComparisonConfig(arms=arms, train_sizes=[100, 300], seeds=[0, 1, 2])
        >>> len(ls.comparison.cells(config))
        12
    """

    base: dict[str, Any] = field(default_factory=dict)
    """What all cells share, as in a configuration of `learnsym train`; `from: FILE.yaml` begins with that file."""
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The twins by name: each holds what differs from the base, such as `{twin: plain}`."""
    train_sizes: Annotated[list[Count], Distinct()] = field(default_factory=list)
    """Numbers of training examples."""
    sizes: Annotated[list[Annotated[int, In("[1, 1000000]")]], Distinct()] = field(default_factory=list)
    """Model sizes: widths of the reference arm."""
    steps: Annotated[list[Count], Distinct()] = field(default_factory=list)
    """Lengths of training in optimiser steps."""
    epochs: Annotated[list[Annotated[float, In("(0, 1000000]")]], Distinct()] = field(default_factory=list)
    """Lengths of training in passes over the training examples, instead of `steps`."""
    lrs: Annotated[list[Positive], Distinct()] = field(default_factory=list)
    """Learning rates; reports use the one with the best mean validation loss of each arm and point of the grid."""
    seeds: Annotated[list[Seed], Distinct(1)] = field(default_factory=lambda: [0, 1, 2])
    """Seeds of weights, batches and, with `redraw`, of the choice of examples; the same for all arms."""
    redraw: bool = True
    """Whether each seed draws examples of its own, so that intervals are over data sets and not over weights alone."""
    match: Match = "parameters"
    """How the width of the other arms follows from the reference: as many parameters, as many FLOPs of a training
    example, or the same width (none)."""
    reference: str = ""
    """The arm whose width is the model size; empty for the first."""
    stack_below: NotNegative | None = None
    """Networks whose step has fewer counted FLOPs are trained as one stacked ensemble over seeds and learning rates,
    where this gives the same results; 0 for never, None for 2e7 on a CPU and 2e9 on a GPU."""

    def __post_init__(self) -> None:
        if self.seeds == []:
            raise ValueError("seeds: got [], which leaves zero cells; name at least one, three for intervals")
        check_settings(self)
        if not self.arms:
            raise ValueError(
                "arms: got none, must name at least one, such as plain: {twin: plain}; or name twins in the base"
            )
        if self.reference and self.reference not in self.arms:
            raise ValueError(f"reference: got {self.reference!r}, must be one of the arms {', '.join(self.arms)}")
        if self.steps and self.epochs:
            raise ValueError("epochs: got both steps and epochs; say how long training is in one of them")
        self._check_widths()

    @property
    def reference_arm(self) -> str:
        """The arm whose width is the model size."""
        return self.reference or next(iter(self.arms))

    @cached_property
    def arm_configs(self) -> dict[str, RunConfig]:
        """The configuration of each arm, before sizes, lengths and seeds.

        Raises:
            ValueError: for an unknown key or value, with the arm's name.
        """
        return {name: _arm_config(name, merged(self.base, differences)) for name, differences in self.arms.items()}

    def _check_widths(self) -> None:
        widths = {name: _width(name, differences) for name, differences in self.arms.items()}
        if self.match == "none":
            return
        for name, width in widths.items():
            if width is not None and name != self.reference_arm:
                raise ValueError(
                    f"arms.{name}.net.width: got {width} with match: {self.match}, which chooses the width; "
                    "leave it out, or say match: none"
                )
        if self.sizes and widths[self.reference_arm] is not None:
            raise ValueError(f"arms.{self.reference_arm}.net.width: contradicts sizes; leave one of them out")


def _arm_config(arm: str, values: dict[str, Any]) -> RunConfig:
    if not values.get("twin_steps", True):
        del values["twin_steps"]  # as the files of runs have it that were trained without
    for key in ("twins", "twin_steps", "seeds"):
        if key in values:
            raise ValueError(
                f"arms.{arm}.{key}: got {values[key]!r}; a comparison has arms, steps and seeds of its own"
            )
    try:
        return config_of(values)
    except ValueError as error:
        raise ValueError(f"arms.{arm}: {error}") from error


def _width(arm: str, differences: object) -> object:
    """The width that an arm asks for, None when it asks for none; its name and sections are checked."""
    check_name(arm, "arms")
    if not isinstance(differences, Mapping):
        raise ValueError(f"arms.{arm}: got {differences!r}, must hold keys and values, such as {{twin: plain}}")
    net = differences.get("net", {})
    if not isinstance(net, Mapping):
        raise ValueError(f"arms.{arm}.net: got {net!r}, must hold keys and values, such as {{depth: 2}}")
    return net.get("width")


def merged(base: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings, where the second goes before the first.

    Where the second names another method or chooser, or a network of somebody else, it stands alone: that one starts
    from its own defaults.

    Example:
        >>> from learnsym.comparison.config import merged
        >>> merged({"net": {"width": 8, "depth": 2}}, {"net": {"width": 4}})
        {'net': {'width': 4, 'depth': 2}}
        >>> merged({"method": {"name": "augerino", "init": 0.1}}, {"method": {"name": "residual"}})
        {'method': {'name': 'residual'}}
    """
    values = dict(base)
    for key, value in differences.items():
        if _stands_alone(key, value, values):
            values[key] = value
            continue
        nested = isinstance(value, Mapping) and isinstance(values.get(key), Mapping)
        values[key] = merged(values[key], value) if nested else value
    return values


def _stands_alone(key: str, section: object, before: Mapping[str, Any]) -> bool:
    """Whether a section names something whose settings are not those of what was named before."""
    name = _name(section)
    if key == "net":
        return isinstance(name, str) and name != _name(before.get(key)) and source_of(name) is not None
    return key in CHOSEN and name not in (None, names_in([], before)[key])


def _name(section: object) -> str | None:
    return section.get("name") if isinstance(section, Mapping) else None
