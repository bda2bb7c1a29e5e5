"""The tables of the page of a comparison."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

from learnsym.comparison.verdicts import Difference, Metric, Place, Scores, best_arms, finished, lengths, where
from learnsym.files import write_atomically
from learnsym.report.comparison.amounts import amount
from learnsym.report.comparison.findings import Findings, degrees_by_figure
from learnsym.report.comparison.folding import REASONS, spaced, table_rows
from learnsym.report.words import percent, three_digits, two_digits


def differences_of_arms(specification: Mapping[str, Any]) -> dict[str, str]:
    """What each arm changes in the base, such as `augment.twin: plain`."""
    arms = specification.get("arms") or {}
    return {str(arm): ", ".join(_flat(changes or {})) or "the base itself" for arm, changes in arms.items()}


def _flat(values: Mapping[str, Any], start: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}: {value}"


def networks(findings: Findings) -> list[dict[str, Any]]:
    """Width, parameters and FLOPs of each arm at each size, and parameters against the reference."""
    columns = ["width", "parameters", "flops_counted", "flops_nominal", "flops_inference"]
    firsts = findings.table.groupby(["size", "arm"])[columns].first()
    rows = []
    for size in spaced(sorted(set(findings.table["size"])), table_rows(len(findings.arms))):
        there = [arm for arm in findings.arms if (size, arm) in firsts.index]
        base = findings.reference if findings.reference in there else (there or [None])[0]
        rows += [_network(firsts, int(size), arm, base) for arm in there]
    return rows


def _network(firsts: Any, size: int, arm: str, base: str | None) -> dict[str, Any]:  # noqa: ANN401
    row = firsts.loc[(size, arm)]
    of_base = firsts.loc[(size, base)]
    ratios = {f"{name}_ratio": float(row[name]) / float(of_base[name]) for name in ("parameters", "flops_counted")}
    return {"size": size, "arm": arm, **row.to_dict(), **ratios}


def value(metric: Metric, score: Difference) -> str:
    """A mean score as a value of the column, with its interval: `97.1% [96.8, 97.4]`."""
    ends = sorted(value_or_infinite(metric, end) for end in (score.low, score.high))
    low, high = ends if score.seeds > 1 else (None, None)
    text = percent if metric.column.endswith("accuracy") else three_digits
    return text(metric.value(score.estimate), low, high)


def value_or_infinite(metric: Metric, score: float) -> float:
    """A score as a value of the column; an infinite one stays what it is."""
    return score if math.isinf(score) else metric.value(score)


def by_examples(findings: Findings) -> list[dict[str, Any]]:
    """Each arm at the size and length that validation chose, by number of examples."""
    scores = findings.chosen_scores
    curves = {arm: scores.curve(arm) for arm in findings.arms}
    trains = spaced(sorted({train for curve in curves.values() for train in curve}), table_rows(len(curves)))
    return [{"train": train, "cells": _cells(findings, scores, curves, train)} for train in trains]


def _cells(
    findings: Findings, scores: Scores, curves: Mapping[str, Mapping[int, Place]], train: int
) -> list[dict[str, Any] | None]:
    there = {arm: curve[train] for arm, curve in curves.items() if train in curve}
    best = max(there, key=lambda arm: scores.mean(arm, there[arm]))
    return [
        {
            "value": value(findings.metric, scores.score(arm, there[arm])),
            "seeds": len(scores.by_place[arm, there[arm]]),
            "size": there[arm].size,
            "length": there[arm].length,
            "best": arm == best,
        }
        if arm in there
        else None
        for arm in findings.arms
    ]


def all_cells(findings: Findings) -> list[dict[str, Any]]:
    """Every place of the grid with the scores of its arms and the lead of the best."""
    scores = findings.scores
    best = best_arms(findings.rows, findings.metric, findings.level, findings.test_examples)
    return [
        {
            "place": best_there.cell,
            "values": [_value_at(findings, scores, arm, best_there.cell) for arm in findings.arms],
            "best": best_there.arm,
            "lead": amount(findings.metric, best_there.lead) if best_there.lead is not None else "",
            "decided": best_there.decided,
        }
        for best_there in spaced(best, table_rows(len(findings.arms)))
    ]


def totals(findings: Findings) -> dict[str, int]:
    """How many rows and figures there were if a page showed all of them, see `folding`."""
    return {
        "examples": len(set(findings.rows["train"])),
        "places": len(findings.scores.cells) if len(findings.rows) else 0,
        "sizes": len(set(findings.rows["size"])),
        "networks": len(set(findings.table["size"])),
        "degrees": len(degrees_by_figure(findings)) if len(findings.rows) else 0,
    }


def write_scores(findings: Findings) -> None:
    """Write `scores.csv` and, at the sizes and lengths that validation chose, `scores-chosen.csv`: every score."""
    for name, scores in (("scores", findings.scores), ("scores-chosen", findings.chosen_scores)):
        write_atomically(findings.folder / f"{name}.csv", _csv(scores).encode())


def _csv(scores: Scores) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["examples", "size", scores.length_unit, "arm", "seeds", f"test {scores.metric.name}", "low", "high"]
    )
    for arm, place in sorted(scores.by_place, key=lambda key: (key[1], key[0])):
        found = scores.score(arm, place)
        mean, *ends = (value_or_infinite(scores.metric, end) for end in (found.estimate, found.low, found.high))
        known = sorted(ends) if found.seeds > 1 else ["", ""]
        table.writerow([place.train, place.size, place.length, arm, found.seeds, mean, *known])
    return text.getvalue()


def _value_at(findings: Findings, scores: Scores, arm: str, place: Place) -> str:
    return value(findings.metric, scores.score(arm, place)) if (arm, place) in scores.by_place else "–"


def cost(findings: Findings) -> list[dict[str, Any]]:
    """What the trainings of each arm took, and against the reference in the cells that both finished."""
    columns = ["compute_counted", "compute_nominal", "seconds"]
    rows = finished(findings.table)
    keys = ["train", "size", "steps", "lr", "seed"]
    base = where(rows, arm=findings.reference).set_index(keys)[columns]
    return [_cost(arm, where(rows, arm=arm), base, keys, columns) for arm in findings.arms]


def _cost(arm: str, rows: Any, base: Any, keys: list[str], columns: list[str]) -> dict[str, Any]:  # noqa: ANN401
    shared = rows.set_index(keys)[columns].join(base, rsuffix="_base", how="inner")
    totals = {name: float(rows[name].sum()) for name in columns}
    ratios = {f"{name}_ratio": _ratio(shared[name].sum(), shared[f"{name}_base"].sum()) for name in columns}
    return {"arm": arm, "cells": len(rows), **totals, **ratios}


def _ratio(spent: float, of_reference: float) -> str:
    return f"{two_digits(spent / of_reference)}×" if of_reference > 0 else "–"


def failures(findings: Findings) -> list[dict[str, Any]]:
    """Cells without a result, joined where they failed for one reason; of many reasons the most frequent ones first."""
    failed = where(findings.table, state="failed").fillna({"failure": "no reason was kept"})
    reasons = [(reason, rows) for reason, rows in failed.groupby("failure", sort=False)]
    if len(reasons) > REASONS:
        reasons.sort(key=lambda reason_and_rows: -len(reason_and_rows[1]))
    shown = [
        {"reason": reason, "count": len(rows), "cells": [_name(row) for _, row in rows.head(5).iterrows()]}
        for reason, rows in reasons[:REASONS]
    ]
    if len(reasons) > REASONS:
        left = sum(len(rows) for _, rows in reasons[REASONS:])
        more = f"{len(reasons) - REASONS} more reasons; all are in table.parquet, column failure"
        shown.append({"reason": more, "count": left, "cells": []})
    return shown


def _name(row: Any) -> str:  # noqa: ANN401
    return (
        f"{row['arm']}, {row['train']:,} examples, size {row['size']}, {row['steps']:,} steps, lr {row['lr']:g}, "
        f"seed {row['seed']} (cells/{row['cell']})"
    )


def axes(findings: Findings) -> dict[str, str]:
    """The grid in words."""
    table = findings.table
    lists = {
        "training examples": sorted(set(table["train"])),
        "model sizes (width of the reference)": sorted(set(table["size"])),
        "lengths of training (steps)": sorted(set(table["steps"])),
        "passes over the data": sorted(set(lengths(table))) if findings.specification.get("epochs") else [],
        "learning rates": sorted(set(table["lr"])),
        "seeds": sorted(set(table["seed"])),
    }
    return {
        name: ", ".join(f"{value:,g}" if value < 1e6 else f"{value:,.0f}" for value in values)
        for name, values in lists.items()
        if values
    }
