"""What findings mean for training: a sentence each, one for all, and code that augments accordingly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learnsym.inference.findings import Finding
from learnsym.inference.numbers import measured

BOXES = ("rotation", "translation_x", "translation_y", "scale", "stretch", "shear")
"""Generators of `affine2d`, which one distribution draws together."""
TURNS = {"quarter_turn": 90.0, "half_turn": 180.0}
"""Elements that are turns, with their angles."""


def advice(findings: Sequence[Finding]) -> dict[str, str]:
    """What to do with each candidate in training, by name."""
    by_name = _by_name(findings)
    return {name: _sentence(pair) for name, pair in by_name.items()}


def summary(findings: Sequence[Finding]) -> str:
    """What to do in training, in one sentence.

    Example:
        >>> summary([])
        'nothing was found to augment by'
    """
    pairs = _by_name(findings)
    do = [f"{_any(pair).verb}{_up_to(pair)}" for pair in pairs.values() if width_of(pair) > 0]
    avoid = [_any(pair).verb for pair in pairs.values() if _forbidden(pair)]
    parts = [", ".join(do)] if do else ["nothing was found to augment by"]
    return "; ".join(parts + ([f"do not {', '.join(avoid)}"] if avoid else []))


def width_of(pair: Mapping[str, Finding]) -> float:
    """The half-width up to which training may move examples, 0 for none."""
    task, law = pair.get("task"), pair.get("distribution")
    if _forbidden(pair):
        return 0.0
    chosen = task if task is not None and task.status != "cannot be told" else law
    if chosen is None or not chosen.is_present:
        return 0.0
    return float(chosen.low or chosen.estimate or 0.0)


def snippet(findings: Sequence[Finding]) -> str:
    """Python that augments a network of one's own as the findings allow."""
    pairs = _by_name(findings)
    widths = {name: width_of(pair) for name, pair in pairs.items()}
    box = {name: _as_told(pairs[name], width) for name, width in widths.items() if name in BOXES and width > 0}
    if not box:
        return "model = net  # the findings ask for no augmentation by moves of the plane"
    lines = ["import learnsym as ls", "", 'symmetry = ls.symmetry_by_name("affine2d")']
    lines += ["widths = {", *(f'    "{name}": {width},' for name, width in box.items()), "}"]
    lines += ["law = ls.augment.fixed(symmetry.group, widths)", "model = ls.augment.Augmented(net, symmetry, law)"]
    if widths.get("mirror_left_right", 0) > 0:
        lines += ["# and, in each batch: half = torch.rand(len(x)) < 0.5; x[half] = x[half].flip(-1)"]
    return "\n".join(lines)


def _by_name(findings: Sequence[Finding]) -> dict[str, dict[str, Finding]]:
    pairs: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        if finding.status != "does not fit":
            pairs.setdefault(finding.candidate, {})[finding.notion] = finding
    for name, angle in TURNS.items():
        if name in pairs and _ends_before(angle, pairs.get("rotation", {})):
            pairs[name].pop("distribution", None)
    return {name: pair for name, pair in pairs.items() if pair}


def _ends_before(angle: float, rotation: Mapping[str, Finding]) -> bool:
    """Whether turns are found to end before an angle: a test that does not tell it says nothing then."""
    ends = [finding.high for finding in rotation.values() if finding.status in ("up to", "absent")]
    return any(end is not None and end < angle for end in ends)


def _as_told(pair: Mapping[str, Finding], width: float) -> float:
    """A half-width with the digits with which it is told."""
    return float(f"{width:.0f}" if _any(pair).unit == "degree" else f"{width:.2g}")


def _sentence(pair: Mapping[str, Finding]) -> str:
    verb, law = _any(pair).verb, pair.get("distribution")
    if _forbidden(pair):
        return f"do not {verb}: labels do not stay right"
    width = width_of(pair)
    if width == 0:
        told = pair["task"].status if "task" in pair else "cannot be told"
        absent = law is not None and law.status == "absent" and told == "cannot be told"
        return f"no reason to {verb}: the data do not show it" if absent else f"nothing follows on whether to {verb}"
    shown = law is not None and law.is_present and (law.estimate or 0.0) >= width
    absent = law is not None and law.status == "absent"
    extra = "; the data show it already, so that it helps little" if shown else ""
    extra = ", though the data do not show it" if absent else extra
    if "task" not in pair or pair["task"].status == "cannot be told":
        extra = ": the data show it"
    return f"you may {verb}{_up_to(pair)}{extra}"


def _forbidden(pair: Mapping[str, Finding]) -> bool:
    return "task" in pair and pair["task"].status == "absent"


def _up_to(pair: Mapping[str, Finding]) -> str:
    finding, width = _any(pair), width_of(pair)
    is_element = finding.unit == "1" and finding.candidate not in ("brightness", "contrast")
    if is_element:
        return ""
    if finding.unit == "degree" and width >= 179:
        return " by any angle"
    return f" by up to {measured(width, finding.unit)}"


def _any(pair: Mapping[str, Finding]) -> Finding:
    return next(iter(pair.values()))
