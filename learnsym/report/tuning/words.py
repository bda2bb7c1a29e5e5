"""What a search has found, in words."""

from __future__ import annotations

import numpy as np

from learnsym.report.tuning.search import Search, Trial
from learnsym.report.words import Verdict, bracketed, number, prefixed
from learnsym.statistics import over_seeds
from learnsym.tuning import Choices, Range

CAUTION = "It was chosen by the score shown, which therefore flatters it: a run with other seeds says how good it is."


def verdict(search: Search) -> Verdict:
    """The best trial, or why there is none."""
    ended = sum(trial.state in ("complete", "pruned", "fail") for trial in search.trials)
    if search.best is None:
        reason = "all failed" if search.of("fail") else "none has ended"
        return Verdict(headline=f"No trial has given a value: of {ended or len(search.trials)}, {reason}", detail="")
    best = search.best
    scores = ", ".join(
        f"{objective.replace('_', ' ')} {score(search, best, place)}"
        for place, objective in enumerate(search.space.objectives)
    )
    several = len(search.space.objectives) > 1
    among = f"one of {len(search.front)} that no other beats in all objectives, of" if several else "the best of"
    return Verdict(
        headline=f"Trial {best.number} is {among} {ended}: {scores}",
        detail=" ".join([f"{settings(best)}.", *_noise(search, best), CAUTION]),
    )


def score(search: Search, trial: Trial, place: int) -> str:
    """An objective of a trial; the first one with its interval where there are several seeds."""
    if search.space.objectives[place] == "cost":
        return "{} {}FLOP".format(*prefixed(trial.values[place]))
    value = number(trial.values[place], 4)
    seeds = list(trial.by_seed.values())
    if place or len(seeds) < 2:
        return value
    low, high = over_seeds(np.array(seeds)).ends
    return bracketed(value, number(low), number(high))


def settings(trial: Trial) -> str:
    """The keys of a trial: `optimiser.lr 0.0031, net.norm group`."""
    return ", ".join(f"{key} {shown(value)}" for key, value in trial.parameters.items())


def shown(value: object) -> str:
    """A value of a key."""
    return number(value) if isinstance(value, float) else str(value)


def _noise(search: Search, best: Trial) -> list[str]:
    """How many other trials differ from the best by no more than seeds alone do."""
    if len(best.by_seed) < 2:
        return ["Each trial has one seed: how much seeds alone matter is not known."]
    others = [
        trial for trial in search.of("complete") if trial is not best and trial.by_seed.keys() == best.by_seed.keys()
    ]
    close = sum(_equal(best, other) for other in others)
    return [
        f"{close} of the {len(others)} other complete trials are not told apart from it over {len(best.by_seed)} seeds."
    ]


def _equal(best: Trial, other: Trial) -> bool:
    difference = over_seeds(np.array([other.by_seed[seed] - value for seed, value in best.by_seed.items()]))
    low, high = difference.ends
    return low <= 0 <= high


def searched(search: Search) -> dict[str, str]:
    """What each key may be: `0.001 to 0.03, evenly in the logarithm`."""
    return {key: _searched(parameter) for key, parameter in search.space.parameters.items()}


def _searched(parameter: Range | Choices) -> str:
    if isinstance(parameter, Choices):
        return ", ".join(map(str, parameter.values))
    spread = ", evenly in the logarithm" if parameter.log else ""
    steps = f", in steps of {shown(parameter.step)}" if parameter.step is not None else ""
    return f"{shown(parameter.low)} to {shown(parameter.high)}{spread}{steps}"
