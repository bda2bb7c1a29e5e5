"""Settings of the optimiser, the loop and a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from learnsym._settings import Count, Distinct, In, NotNegative, Positive, Processes, Seed, check_settings, shown
from learnsym.data.config import DataConfig
from learnsym.measure.config import AnalysisConfig
from learnsym.methods import Method, Twin, registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import Chooser, Selection, TrainingLoss
from learnsym.objectives.losses import LossConfig

Steps = Annotated[int, In("[0, 1000000000]")]


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """How parameters are updated; symmetry parameters have a rate of their own and no weight decay."""

    name: Literal["adamw", "sgd"] = "adamw"
    """Update rule of all parameters."""
    lr: NotNegative = 1e-3
    """Learning rate of the network."""
    weight_decay: NotNegative = 1e-4
    """Decoupled weight decay of the network (L2 penalty with sgd)."""
    momentum: Annotated[float, In("[0, 1)")] = 0.9
    """Momentum of sgd; first-moment decay of adamw."""
    symmetry_lr: NotNegative = 3e-2
    """Learning rate of the parameters of laws over group elements, of the input or in a layer."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of both learning rates after the warm-up: down to 0 on a half cosine, or constant."""
    warmup: Steps = 0
    """Steps of linear warm-up."""
    clip: Positive | None = None
    """Largest norm of the gradient of all parameters together; None for no clipping."""

    def __post_init__(self) -> None:
        check_settings(self, "optimiser.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, on what and with which safeguards the loop runs."""

    steps: Steps = 1000
    """Optimiser steps."""
    batch_size: Count = 128
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
    eval_every: Count | None = None
    """Steps between evaluations on the validation split; None for ten in all."""
    checkpoint_every: Count = 500
    """Steps between checkpoints; there is always one at the end."""
    tensorboard: bool = False
    """Also write TensorBoard events (needs the extra `tensorboard`)."""
    threads: Processes | None = None
    """CPU threads of torch; None to leave them as they are."""
    sharded: bool = False
    """Under `torchrun`: divide weights, gradients and moments of the network among the processes (FSDP2)."""
    workers: Processes = 1
    """Members (twins x seeds) trained side by side, each in a process with one thread."""

    def __post_init__(self) -> None:
        check_settings(self, "train.")
        _check_backend(self.compile_backend)


def _check_backend(name: str) -> None:
    if name in ("inductor", "eager"):  # others are looked for in a part of torch that takes seconds to import
        return
    from torch._dynamo import list_backends

    if name not in (known := list_backends(exclude_tags=())):
        raise ValueError(f"train.compile_backend: got {shown(name)}, must be one of {', '.join(known)}")


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
    chooser: Chooser = None  # type: ignore[assignment]  # that of the method, which is not known here
    """Who chooses the degree of the learned twin; None for the usual chooser of the method."""
    twin: Twin = "learned"
    """Learned, plain, fixed or exact symmetry, as the method has them."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """Updates."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """Loop."""
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    """What `learnsym analyze` computes."""
    twins: Annotated[list[Twin], Distinct()] = field(default_factory=list)
    """Twins to train, each with every seed; empty for `twin` alone."""
    twin_steps: dict[str, Count] = field(default_factory=dict)
    """Steps by twin, such as `plain: 960`, so that all cost the same; those that are left out have `train.steps`."""
    seeds: Annotated[list[Seed], Distinct(1)] = field(default_factory=lambda: [0])
    """Seeds of initial weights, batches and transformations."""

    def __post_init__(self) -> None:
        if self.chooser is None and isinstance(self.method, Method):  # what is no method is refused below
            object.__setattr__(self, "chooser", self.method.usual_chooser())
        check_settings(self)
        trained = self.twins or [self.twin]
        self.method.check(self.net, self.loss, trained, self.chooser)
        _check_potential(self.data, self.net, self.loss, self.train)
        _check_negatives(self.loss, self.train)
        for twin in self.twin_steps:
            if twin not in trained:
                raise ValueError(
                    f"twin_steps: got {shown(twin)}, must be one of the twins that are trained, {', '.join(trained)}; "
                    "leave it out, or add it to twins"
                )
        if self.train.compile and not self.method.compiles:
            raise ValueError(
                f"train.compile: got true with the method {self.method.name}, whose training calls the encoder by "
                "itself; leave it out"
            )
        _check_sharded(self.train, self.method, self.chooser)
        if self.train.compile and isinstance(self.chooser, Selection):
            raise ValueError(
                "train.compile: got true with the chooser selection, whose networks are called by themselves; leave it "
                "out"
            )


def _check_sharded(train: TrainConfig, method: Method, chooser: Chooser) -> None:
    """Shards need a network that is called as a whole, and gradients that nobody else takes."""
    if not train.sharded:
        return
    remedy = "leave out train.sharded"
    if method.place != "data" or not method.compiles:
        raise ValueError(
            f"train.sharded: got true with the method {method.name}, whose training looks into the network; {remedy}"
        )
    if not isinstance(chooser, TrainingLoss):
        raise ValueError(
            f"train.sharded: got true with the chooser {chooser.name}, which takes gradients of its own; {remedy}, or "
            "take the chooser training"
        )
    if train.compile:
        raise ValueError(f"train.sharded: got true with train.compile, which knows nothing of shards; {remedy}")


def _check_negatives(loss: LossConfig, train: TrainConfig) -> None:
    """Negatives are other examples of the batch."""
    if loss.name == "contrastive" and train.batch_size < 2:
        raise ValueError(
            f"train.batch_size: got {train.batch_size} with the loss contrastive, whose negatives are the others of "
            "the batch; take at least 2"
        )


def _check_potential(data: DataConfig, net: NetConfig, loss: LossConfig, train: TrainConfig) -> None:
    """Energies, the loss of them, and where forces come from go together."""
    if data.energies != (loss.name == "potential"):
        remedy = "take loss.name potential" if data.energies else "take data.energies true, and molecules as data"
        raise ValueError(f"loss.name: got {loss.name!r} with data.energies {str(data.energies).lower()}; {remedy}")
    if net.forces is not None and loss.name != "potential":
        raise ValueError(
            f"net.forces: got {net.forces!r} with the loss {loss.name}, which is of no energies; leave it out, or take "
            "data.energies true and loss.name potential"
        )
    if net.forces == "conservative" and train.compile:
        raise ValueError(
            "train.compile: got true with net.forces conservative, whose training takes second derivatives, which "
            "compiled models do not have; leave it out, or take direct"
        )
