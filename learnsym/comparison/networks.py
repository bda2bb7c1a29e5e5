"""The networks of a comparison: widths by the matching rule, parameters and FLOPs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import torch
from torch import nn

from learnsym.augment import Hypotheses
from learnsym.comparison.config import ComparisonConfig
from learnsym.comparison.grid import model_sizes, training_examples
from learnsym.data import Splits
from learnsym.data.splits import load_each
from learnsym.nets import parameter_count
from learnsym.nets.cost import Flops, flops
from learnsym.nets.matching import nearest_width
from learnsym.objectives import SuccessiveHalving
from learnsym.parts import device_of
from learnsym.training import RunConfig, build_model
from learnsym.training.build import build_objective

SAME = 1.05
"""Networks whose sizes are within this factor match."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network of one arm at one model size."""

    arm: str
    size: int
    width: int
    parameters: int
    """Trainable numbers."""
    flops_counted: float
    """FLOPs of training, forward and backward, for one example, as torch counts them; of all networks that compete."""
    flops_nominal: float
    """The same by the rule of scaling studies, see `nets.cost`."""
    flops_inference: float
    """Counted FLOPs of one evaluated example."""


def networks(config: ComparisonConfig) -> list[Network]:
    """The network of each arm at each size, with the width that the matching rule gives it.

    Raises:
        ValueError: when data cannot be loaded, or networks do not fit them or cannot be matched.
    """
    arms = config.arm_configs
    # the largest training set that is asked for: what cannot be had is found out now
    data = load_each([replace(c.data, train=max(config.train_sizes or [training_examples(c)])) for c in arms.values()])
    makers = {name: _Maker(name, arm, splits) for (name, arm), splits in zip(arms.items(), data, strict=True)}
    built = []
    for size in model_sizes(config):
        target = makers[config.reference_arm].network(size, size)
        for name, maker in makers.items():
            is_target = name == config.reference_arm
            built.append(target if is_target else maker.network(size, _width(config, maker, target)))
    return built


def _width(config: ComparisonConfig, maker: _Maker, target: Network) -> int:
    """The width that makes an arm's network as large as the reference."""
    source = maker.config.net.source
    if source is not None and not source.takes_width():
        return _only_width(config, maker, target)
    try:
        if config.match == "parameters":
            return nearest_width(maker.parameters, target.parameters)
        if config.match == "flops":
            return nearest_width(maker.flops, int(target.flops_counted))
    except ValueError as error:
        raise ValueError(f"arms.{maker.arm}: no width matches size {target.size} of {target.arm} ({error})") from error
    return target.size if config.sizes else maker.config.net.width


def _parameters(model: nn.Module) -> int:
    """Trainable numbers of a model, of the chosen network alone where several compete."""
    return parameter_count(model.single if isinstance(model, Hypotheses) else model)


def _only_width(config: ComparisonConfig, maker: _Maker, target: Network) -> int:
    """The width of a network that has no other, which may match as it is: twins of one network often do."""
    width = maker.config.net.width
    own = maker.network(target.size, width)
    sizes = {"parameters": (own.parameters, target.parameters), "flops": (own.flops_counted, target.flops_counted)}
    has, wanted = sizes.get(config.match, (1, 1))
    if not wanted / SAME <= has <= wanted * SAME:
        raise ValueError(
            f"match: got {config.match}, but the network of arms.{maker.arm} has {has:,.0f} {config.match} where "
            f"{target.arm} has {wanted:,.0f}, and {maker.config.net.name} takes no argument width; say match: none"
        )
    return width


@dataclass(frozen=True)
class _Maker:
    """The networks of one arm."""

    arm: str
    config: RunConfig
    splits: Splits

    def model(self, width: int) -> nn.Module:
        config = replace(self.config, net=replace(self.config.net, width=width))
        return build_model(config, self.splits.train.signature)

    def cost(self, model: nn.Module) -> Flops:
        """FLOPs with what the objective adds, such as a second pass; of one network where several compete."""
        train = self.splits.train
        some = train.subset(torch.arange(min(self.config.train.batch_size, len(train))))
        objective = build_objective(self.config, model, self.splits)
        if isinstance(objective, SuccessiveHalving) and isinstance(model, Hypotheses):
            model, objective = model.single, objective.objective
        return flops(
            model,
            some.inputs,
            batch_size=self.config.train.batch_size,
            loss=lambda model, x: objective(model, (x, some.y.to(device_of(x)))).total,
        )

    def trainings(self, model: nn.Module) -> float:
        """How many trainings of one network the training of the model stands for, see `choosers.Selection`."""
        objective = build_objective(self.config, model, self.splits)
        if isinstance(objective, SuccessiveHalving) and isinstance(model, Hypotheses):
            return objective.trainings(len(model.names), self.config.train.batch_size, model.test_copies)
        return 1.0

    @cached_property
    def parameters(self) -> Callable[[int], int]:
        """Trainable numbers by width, counted once for each: the sizes of a comparison ask for many widths again."""
        return cache(lambda width: _parameters(self.model(width)))

    @cached_property
    def flops(self) -> Callable[[int], int]:
        """Counted FLOPs of training on one example by width, counted once for each."""

        def count(width: int) -> int:
            model = self.model(width)
            return int(self.trainings(model) * self.cost(model).training)

        return cache(count)

    def network(self, size: int, width: int) -> Network:
        model = self.model(width)
        cost, trainings = self.cost(model), self.trainings(model)
        return Network(
            arm=self.arm,
            size=size,
            width=width,
            parameters=_parameters(model),
            flops_counted=trainings * cost.training,
            flops_nominal=trainings * cost.nominal,
            flops_inference=cost.inference,
        )
