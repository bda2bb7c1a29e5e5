"""Which figures the page of a search has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from learnsym.report.figures import tuning as figures
from learnsym.report.panel import Panel
from learnsym.report.tuning.search import Search
from learnsym.report.words import number
from learnsym.tuning import Range

SIZE = (3.7, 2.9)
NAMES = {"loss": "validation loss", "accuracy": "validation accuracy", "cost": "training compute (FLOPs)"}


def name_of(objective: str) -> str:
    """An objective as the label of an axis."""
    return NAMES.get(objective, objective.replace("_", " "))


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def panels(search: Search) -> Iterator[Panel]:
    """The figures that the trials so far allow, not yet drawn."""
    if not search.of("complete"):
        return
    yield from _history(search)
    if len(search.space.objectives) > 1:
        yield _front(search)
    if search.importances:
        yield _importances(search)
    yield from _slices(search)


def _history(search: Search) -> Iterator[Panel]:
    done = search.of("complete")
    without = [trial.number for trial in search.trials if trial.state in ("pruned", "fail")]
    for place, objective in enumerate(search.space.objectives):
        numbers, values = [trial.number for trial in done], [trial.values[place] for trial in done]
        smaller, name = search.space.directions[place] == "minimize", name_of(objective)
        best = min(values) if smaller else max(values)
        yield Panel(
            kind="history",
            data=f"{_title(name)} of each trial",
            alt=f"{_title(name)} of {len(done)} trials in their order; the best is {number(best)}.",
            size=SIZE,
            draw=partial(figures.history, numbers, values, without, smaller, name),
        )


def _front(search: Search) -> Panel:
    first, second = (name_of(objective) for objective in search.space.objectives[:2])
    points, best = ([(t.values[0], t.values[1]) for t in trials] for trials in (search.of("complete"), search.front))
    return Panel(
        kind="history",
        data=f"{_title(first)} and {second}",
        alt=f"{_title(second)} against {first} of {len(points)} trials, of which {len(best)} are on the front.",
        size=SIZE,
        draw=partial(figures.front, points, best, (first, second)),
    )


def _importances(search: Search) -> Panel:
    text = "; ".join(f"{key}: {share:.0%}" for key, share in search.importances.items())
    return Panel(
        kind="importance",
        data=f"What the {name_of(search.space.objectives[0])} depends on",
        alt=f"Share of the variance by key. {text}.",
        size=(4.2, 1.1 + 0.32 * len(search.importances)),
        draw=partial(figures.importances, search.importances),
    )


def _slices(search: Search) -> Iterator[Panel]:
    done, objective = search.ranked, name_of(search.space.objectives[0])
    values = [trial.values[0] for trial in done]
    best = next(k for k, trial in enumerate(done) if trial is search.best or search.best is None)
    for key, parameter in search.space.parameters.items():
        is_range = isinstance(parameter, Range)
        given = [trial.parameters[key] for trial in done]
        settings = [float(value) for value in given] if is_range else [str(value) for value in given]  # pyright: ignore[reportArgumentType]
        yield Panel(
            kind="slices",
            data=key,
            alt=f"{_title(objective)} against {key} over {len(done)} trials; the best has {settings[best]}.",
            size=SIZE,
            draw=partial(figures.slice_of, settings, values, best, is_range and parameter.log, (key, objective)),
        )
