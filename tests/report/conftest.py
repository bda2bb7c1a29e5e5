"""A made-up analysis of two data sets, for tests of the page and the figures."""

import math
from pathlib import Path

import numpy as np
import pytest

from learnsym.degrees import Degree
from learnsym.report.run.results import (
    Analysis,
    Curve,
    DataResult,
    EquivarianceError,
    ExtentCurve,
    History,
    Orbit,
    PoseLaw,
    TwinResult,
)
from learnsym.statistics import Interval

CAPS = {
    "translation_x": 1.0,
    "translation_y": 1.0,
    "rotation": 180.0,
    "scale": math.log(2),
    "stretch": math.log(2),
    "shear": math.log(2),
}
UNITS = {"translation_x": "shortest side", "translation_y": "shortest side", "rotation": "degree"}


def _law(truth: float, rng: np.random.Generator) -> PoseLaw:
    grid = np.arange(-177.5, 180, 5)
    fitted = 1 / (1 + np.exp((np.abs(grid) - truth) / 6)) + 0.02
    density = fitted * rng.uniform(0.7, 1.3, len(grid))
    flags = ["law of poses is uniform: full group, or the pose cannot be learnt"] if truth > 170 else []
    half_width = Interval(estimate=truth, low=max(truth - 6, 0.0), high=min(truth + 6, 180.0))
    return PoseLaw(
        generator="rotation",
        unit="degree",
        cap=180.0,
        grid=grid.tolist(),
        density=(density / density.sum() / 5).tolist(),
        fitted=(fitted / fitted.sum() / 5).tolist(),
        half_width=half_width,
        flags=flags,
        facts={"noise": 12.0},
    )


def _extent(centre: float) -> ExtentCurve:
    widths = [0.0, 15.0, 30.0, 60.0, 90.0, 135.0, 180.0]
    excess = [1e-5 * (width - centre) ** 2 for width in widths]
    excess = [value - min(excess) for value in excess]
    tolerated = [width for width, value in zip(widths, excess, strict=True) if value < 0.012]
    best = widths[excess.index(min(excess))]
    return ExtentCurve(
        generator="rotation",
        unit="degree",
        cap=180.0,
        widths=widths,
        excess=excess,
        stderr=[0.006] * 7,
        tolerated=tolerated,
        best=best,
        replicates=1,
        harmless=Interval(estimate=max(tolerated), low=best, high=180.0),
        margin=0.003,
    )


def _history(seed: int, rng: np.random.Generator, learned: bool) -> History:
    steps = list(range(0, 501, 25))
    decay = [2.2 * math.exp(-step / 90) + 0.12 + 0.02 * float(rng.random()) for step in steps]
    values = {"val/task": decay}
    if learned:
        for name, cap in CAPS.items():
            level = (0.4 if name == "rotation" else 0.06) * float(rng.uniform(0.9, 1.1))
            values[f"half_width/{name}"] = [cap * (0.1 + (level - 0.1) * (1 - math.exp(-step / 120))) for step in steps]
    return History(seed=seed, steps=dict.fromkeys(values, steps), values=values)


def _twin(name: str, rng: np.random.Generator, truth: float) -> TwinResult:
    accuracy = {"learned": 0.964, "plain": 0.931, "fixed": 0.957, "exact": 0.948}[name]
    x = [float(angle) for angle in range(0, 360, 15)]
    signed = [angle if angle < 180 else angle - 360 for angle in x]
    reach = 200 if name == "exact" else truth + {"learned": 40, "plain": 15, "fixed": 30}[name]
    mean = [0.3 + (accuracy - 0.3) / (1 + math.exp((abs(angle) - reach) / 12)) for angle in signed]
    band = Curve(x=x, mean=mean, low=[value - 0.02 for value in mean], high=[min(value + 0.02, 1) for value in mean])
    return TwinResult(
        name=name,
        seeds=[0, 1, 2],
        accuracy=Interval(estimate=accuracy, low=accuracy - 0.015, high=accuracy + 0.012),
        by_angle=band,
        error=EquivarianceError(mean=0.35 if name == "plain" else 0.08, stderr=0.004, floor=0.03),
        histories=[_history(seed, rng, name == "learned") for seed in range(3)],
    )


def _degrees(label: str, law: PoseLaw, extent: ExtentCurve) -> list[Degree]:
    own = {"site": "input", "group": "affine2d", "data": label}
    learned = [
        Degree(
            **own,
            generator=name,
            unit=UNITS.get(name, "log"),
            notion="task",
            method="augerino",
            estimate=(0.4 if name == "rotation" else 0.05) * cap,
            low=(0.35 if name == "rotation" else 0.03) * cap,
            high=(0.45 if name == "rotation" else 0.08) * cap,
        )
        for name, cap in CAPS.items()
    ]
    rotation = {**own, "generator": "rotation", "unit": "degree"}
    pose = law.half_width
    return [
        *learned,
        Degree(
            **rotation,
            notion="task",
            method="held-out loss",
            estimate=extent.best,
            low=min(extent.tolerated),
            high=max(extent.tolerated),
        ),
        Degree(
            **rotation,
            notion="distribution",
            method="pose posterior",
            estimate=pose.estimate,
            low=pose.low,
            high=pose.high,
        ),
    ]


def _data(label: str, truth: float, centre: float) -> DataResult:
    rng = np.random.default_rng(int(truth))
    law, extent = _law(truth, rng), _extent(centre)
    originals = rng.random((3, 28, 28))
    return DataResult(
        label=label,
        examples=1437,
        twins=[_twin(name, rng, truth) for name in ("learned", "plain", "fixed", "exact")],
        degrees=_degrees(label, law, extent),
        caps=CAPS,
        poses=[law],
        extent=extent,
        orbit=Orbit(
            originals=originals.tolist(), moved=np.repeat(originals[:, None], 8, axis=1).tolist(), caption="Seed 0."
        ),
        notes=["Accuracy: percentile bootstrap over test examples and seeds."],
    )


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    return Analysis(
        path=tmp_path,
        data=[_data("as-scanned", 0.0, 15.0), _data("rotated-60", 61.0, 60.0), _data("rotated-180", 180.0, 150.0)],
        config={"as-scanned": "data:\n  name: digits\n"},
        environment={"learnsym": "0.1.0", "torch": "2.13.0"},
    )
