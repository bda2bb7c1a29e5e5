"""Settings of the optimiser, the loop and a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from learnsym.augment.config import AugmentConfig, Twin
from learnsym.data.config import DataConfig
from learnsym.data.signature import SPACE
from learnsym.measure.config import AnalysisConfig
from learnsym.nets.config import POINT_NETS, STEERABLE, NetConfig
from learnsym.objectives.config import ObjectiveConfig
from learnsym.objectives.multitask import PenaltyConfig
from learnsym.relax.config import POINT_LAYERS, STEERABLE_LAYERS, RelaxConfig

UNIFORM_IN_SPACE = tuple(name for name, group in SPACE.items() if group().is_compact)
"""Symmetries of clouds of points whose elements can be drawn uniformly."""


def _at_least(name: str, value: float | int, least: int) -> None:
    if not value >= least:
        raise ValueError(f"{name}: got {value}, must be >= {least}; leave it out for the default")


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """How parameters are updated; symmetry parameters have a rate of their own and no weight decay."""

    name: Literal["adamw", "sgd"] = "adamw"
    """Update rule of all parameters."""
    lr: float = 1e-3
    """Learning rate of the network."""
    weight_decay: float = 1e-4
    """Decoupled weight decay of the network (L2 penalty with sgd)."""
    momentum: float = 0.9
    """Momentum of sgd; first-moment decay of adamw."""
    symmetry_lr: float = 3e-2
    """Learning rate of the parameters of distributions over group elements."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of both learning rates after the warm-up: down to 0 on a half cosine, or constant."""
    warmup: int = 0
    """Steps of linear warm-up."""
    clip: float | None = None
    """Largest norm of the gradient of all parameters together; None for no clipping."""

    def __post_init__(self) -> None:
        for name in ("lr", "weight_decay", "symmetry_lr", "warmup"):
            _at_least(f"optimiser.{name}", getattr(self, name), 0)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"optimiser.momentum: got {self.momentum}, must be in [0, 1); 0.9 is usual")
        if self.clip is not None and self.clip <= 0:
            raise ValueError(f"optimiser.clip: got {self.clip}, must be > 0; use null for no clipping")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, on what and with which safeguards the loop runs."""

    steps: int = 1000
    """Optimiser steps."""
    batch_size: int = 128
    """Examples per step, over all processes together."""
    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, or `auto`: a GPU when there is one."""
    bf16: bool = False
    """Forward pass under bfloat16 autocast."""
    compile: bool = False
    """Compile the model with torch.compile; inductor draws other random numbers than the plain model does."""
    compile_backend: str = "inductor"
    """Backend of torch.compile; `eager` only traces."""
    deterministic: bool = True
    """Deterministic kernels; an operation that has none on a GPU runs all the same, with a warning."""
    eval_every: int | None = None
    """Steps between evaluations on the validation split; None for ten in all."""
    checkpoint_every: int = 500
    """Steps between checkpoints; there is always one at the end."""
    tensorboard: bool = False
    """Also write TensorBoard events (needs the extra `tensorboard`)."""
    threads: int | None = None
    """CPU threads of torch; None to leave them as they are."""
    workers: int = 1
    """Members (twins x seeds) trained side by side, each in a process with one thread."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "checkpoint_every", "workers"):
            _at_least(f"train.{name}", getattr(self, name), 1)
        _at_least("train.steps", self.steps, 0)
        for name in ("eval_every", "threads"):
            if getattr(self, name) is not None:
                _at_least(f"train.{name}", getattr(self, name), 1)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that a run depends on."""

    data: DataConfig = field(default_factory=DataConfig)
    """Examples and planted symmetry."""
    net: NetConfig = field(default_factory=NetConfig)
    """Network."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """Distribution over transformations of the input."""
    relax: RelaxConfig = field(default_factory=RelaxConfig)
    """Relaxed layers of a steerable network, or relaxed inputs of one on clouds, instead of a distribution over
    transformations."""
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    """What is minimised."""
    penalty: PenaltyConfig = field(default_factory=PenaltyConfig)
    """Penalties on imperfect symmetry in the loss of the learned twin, instead of a distribution over
    transformations."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """Updates."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """Loop."""
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    """What `learnsym analyze` computes."""
    twins: list[Twin] = field(default_factory=list)
    """Twins to train, each with every seed: learned, plain, fixed, exact; empty for `augment.twin` alone."""
    seeds: list[int] = field(default_factory=lambda: [0])
    """Seeds of initial weights, batches and transformations."""

    def __post_init__(self) -> None:
        unknown = [twin for twin in self.twins if twin not in get_args(Twin)]
        if unknown:
            raise ValueError(f"twins: got {unknown[0]!r}, must be among {', '.join(get_args(Twin))}")
        self._check_place()
        if not self.seeds:
            raise ValueError("seeds: got [], must name at least one seed; [0] is the default")
        for name in ("twins", "seeds"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: got {getattr(self, name)}, must differ; name each once")

    @property
    def is_relaxed(self) -> bool:
        """Whether the degree of symmetry lives in the weights, not in the data."""
        return self.relax.layer != "none"

    @property
    def is_penalised(self) -> bool:
        """Whether the degree of symmetry lives in the loss."""
        return self.penalty.mode != "none"

    @property
    def is_of_points(self) -> bool:
        """Whether the network takes clouds of points."""
        return self.net.name in POINT_NETS

    def _check_place(self) -> None:
        self._check_layer()
        twins = self.twins or [self.augment.twin]
        if self.is_relaxed and self.is_penalised:
            raise ValueError("penalty.mode: got a penalty and relaxed layers; learn the degree in one place")
        if self.is_of_points:
            self._check_points(twins)
        elif self.is_relaxed and "fixed" in twins:
            raise ValueError("twins: got 'fixed' with relaxed layers, must be among learned, exact, plain")

    def _check_layer(self) -> None:
        """Relaxed layers and networks must be of one kind."""
        fitting = ("none", *POINT_LAYERS) if self.is_of_points else ("none",)
        fitting = STEERABLE_LAYERS if self.net.name == STEERABLE else fitting
        if self.relax.layer not in fitting:
            found = f"relax.layer: got {self.relax.layer!r} with net.name {self.net.name!r}"
            raise ValueError(f"{found}; {self._remedy(fitting)}")

    def _remedy(self, fitting: Sequence[str]) -> str:
        if "none" not in fitting:
            return "set relax.layer, such as probabilistic"
        if self.is_of_points:
            return f"set relax.layer to one of {', '.join(fitting)}"
        nets = POINT_NETS if self.relax.layer in POINT_LAYERS else (STEERABLE,)
        return f"set net.name to {' or '.join(nets)}"

    def _check_points(self, twins: Sequence[str]) -> None:
        if "learned" in twins and not (self.is_penalised or self.is_relaxed):
            raise ValueError(
                f"twins: got {', '.join(twins)} with net.name {self.net.name!r}; must be among plain, fixed and exact, "
                "or learned in the weights or the loss: set augment.twin, relax.layer or penalty.mode"
            )
        if "fixed" not in twins:
            return
        if self.augment.symmetry not in UNIFORM_IN_SPACE:
            raise ValueError(
                f"augment.symmetry: got {self.augment.symmetry!r} for the fixed twin of clouds of points, whose moves "
                f"are uniform; must be one of {', '.join(UNIFORM_IN_SPACE)}"
            )
        if self.augment.fixed:
            raise ValueError(
                f"augment.fixed: got {self.augment.fixed} for clouds of points, whose moves are uniform over "
                f"{self.augment.symmetry}; leave it out, or choose another augment.symmetry"
            )
