"""Who works on which trial: each trial is claimed by one worker, and by the next one when its worker has died.

A claim is a lock that ends with its process, so that a dead worker needs no heartbeat to be noticed, and a slow one is
not taken for dead. A trial that is taken over keeps its number, its values and its run folders.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from learnsym.training.checkpoint import weights_step
from learnsym.tuning.space import Value
from learnsym.tuning.study import TuningStudy, make_sampler, quiet
from learnsym.workers import DatabaseLocks, FolderLocks, storage_errors
from learnsym.workers.database_trials import new_trial

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

logger = logging.getLogger(__name__)

MOST_DEATHS = 10
"""Deaths of workers, without a checkpoint between them, after which a trial is given up."""
PREFIX = "trial"
"""Of the names of locks of trials."""
TAKEN, BUSY, OVER = "taken", "busy", "over"


class Claim:
    """A trial that this process works on.

    Args:
        study: that the trial belongs to.
        trial: to work on.
        waited: seconds until this process had the trial, before its values were drawn.
    """

    def __init__(self, study: TuningStudy, trial: optuna.Trial, waited: float = 0.0) -> None:
        self.study, self.trial, self.waited = study, trial, waited
        self.number = trial.number
        with quiet():
            self.values: dict[str, Value] = study.space.suggest(trial)

    def report(self, index: int, value: float) -> bool:
        """Note what the seed at `index` gave; returns whether the other seeds are not worth their training."""
        with quiet():
            if index not in self._frozen().intermediate_values:
                self.trial.report(value, index)
            return index + 1 < len(self.study.space.seeds) and self.trial.should_prune()

    def complete(self, values: Sequence[float]) -> None:
        """End the trial with its values."""
        self._end("COMPLETE", list(values))

    def prune(self) -> None:
        """End the trial as one that is worse than the best."""
        self._end("PRUNED", None)

    def fail(self, reason: str) -> None:
        """End the trial as one that gave no value."""
        self._end("FAIL", None, reason)

    def note(self, key: str, value: object) -> None:
        """Keep a fact about the trial."""
        self.trial.set_user_attr(key, value)

    def _frozen(self) -> FrozenTrial:
        return self.study.backend.get_trial(self.trial._trial_id)

    def _end(self, state: str, values: list[float] | None, reason: str | None = None) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        if not self.study.locks.holds(_name(self.number)):
            logger.warning("trial %d was taken over by another worker; what was found here is left out", self.number)
            return
        if reason is not None:
            self.note("failure", reason)
        # Optuna's own tell reads the trial three times; no sampler of ours looks at a trial that ends
        with suppress(UpdateFinishedTrialError):
            self.study.backend.set_trial_state_values(self.trial._trial_id, TrialState[state], values)


class Claims:
    """Hands out the trials of a study to this process, one at a time.

    Args:
        study: to work on.
        total: trials that it shall have, over all who work on it.
        folder: of the run folders.
    """

    def __init__(self, study: TuningStudy, total: int, folder: Path) -> None:
        self.study, self.total, self.folder = study, total, folder
        self._own = FolderLocks(folder, study.name)
        self._begun = False

    @contextmanager
    def next(self) -> Iterator[tuple[str, Claim | None]]:
        """`taken` and a claim, `busy` while others work on all that is left, or `over`."""
        import optuna

        began = time.perf_counter()
        with ExitStack() as stack:
            with storage_errors(self.study.storage), self._turn():
                state, trial_id = self._take(stack)
            waited = time.perf_counter() - began
            if trial_id is None:
                yield state, None
                return
            with self._paused_unless_ended(trial_id):
                # as `ask` does once a trial: what samplers look at, and the ids that the storage knows
                self.study.optuna._thread_local.cached_all_trials = self.study.trials()
                trial = optuna.trial.Trial(self.study.optuna, trial_id)
                self.study.optuna.sampler = make_sampler(self.study.space, trial.number)
                yield state, Claim(self.study, trial, waited)

    def _turn(self) -> AbstractContextManager[None]:
        """A journal has running trials before they are locked, which others must not take for left ones."""
        locks = self.study.locks
        return nullcontext() if isinstance(locks, DatabaseLocks) else locks.waiting("ask")

    def _take(self, stack: ExitStack) -> tuple[str, int | None]:
        """The id of a trial of which this process now has the lock.

        Trials that others have left or queued are looked for at the start and when there are no new ones: reading the
        study takes longer than adding to it.
        """
        first, self._begun = not self._begun, True
        trial_id = self._left(stack) if first else None
        trial_id = self._new(stack) if trial_id is None else trial_id
        trial_id = self._left(stack) if trial_id is None and not first else trial_id
        if trial_id is not None:
            return TAKEN, trial_id
        return (BUSY if self._unfinished() else OVER), None

    def _unfinished(self) -> bool:
        return any(not trial.state.is_finished() for trial in self.study.trials())

    def _new(self, stack: ExitStack) -> int | None:
        locks, backend = self.study.locks, self.study.backend
        if isinstance(locks, DatabaseLocks):
            return self._new_in_database(locks, stack)
        try:
            backend.get_trial_id_from_study_id_trial_number(self.study.id, self.total - 1)
        except KeyError:
            trial_id = backend.create_new_trial(self.study.id)
            return trial_id if self._hold(backend.get_trial(trial_id).number, stack) else None
        return None

    def _new_in_database(self, locks: DatabaseLocks, stack: ExitStack) -> int | None:
        own = ExitStack()
        made = own.enter_context(new_trial(locks, self.study.id, self.total, PREFIX))
        if made is None or not own.enter_context(self._own.held(str(made[1]))):
            own.close()
            return None
        stack.push(own.pop_all())
        return made[0]

    def _left(self, stack: ExitStack) -> int | None:
        """A trial whose worker has died or was stopped, or one that was put into the queue."""
        from optuna.trial import TrialState

        trials = self.study.trials()
        wanted = {TrialState.RUNNING: self._revived, TrialState.WAITING: self._begins}
        for state, take in wanted.items():
            for trial in [trial for trial in trials if trial.state == state]:
                own = ExitStack()
                if self._hold(trial.number, own) and take(trial._trial_id):
                    stack.push(own.pop_all())
                    return trial._trial_id
                own.close()
        return None

    def _begins(self, trial_id: int) -> bool:
        """Whether a trial has waited in the queue until now."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            return self.study.backend.set_trial_state_values(trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def _revived(self, trial_id: int) -> bool:
        """Whether a running trial that nobody works on is to go on; deaths are counted."""
        backend = self.study.backend
        trial = backend.get_trial(trial_id)
        if trial.state.is_finished():  # since the list was read
            return False
        died, reached = not trial.user_attrs.get("paused", False), steps_done(self.folder, trial.number)
        stuck = trial.user_attrs.get("stuck", 0) if reached <= trial.user_attrs.get("reached", 0) else 0
        facts = {"deaths": trial.user_attrs.get("deaths", 0) + died, "stuck": stuck + died, "reached": reached}
        for key, value in {**facts, "paused": False}.items():
            backend.set_trial_user_attr(trial_id, key, value)
        if facts["stuck"] < MOST_DEATHS:
            logger.info("trial %d is taken over", trial.number)
            return True
        self._give_up(trial, facts["stuck"])
        return False

    def _give_up(self, trial: FrozenTrial, deaths: int) -> None:
        from optuna.trial import TrialState

        reason = f"its worker died {deaths} times at the same step (killed, or out of memory)"
        logger.error("trial %d is given up: %s", trial.number, reason)
        self.study.backend.set_trial_user_attr(trial._trial_id, "failure", reason)
        self.study.backend.set_trial_state_values(trial._trial_id, TrialState.FAIL)

    def _hold(self, number: int, stack: ExitStack) -> bool:
        """The lock of a trial, and that of its folder, which matters when a worker was cut off from the storage."""
        both = ExitStack()
        if both.enter_context(self.study.locks.held(_name(number))) and both.enter_context(self._own.held(str(number))):
            stack.push(both.pop_all())
            return True
        both.close()
        return False

    @contextmanager
    def _paused_unless_ended(self, trial_id: int) -> Iterator[None]:
        """Say that a worker leaves a trial for the next one on purpose."""
        try:
            yield
        except BaseException:
            try:
                self.study.backend.set_trial_user_attr(trial_id, "paused", True)
            except Exception:  # has ended, or the storage is what failed
                logger.debug("trial %d is left as it is", trial_id)
            raise


def trial_folder(folder: Path, number: int) -> Path:
    """Where the run folders of a trial lie, one for each seed."""
    return folder / "trials" / str(number)


def steps_done(folder: Path, number: int) -> int:
    """Training steps of a trial that are kept, over its seeds."""
    return sum(weights_step(run) or 0 for run in trial_folder(folder, number).glob("*"))


def _name(number: int) -> str:
    return f"{PREFIX} {number}"
