"""Tables of the arms, and the bars that were set before."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from learnsym.statistics import over_seeds

TASKS = ("rotation", "position", "jigsaw")


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Accuracies of the probes, differences paired by seed, bars."""
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        found[row["arm"]][row["seed"]] = row
    lines = ["| arm | upright | turned | pretext loss | its labels right | entropy of the law |", "|" + "---|" * 6]
    for arm, by_seed in found.items():
        runs = list(by_seed.values())
        spread = [run["degrees"]["relative pose"] for run in runs if run.get("degrees")]
        cells = [percent([run[views] for run in runs]) for views in ("upright", "turned")]
        cells.append(shown([run["pretext"] for run in runs if "pretext" in run]))
        cells.append(percent([run["right"] for run in runs if "right" in run]))
        lines.append(f"| {arm} | {' | '.join([*cells, shown(spread)])} |")
    return "\n".join([*lines, "", *bars(found)])


def bars(found: dict[str, dict[int, dict[str, Any]]]) -> list[str]:
    """Each bar with its numbers: differences of accuracies in points, paired by seed."""
    lines = []
    for task in TASKS:
        lines += difference(found, f"{task}, equivariant", f"{task}, naive", "upright", 1.0)
    for name in ("max", "lse"):
        lines += difference(found, f"{name}, upright", "mean, upright", "upright", 0.0)
        lines += difference(found, f"{name}, upright", "mean, upright", "turned", -0.5)
    for name in ("max", "mean", "lse", "plain"):
        for views in ("upright", "turned"):
            lines += difference(found, f"learned, {views}", f"{name}, {views}", views, 0.0)
    for views in ("upright", "turned"):
        lines += difference(found, f"lse, {views}", f"plain network, {views}", "turned", 0.0)
    stuck = [run["at labels"] for run in found.get("rotation, naive", {}).values() if "at labels" in run]
    return [*lines, f"- naive rotation head: loss less log 4 is {shown(stuck)}"]


def difference(found: dict[str, dict[int, dict[str, Any]]], arm: str, other: str, views: str, bar: float) -> list[str]:
    """One line: holds or fails where the interval is on one side of the bar, else not decided."""
    seeds = sorted(found.get(arm, {}).keys() & found.get(other, {}).keys())
    if not seeds:
        return []
    points = over_seeds([100 * (found[arm][seed][views] - found[other][seed][views]) for seed in seeds])
    verdict = "not decided"
    if points.low is not None and points.high is not None:
        verdict = "holds" if points.low >= bar else "fails" if points.high < bar else verdict
    shown_points = f"{points.estimate:+.1f}" + ("" if points.low is None else f" [{points.low:.1f}, {points.high:.1f}]")
    return [f"- {arm} - {other}, on {views} pictures: {shown_points} points, bar {bar:+.1f}: {verdict}"]


def percent(values: Sequence[float]) -> str:
    return shown([100 * value for value in values], ".1f")


def shown(values: Sequence[float], form: str = ".3g") -> str:
    """Mean with Student's interval at 90 %."""
    if not values:
        return ""
    interval = over_seeds(values)
    ends = "" if interval.low is None else f" [{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.estimate:{form}}{ends}"
