"""The training loop: any module, any loader, one objective.

The state of a fit is a function of (configuration, step): random numbers are seeded anew for each step and batches are
looked up by step, so that a fit that is stopped and resumed ends with the same weights. Where a loader of your own does
not give the same batches again, a warning says so.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from learnsym._freed_memory import freed_memory_is_kept
from learnsym._processes import mean_over_processes
from learnsym.data import Batches
from learnsym.degrees import Degree
from learnsym.distributions.noise import part_of_batch
from learnsym.learners import degrees
from learnsym.objectives import Objective
from learnsym.training import checkpoint, distributed
from learnsym.training.config import OptimiserConfig, TrainConfig
from learnsym.training.folder import RunFolder
from learnsym.training.global_batch_norm import global_batch_norm
from learnsym.training.history import History, key_of
from learnsym.training.loading import batches, digest, doubt
from learnsym.training.non_finite import REMEDY, NonFiniteLoss, State, keep_batch, size
from learnsym.training.optimiser import make_optimiser, set_rates
from learnsym.training.randomness import own_randomness, seed_step, settings
from learnsym.training.signals import Interrupted, StopRequest, stop_request
from learnsym.training.step import Step, compiled, moved
from learnsym.training.tensorboard import event_writer

if TYPE_CHECKING:
    from learnsym.training.sharding import Sharded  # which imports FSDP

logger = logging.getLogger(__name__)

Validate = Callable[[nn.Module], dict[str, float]]
OnRecord = Callable[[dict[str, Any]], object]

SYNC_EVERY = {"cpu": 1, "cuda": 16}
"""Steps between looks at the loss: reading a number makes the host wait for a GPU."""
DEGREES = 100
"""Steps of a fit at which degrees are recorded, beside the first and the last: those of some layers cost many steps."""


def fit(
    model: nn.Module,
    objective: Objective,
    loader: Batches | Iterable[Any],
    *,
    steps: int | None = None,
    optimiser: OptimiserConfig = OptimiserConfig(),  # noqa: B008  frozen
    train: TrainConfig = TrainConfig(),  # noqa: B008  frozen
    seed: int = 0,
    run: RunFolder | None = None,
    validate: Validate | None = None,
    on_record: OnRecord | None = None,
) -> History:
    """Minimise an objective over the parameters of a model, in place.

    The parameters of learnable distributions form an optimiser group of their own. With a `run`, records and
    checkpoints go to its folder, training continues from its last checkpoint, and SIGTERM and SIGINT stop it after one.
    Under `torchrun` gradients are averaged over processes, each of which is given its part of every batch.

    Args:
        model: any module, on the device where it is to be trained.
        objective: `(model, batch) -> Loss`.
        loader: `data.Batches`, or any iterable of batches, begun anew when it ends. What it draws from torch's own
            generator is a function of `seed` and the step: a shuffled `DataLoader` is the same in a resumed fit.
        steps: optimiser steps in total; None for `train.steps`.
        optimiser: learning rates, schedule, clipping.
        train: precision, compilation, determinism, checkpoints. Its device and batch size are not looked at here.
        seed: of random transformations and dropout.
        run: folder for metrics and checkpoints; `Run.new(path)` for a module of your own.
        validate: called with the model every `train.eval_every` steps and at the end; what it returns is recorded.
        on_record: called with a copy of each record, in the order of steps and in the first process alone: a dictionary
            with `step`, `split`, `loss`, its parts, `lr` and degrees, which a tracker can take as it is. A resumed fit
            does not repeat the records before its checkpoint.

    Returns:
        The records of the steps made by this call.

    Raises:
        ValueError: steps or seed are none, `on_record` cannot be called, the loader gives no batch, the objective no
            `Loss`, or a checkpoint cannot hold the state of the model.
        NonFiniteLoss: the loss of a step, or the weights after it, are NaN or infinite.
        Interrupted: a signal asked to stop; the run can be resumed.

    Example:
        >>> x, y = torch.randn(64, 3), torch.randint(2, (64,))
        >>> objective = ls.objectives.Supervised(torch.nn.functional.cross_entropy)
        >>> history = ls.training.fit(nn.Linear(3, 2), objective, [(x, y)], steps=5)
        >>> len(history.losses)
        5
    """
    steps = train.steps if steps is None else steps
    _check(steps, seed)
    if train.sharded:
        distributed.check_sharded()
    if on_record is not None and not callable(on_record):
        raise ValueError(f"on_record: got a {type(on_record).__name__}, must be a function of a record; give its .log")
    loop = _Loop(model, objective, optimiser, train, steps, seed, run, validate)
    loop.on_record = on_record
    with ExitStack() as stack:
        stack.enter_context(settings(train))
        if loop.device.type == "cpu":
            stack.enter_context(freed_memory_is_kept())
        stack.enter_context(own_randomness(loop.device))
        stack.enter_context(part_of_batch(distributed.rank(), distributed.world()))
        stack.enter_context(global_batch_norm(model))
        stack.enter_context(compiled(model, train))
        if run is not None:
            checkpoint.check(model.state_dict())
            loop.stop = stack.enter_context(stop_request())
            state = distributed.from_first(lambda: stack.enter_context(run.writing()))
            told = {"steps": steps, "seed": seed, "optimiser": asdict(optimiser)}
            distributed.from_first(lambda: run.begin(model, objective, told))
            if distributed.rank() == 0:
                writer = event_writer(run.path, train.tensorboard, state["step"] if state else 0)
                loop.events = stack.enter_context(writer)
            loop.restore(state)
        loop.distribute()
        loop.go(loader)
    return loop.history


class _Loop:
    """What `fit` keeps between steps."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        config: OptimiserConfig,
        train: TrainConfig,
        steps: int,
        seed: int,
        run: RunFolder | None,
        validate: Validate | None,
    ) -> None:
        self.model, self.config, self.train = model, config, train
        self.steps, self.seed, self.run, self.validate = steps, seed, run, validate
        self.module = Step(model, objective)
        self.optimiser = make_optimiser(self.module, config)
        self.parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.device = self.parameters[0].device
        self.module.to(self.device)  # what an objective keeps
        self.forward: nn.Module = self.module
        self.eval_every = train.eval_every or max(1, steps // 10)
        self.step = self.checked = self.saved = 0
        self.finite = State(model)
        self.watched: list[Tensor] = [p for p in self.parameters if p.isfinite().all()]
        self.pending: list[dict[str, Any]] = []
        self.history = History()
        self.sharded: Sharded | None = None
        self.stop = StopRequest()
        self.events: OnRecord | None = None
        self.on_record: OnRecord | None = None
        self.loader: Any = None
        self.batch: Any = None
        self.seen: str | None = None

    def restore(self, state: dict[str, Any] | None) -> None:
        """Continue after a checkpoint, if there is one."""
        if state is None or self.run is None:
            return
        checkpoint.restore(self.run.path, state, self.model, self.optimiser, self.module.objective)
        self.step = self.saved = state["step"]
        self.seen = state.get("batch")
        logger.info("resuming at step %d of %d", self.step, self.steps)

    def distribute(self) -> None:
        """Let the processes of `torchrun` average their gradients, or divide the network among them."""
        if self.train.sharded:
            self._shard()
        elif distributed.world() > 1:
            self.forward = DistributedDataParallel(self.module)

    def _shard(self) -> None:
        from learnsym.training.sharding import Sharded, local

        self.sharded, moments = Sharded(self.model), self.optimiser.state_dict()
        with self.sharded.at_work():
            self.optimiser = make_optimiser(self.module, self.config)
        self.sharded.give_moments(moments, self.optimiser)
        self.parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.watched = [p for p in map(local, self.parameters) if p.isfinite().all()]

    def go(self, loader: Batches | Iterable[Any]) -> None:
        """All steps that are left, with evaluations and checkpoints between them."""
        self.loader = loader
        coming = self._batches(loader)
        with tqdm(total=self.steps, initial=self.step, disable=None if _is_main() else True, leave=False) as bar:
            while self.step < self.steps:
                self._update(coming)
                bar.update()
                self._after_step(bar)
        self._gather()
        if self.saved < self.steps or not self.steps:
            self._checkpoint()
        self.forward = self.module  # lets go of the process group

    def _batches(self, loader: Batches | Iterable[Any]) -> Iterator[Any]:
        """The batches of the steps to come; that they may not be those of an undisturbed fit is said."""
        reason = "" if self.run is None else doubt(loader)
        if reason and distributed.rank() == 0:
            logger.warning("loader: a fit resumed from its run may not be the same bit for bit, since %s", reason)
        if self.seen is None or self.step == self.steps:
            return batches(loader, self.step, self._seed)
        coming = batches(loader, self.step - 1, self._seed)
        self._seed(self.step - 1)
        if digest(next(coming)) != self.seen and distributed.rank() == 0:
            logger.warning("loader: batch %d is not the one that was trained on; the resumed fit is another", self.step)
        return coming

    def _seed(self, step: int) -> None:
        seed_step(self.seed, step, self.device)

    def _update(self, coming: Iterator[Any]) -> None:
        """One step of the optimiser."""
        self._seed(self.step)
        self.batch = next(coming)
        batch = moved(self.batch, self.device)
        self.module.train()
        set_rates(self.optimiser, self.config, self.step, self.steps)
        self.optimiser.zero_grad(set_to_none=True)
        working = nullcontext() if self.sharded is None else self.sharded.at_work()
        with working, torch.autocast(self.device.type, torch.bfloat16, enabled=self.train.bf16):
            total, parts = self.forward(batch)
        total.backward()
        if self.sharded is not None:
            self.sharded.settle([p.grad for p in self.parameters if p.grad is not None], self.config.clip)
        elif self.config.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.optimiser.step()
        self.step += 1
        rate = self.optimiser.param_groups[0]["lr"]
        sizes = {"loss": total.detach(), "parts": parts, "weights": size(self.watched)}
        self.pending.append({"step": self.step, **sizes, "lr": rate, "batch": self.batch})

    def _after_step(self, bar: tqdm) -> None:
        ends = self.step == self.steps
        evaluates = self.validate is not None and (ends or self.step % self.eval_every == 0)
        saves = ends or self.step % self.train.checkpoint_every == 0
        if not (evaluates or saves or self.step % SYNC_EVERY.get(self.device.type, 1) == 0):
            return
        number = self._flush()
        bar.set_postfix(loss=f"{self.history.records[-1]['loss']:.4g}", refresh=False)
        if evaluates:
            self._evaluate()
        if saves or number:
            self._checkpoint()
        if number and not ends:
            where = f"; the same command continues {self.run.path}" if self.run else ""
            raise Interrupted(number, f"stopped by signal {number} after step {self.step} of {self.steps}{where}")

    def _flush(self) -> int:
        """Record the steps since the last look at the loss; returns the signal that asked to stop, or 0."""
        names = sorted(self.pending[0]["parts"])
        rows = [_row(p, names) for p in self.pending]
        stop = self.stop.number
        table = torch.stack(rows).double()
        asked = torch.full_like(table[:, :1], float(stop))
        values = mean_over_processes(torch.cat([table, asked], 1)).tolist()
        pending, self.pending = self.pending, []
        for entry, row in zip(pending, values, strict=True):
            values_of_step = dict(zip(["loss", *names], row[1:-1], strict=True))
            self._check_finite(entry, values_of_step, row[0])
            self._record({"step": entry["step"], "split": "train", **values_of_step, "lr": entry["lr"]})
        return _signal(stop, values[-1][-1])

    def _record(self, record: dict[str, Any]) -> None:
        if record["split"] == "train" and record["step"] == self.step and self._records_degrees():
            record |= {key_of(degree): degree.estimate for degree in self._degrees()}
        self.history.records.append(record)
        if self.run is not None and distributed.rank() == 0:
            self.run.log(record)
            if self.events is not None:
                self.events(record)
        if self.on_record is not None and distributed.rank() == 0:
            self.on_record(dict(record))

    def _records_degrees(self) -> bool:
        every = max(1, self.steps // DEGREES)
        return self.step in (1, self.steps) or self.step % every < SYNC_EVERY.get(self.device.type, 1)

    def _degrees(self) -> list[Degree]:
        """What the model and, where it weighs symmetries, the objective have learned."""
        objective = self.module.objective
        weighed = degrees(objective, root="loss") if isinstance(objective, nn.Module) else []
        return degrees(self.model) + weighed

    def _check_finite(self, entry: dict[str, Any], values: dict[str, float], weights: float) -> None:
        """Look at the loss of a step, with its parts, and at the weights that the step has left."""
        step = entry["step"]
        if not all(map(math.isfinite, values.values())):
            raise self._fault(f"the loss of step {step} is not finite", entry, values)
        if not math.isfinite(weights) and not self._are_finite():
            raise self._fault(f"the weights after step {step} are not finite", entry, {**values, "weights": weights})

    def _are_finite(self) -> bool:
        """Whether the weights are, in all processes: each has its own part where the network is divided."""
        own = all(p.isfinite().all() for p in self.watched)
        return float(mean_over_processes(torch.tensor(float(own), device=self.device))) == 1.0

    def _fault(self, what: str, entry: dict[str, Any], values: dict[str, float]) -> NonFiniteLoss:
        """The error that names a step, whose batch is kept where there is a run."""
        step, where = entry["step"], ""
        if self.run is not None:
            indices = self.loader.global_indices(step - 1).tolist() if isinstance(self.loader, Batches) else None
            content = {"step": step, "values": {name: str(value) for name, value in values.items()}, "indices": indices}
            where = keep_batch(self.run.path, content, entry["batch"], distributed.rank(), distributed.world())
            where += self._last_checkpoint()
        named = ", ".join(f"{name} {value:.6g}" for name, value in values.items())
        return NonFiniteLoss(f"{what} ({named}){where}; {REMEDY}", step)

    def _last_checkpoint(self) -> str:
        return f"; the checkpoint of step {self.saved} is kept" if self.saved else "; there is no checkpoint yet"

    def _gather(self) -> None:
        """Bring the model up to date where its network is divided; all processes do it together."""
        if self.sharded is not None:
            self.sharded.gather()

    def _evaluate(self) -> None:
        """Record what `validate` says; the first process does it for all."""
        assert self.validate is not None
        self._gather()
        if distributed.rank() == 0:
            validated = self.validate(self.model)
            self._record({"step": self.step, "split": "val", **validated})
            shown = ", ".join(f"{name} {value:.4g}" for name, value in validated.items())
            logger.info("step %d of %d: %s", self.step, self.steps, shown)

    def _checkpoint(self) -> None:
        if self.run is None:
            return
        self._gather()
        moments = self.optimiser.state_dict() if self.sharded is None else self.sharded.gathered(self.optimiser)
        bad = self.finite.faults()
        if bad:
            where = self._last_checkpoint()
            raise NonFiniteLoss(f"{bad[0]} is not finite after step {self.step}{where}; {REMEDY}", self.step)
        if distributed.rank() == 0:
            if self._ends_run():
                self.run.end(self.model, self.module.objective)
            self.run.save(self._state(moments))
        self.saved = self.step

    def _ends_run(self) -> bool:
        """Whether this is the last step, and nothing else is to be done in the run."""
        return self.run is not None and self.run.ends_with_fit and self.step == self.steps

    def _state(self, moments: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": self.step,
            "weights": self.model.state_dict(),
            "optimiser": moments,
            "objective": _save(self.module.objective),
            "batch": None if isinstance(self.loader, Batches) else digest(self.batch),
            "finished": self._ends_run(),
        }


def _check(steps: int, seed: int) -> None:
    for name, value, least in (("steps", steps, "0; 0 leaves the model as it is"), ("seed", seed, "0")):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{name}: got {value!r}, must be a whole number >= {least}")


def _row(entry: dict[str, Any], names: list[str]) -> Tensor:
    """Size of the weights, loss and parts of a step."""
    parts = [entry["parts"][name] for name in names]
    return torch.stack([value.float() for value in (entry["weights"], entry["loss"], *parts)])


def _signal(own: int, mean: float) -> int:
    """The signal that this or another process was sent: all stop after the same step."""
    return own or (15 if mean else 0)


def _save(objective: object) -> dict[str, Any]:
    return objective.state_dict() if isinstance(objective, nn.Module) else {}


def _is_main() -> bool:
    return distributed.rank() == 0 and multiprocessing.parent_process() is None
