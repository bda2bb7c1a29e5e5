"""Settings of the optimiser, the loop and a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from learnsym.data.config import DataConfig
from learnsym.measure.config import AnalysisConfig
from learnsym.methods import Method, Twin, registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import Chooser, TrainingLoss
from learnsym.objectives.losses import LossConfig


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
    """Learning rate of the parameters of laws over group elements, of the input or in a layer."""
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
    loss: LossConfig = field(default_factory=LossConfig)
    """Loss on the targets."""
    method: Method = field(default_factory=registry["augerino"])
    """Where the degree of symmetry lives, and what holds it there."""
    chooser: Chooser = field(default_factory=TrainingLoss)
    """Who chooses the degree of the learned twin."""
    twin: Twin = "learned"
    """Learned, plain, fixed or exact symmetry, as the method has them."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """Updates."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """Loop."""
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    """What `learnsym analyze` computes."""
    twins: list[Twin] = field(default_factory=list)
    """Twins to train, each with every seed; empty for `twin` alone."""
    seeds: list[int] = field(default_factory=lambda: [0])
    """Seeds of initial weights, batches and transformations."""

    def __post_init__(self) -> None:
        if not self.seeds:
            raise ValueError("seeds: got [], must name at least one seed; [0] is the default")
        for name in ("twins", "seeds"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: got {getattr(self, name)}, must differ; name each once")
        self.method.check(self.net, self.loss, self.twins or [self.twin], self.chooser)
