"""Failed trials once more."""

from __future__ import annotations

from learnsym.tuning.study import TuningStudy, quiet
from learnsym.workers import storage_errors

RETRIES = "retries"
"""The attribute of a trial that has the values of a failed one: the number of that one."""


def retry_failed(study: TuningStudy) -> int:
    """Queue a new trial with the values of each failed one that was not queued before.

    Args:
        study: whose trials are looked at; whoever works on it trains what is in the queue.

    Returns:
        How many there were.
    """
    with study.locks.waiting("ask"), storage_errors(study.storage), quiet():
        trials = study.trials()
        known = {trial.user_attrs.get(RETRIES) for trial in trials}
        failed = [trial for trial in trials if trial.state.name == "FAIL" and trial.number not in known]
        for trial in failed:
            study.optuna.enqueue_trial(trial.params, user_attrs={RETRIES: trial.number})
    return len(failed)
