"""The gauge of a candidate: a dial for turns, a bar for all else."""

from __future__ import annotations

from learnsym.inference import Finding
from learnsym.report.run.gauge import sector


def gauge(law: Finding, task: Finding | None) -> dict[str, object] | None:
    """What is drawn beside a verdict; None when nothing is known.

    Returns:
        For angles the paths of a dial. For all else, from 0 to 1, where the marks of a bar are.
    """
    if law.unit == "degree":
        return _dial(law, task)
    marks = [mark for finding in (law, task) if finding is not None and (mark := _mark(finding))]
    return {"paths": [], "marks": marks} if marks else None


def _dial(law: Finding, task: Finding | None) -> dict[str, object] | None:
    paths = []
    if law.estimate is not None and law.high is not None:
        paths.append({"class": "poses-interval", "d": sector(law.high, 41.0)})
        paths.append({"class": "poses", "d": sector(max(_drawn(law), 0.8), 41.0)})
    if task is not None and task.low is not None and task.high is not None:
        paths.append({"class": "tolerated-set", "d": sector(max(task.high, 1.0), 56.0, 47.0)})
        paths.append({"class": "tolerated", "d": sector(max(task.low, 1.0), 56.0, 47.0)})
    return {"paths": paths, "marks": []} if paths else None


def _drawn(law: Finding) -> float:
    # below a bound nothing is known to be there
    return law.estimate or 0.0 if law.is_present else 0.0


def _mark(finding: Finding) -> dict[str, object] | None:
    if finding.estimate is None or finding.low is None or finding.high is None:
        return None
    scale = FULL.get(finding.unit, 1.0)
    low, high, at = (min(value / scale, 1.0) for value in (finding.low, finding.high, _drawn(finding)))
    return {"class": finding.notion, "low": 100 * low, "width": 100 * (high - low), "at": 100 * at}


FULL = {"shortest side": 0.3, "log": 0.7}
"""Where a bar ends, in the unit of the number."""
