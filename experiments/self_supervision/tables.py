"""Tables of the arms, and the bars that were set before."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from learnsym.statistics import over_seeds

TASKS, VIEWS = ("rotation", "position", "jigsaw"), ("upright", "turned")
Runs = dict[str, dict[int, dict[str, Any]]]
"""Of each arm the rows by seed."""


def summary(rows: Sequence[dict[str, Any]], labelled: Sequence[str]) -> str:
    """Accuracies of the probes by number of labels, differences paired by seed, bars."""
    found: Runs = defaultdict(dict)
    for row in rows:
        found[row["arm"]][row["seed"]] = row
    columns = [f"{count} labels, {views}" for count in labelled for views in VIEWS]
    head = ["arm", *columns, "pretext loss", "its labels right", "entropy of the law", "seeds"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for arm, by_seed in found.items():
        runs = list(by_seed.values())
        spread = [run["degrees"]["relative pose"] for run in runs if run.get("degrees")]
        cells = [percent([run["probes"][count][views] for run in runs]) for count in labelled for views in VIEWS]
        cells.append(shown([run["pretext"] for run in runs if "pretext" in run]))
        cells.append(percent([run["right"] for run in runs if "right" in run]))
        lines.append(f"| {arm} | {' | '.join([*cells, shown(spread), str(len(runs))])} |")
    differences = [line for count in labelled for line in bars(found, count)]
    stuck = [run["at labels"] for run in found.get("rotation, naive", {}).values() if "at labels" in run]
    return "\n".join([*lines, "", *differences, f"- naive rotation head: loss less log 4 is {shown(stuck)}"])


def bars(found: Runs, labelled: str) -> Iterator[str]:
    """Each bar with its numbers: differences of accuracies in points, paired by seed."""
    for task in TASKS:
        yield from difference(found, f"{task}, equivariant", f"{task}, naive", labelled, "upright", 1.0)
    for views, bar in zip(VIEWS, (0.0, -0.5), strict=True):
        for name in ("max", "lse"):
            yield from difference(found, f"{name}, {views}", f"mean, {views}", labelled, views, bar)
        for name in ("max", "mean", "lse", "plain"):
            yield from difference(found, f"learned, {views}", f"{name}, {views}", labelled, views, 0.0)
        for shown_as in VIEWS:
            yield from difference(found, f"lse, {views}", f"plain network, {views}", labelled, shown_as, 0.0)


def difference(found: Runs, arm: str, other: str, labelled: str, views: str, bar: float) -> Iterator[str]:
    """One line: holds or fails where the interval is on one side of the bar, else not decided."""
    seeds = sorted(found.get(arm, {}).keys() & found.get(other, {}).keys())
    if not seeds:
        return
    right = [[found[each][seed]["probes"][labelled][views] for seed in seeds] for each in (arm, other)]
    points = over_seeds([100 * (ours - theirs) for ours, theirs in zip(*right, strict=True)])
    verdict, interval = "not decided", ""
    if points.low is not None and points.high is not None:
        verdict = "holds" if points.low >= bar else "fails" if points.high < bar else verdict
        interval = f" [{points.low:.1f}, {points.high:.1f}]"
    yield (
        f"- {labelled} labels, {arm} - {other}, on {views} pictures: {points.estimate:+.1f}{interval} points, "
        f"bar {bar:+.1f}: {verdict}"
    )


def percent(values: Sequence[float]) -> str:
    return shown([100 * value for value in values], ".1f")


def shown(values: Sequence[float], form: str = ".3g") -> str:
    """Mean with Student's interval at 90 %."""
    if not values:
        return ""
    interval = over_seeds(values)
    ends = "" if interval.low is None else f" [{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.estimate:{form}}{ends}"
