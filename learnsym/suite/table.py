"""The scores as one aligned table, for the terminal and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from learnsym.report.tables import aligned
from learnsym.suite.results import Suite
from learnsym.suite.scores import Entry, Score
from learnsym.suite.twins import TOLD

HEADER = (
    *(
        "half",
        "estimator",
        "tasks",
        "does not fit",
        "error",
        "coverage",
        "width",
        "error/se",
        "shape",
        "AUC",
        "false pos.",
        "missed",
    ),
    *("accuracy", "plain", "oracle", "exact", "behind the better", "surely", "cost"),
)


def text_table(suite: Suite) -> str:
    """One row an estimator and half; below it, why cells have no answer."""
    notes = [f"note: {count} x {reason}" for reason, count in reasons(suite.entries)]
    return "\n".join([aligned([HEADER, *map(row, suite.scores)]), "", *legend(), *notes])


def markdown_table(suite: Suite) -> str:
    """The same rows as a table of Markdown, without columns in which nothing stands."""
    rows = [HEADER, *map(row, suite.scores)]
    kept = [i for i in range(len(HEADER)) if any(cells[i] for cells in rows[1:])]
    lines = [f"| {' | '.join(cells[i] for i in kept)} |" for cells in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(kept), *lines[1:]])


def row(score: Score) -> tuple[str, ...]:
    """A score as text."""
    regret = score.regret
    behind = "" if regret is None else f"{100 * regret.estimate:+.1f}"
    if regret is not None and regret.low is not None:
        behind += f" [{100 * regret.ends[0]:+.1f}, {100 * regret.ends[1]:+.1f}]"
    return (
        score.half,
        score.estimator,
        str(score.tasks),
        str(score.unfit),
        *(_percent(value) for value in (score.error, score.coverage, score.width)),
        "" if score.spread is None else f"{score.spread:.2f}",
        _percent(score.shapes),
        "" if score.auc is None else f"{score.auc:.2f}",
        *(_percent(value) for value in (score.false_positives, score.missed)),
        _percent(score.accuracy),
        *(_percent(score.told.get(arm)) for arm in TOLD),
        behind,
        f"{score.surely_worse} of {score.compared}" if score.compared else "",
        "" if score.cost is None else f"{score.cost:.1f}",
    )


def legend() -> list[str]:
    """What the columns are, one sentence each."""
    return [
        "error and width are shares of the largest range; coverage is of the intervals that an answer has; error/se is "
        "the root mean square of errors over standard errors; shape is the share of laws whose shape is right.",
        "behind the better: points of accuracy behind the better of plain, oracle and exact in hindsight, mean over "
        "tasks, with an interval over seeds; surely: tasks where that is more than 0.2 for sure.",
        "cost is in plain trainings; every twin has as many steps as three of them pay for.",
    ]


def reasons(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    """Why cells have no answer, the most frequent first; names of tasks are taken out."""
    return Counter(e["reason"].replace(e["task"], "the task") for e in entries if e["reason"]).most_common()


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"
