"""A training whose symmetry the default chooser learns against the plain training of as many steps: scanned digits.

Both are whole runs of `learnsym.training.train` with the configuration of the demonstration: data, steps, looks at the
validation examples, evaluation and files. `selection` looks at held-out examples under several hypotheses, so that the
ratio falls with the number of steps; it is that of the steps of the plain twin there. What is timed is the processor.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from learnsym._configs import packed
from learnsym.training import RunConfig, train
from learnsym.training.config_file import read_config

STEPS, TARGET = 960, 3.0
TWINS = ("learned", "plain")


def run(device: str, repeats: int) -> dict[str, Any]:
    """One row; a training takes a quarter of a minute: three of each are measured at most."""
    config = _config(device)
    seconds: dict[str, list[float]] = {twin: [] for twin in TWINS}
    for round_ in range(min(repeats, 3)):
        for twin in TWINS if round_ % 2 == 0 else TWINS[::-1]:
            seconds[twin].append(_seconds(replace(config, twins=[twin], seeds=[round_])))
    times = {twin: statistics.median(own) for twin, own in seconds.items()}
    name = f"default chooser / plain training, {STEPS} steps on digits, CPU time"
    return {"name": name, "ratio": times["learned"] / times["plain"], "target": TARGET, "times": times}


def _config(device: str) -> RunConfig:
    config = read_config(packed()["demo"])
    settings = replace(config.train, steps=STEPS, device=device, workers=1, threads=1)
    return replace(config, twin_steps={}, train=settings)


def _seconds(config: RunConfig) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        train(config, Path(folder) / "run")
        return time.process_time() - began
