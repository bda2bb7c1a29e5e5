"""Runs that are not trained to their end: what is said about them, and who may use them."""

from __future__ import annotations

from collections.abc import Sequence

from learnsym.training.checkpoint import weights_step
from learnsym.training.run import Run


def check_finished(runs: Sequence[Run], unfinished: bool = False) -> list[str]:
    """Refuse runs that are not trained to their end.

    Args:
        runs: that are about to be measured or exported.
        unfinished: whether they may be used as they are.

    Returns:
        One sentence for each that is used all the same.

    Raises:
        ValueError: naming the first one, how far it is, and how to continue it.
    """
    lacking = [(run, text) for run in runs if (text := missing_of(run))]
    if lacking and not unfinished:
        run, text = lacking[0]
        others = f", and {len(lacking) - 1} more of {len(runs)} runs are unfinished" if lacking[1:] else ""
        continued = f"learnsym train {run.path / 'config.yaml'} --out {run.path}"
        raise ValueError(
            f"run: {run.path} {text}{others}; continue with {continued}, or give --unfinished "
            "(in Python unfinished=True) to take it as it is"
        )
    return [f"Unfinished: {run.path.name} {text}." for run, text in lacking]


def missing_of(run: Run) -> str:
    """How far a run is that is not trained to its end; empty for one that is."""
    state, steps = run.state(), run.config.train.steps
    if state is None:
        return _by_files(run, steps)
    return "" if state["finished"] else _progress(state["step"], steps)


def _by_files(run: Run, steps: int) -> str:
    """What the weights and the records say, of a run without its checkpoint."""
    if any(record["split"] == "test" for record in run.metrics()):
        return ""
    return _progress(weights_step(run.path), steps)


def _progress(step: int | None, steps: int) -> str:
    if step is None:
        return f"does not say how many of its {steps} steps it has done"
    return f"has done {step} of {steps} steps" + (", and has no test scores yet" if step >= steps else "")
