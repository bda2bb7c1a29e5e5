"""Experiments are code that depends on the library: each has a help text, and trains through `training.fit`."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
OWN_LOOPS = {
    "gpu/attention.py": "times the passes of a network without an objective",
    "gpu/steps.py": "times the passes of single layers",
    "gpu/trial.py": "times the update alone, without what fit records",
    "potentials/timing.py": "times the update alone, without what fit records",
    "remul/timing.py": "times the update alone, without what fit records",
    "using_equivariance/digits.py": "the published schedule halves rates in steps, which fit does not have",
}
"""Files with a training loop of their own, and why."""


def _named(path: Path) -> str:
    return str(path.relative_to(EXPERIMENTS))


def _runnable() -> list[Path]:
    """Files with a command line."""
    return [path for path in sorted(EXPERIMENTS.rglob("*.py")) if "ArgumentParser(" in path.read_text(encoding="utf8")]


def test_experiments_train_through_fit():
    files = sorted(EXPERIMENTS.rglob("*.py"))
    assert len(files) > 20
    own = {_named(path) for path in files if re.search(r"\.backward\(", path.read_text(encoding="utf8"))}
    assert own == set(OWN_LOOPS)


ARMS = {
    "adrenal_volumes": ("--nets ?", ["SO(3), residual pathway"]),
    "constrained": ("--arms ?", ["equality", "projection, 0.1"]),
    "discovery": ("--part ?", ["rates", "laws"]),
    "effective_invariance": ("--data ?", ["fashion-mnist"]),
    "evfn": ("--nets ?", ["EGNN"]),
    "exchangeable_nodes": ("--twins ?", ["learned", "exact"]),
    "gpu": ("--device cpu --parts ?", ["warps", "graphs"]),
    "group_subsampling": ("--models ?", ["ConvAE", "GAE p4m"]),
    "guaranteed_invariances": ("--part ?", ["samples", "streams"]),
    "known_symmetry": ("--methods ?", ["poses", "augerino"]),
    "layerwise_equivariance": ("--arms ?", ["f-fc+conv, MAP"]),
    "learned_equivariance": ("--data ?", ["cifar10-jpeg"]),
    "lila": ("--arms ?", ["plain", "evidence, affine2d"]),
    "lie_derivative": ("training --data ?", ["cifar10-jpeg"]),
    "motion_capture": ("--part nets --names ?", ["EGNN, fixed vector", "straight on"]),
    "nbody_symmetry": ("--part ?", ["certificates", "axis"]),
    "neural_processes": ("--arms ?", ["exact", "never dropped", "tnp learned"]),
    "nuisances": ("--subjects ?", ["galaxies", "discs"]),
    "optimisation_dynamics": ("--parts ?", ["weights", "penalty"]),
    "parameter_sharing": ("--parts ?", ["means", "orbits"]),
    "partial_group_convolution": ("--kinds ?", ["partial arc", "plain narrow"]),
    "potentials": ("--arms ?", ["plain", "anchored, 1", "exact"]),
    "probabilistic_steerable": ("?", ["planted", "digits"]),
    "relaxed_convolution": ("--models ?", ["exact group C4"]),
    "relaxed_translation": ("--weights 7", ["1.0", "0.1", "0.01"]),
    "relu_networks": ("--kinds ?", ["augmented", "invariance"]),
    "remul": ("--task gravity --arms ?", ["plain", "EGNN"]),
    "residual_pathway": ("--part ?", ["turns", "quadrants"]),
    "self_supervision": ("--arms ?", ["rotation, naive", "learned, turned"]),
    "selection": ("--arms ?", ["fixed 60", "affine2d, selection"]),
    "softness": ("--nets ?", ["vit", "resnet"]),
    "spherical_images": ("--arms ?", ["S2CNN", "CNN 40 K x25"]),
    "task_extent": ("--laws 7", ["60", "180"]),
    "using_equivariance": ("digits --trainings ?", ["upright"]),
    "world_models": ("--parts ?", ["grids", "frames"]),
}
"""For each experiment, words that name something to train which it does not have, and what it does have."""


@pytest.fixture
def ended(monkeypatch, capsys):
    """The exit code of an experiment with some words, and what it printed."""

    def run(path, words):
        monkeypatch.setattr(sys, "argv", [str(path), *words])
        monkeypatch.syspath_prepend(str(path.parent))
        # other experiments, and networks of other tests, have modules of the same names
        for module in path.parent.glob("*.py"):
            monkeypatch.delitem(sys.modules, module.stem, raising=False)
        before = set(sys.modules)
        try:
            with pytest.raises(SystemExit) as ended:
                runpy.run_path(str(path), run_name="__main__")
        finally:
            for name in set(sys.modules) - before:
                if str(getattr(sys.modules[name], "__file__", None)).startswith(str(EXPERIMENTS)):
                    del sys.modules[name]
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


@pytest.mark.parametrize("path", _runnable(), ids=_named)
def test_every_experiment_shows_its_help(path, ended):
    code, text = ended(path, ["--help"])
    assert code == 0 and "--out" in text


def test_every_experiment_is_listed():
    assert {path.parent.name for path in EXPERIMENTS.glob("*/run.py")} == set(ARMS)


@pytest.mark.parametrize("name", ARMS)
def test_unknown_arms_are_refused_and_known_ones_named(name, ended, tmp_path):
    words, known = ARMS[name]
    path, out = EXPERIMENTS / name / "run.py", tmp_path / "out"
    code, text = ended(path, [*words.split(), "--out", str(out)])
    assert code == 2 and not out.exists()
    sentence = text.strip().splitlines()[-1]
    assert "choose from" in sentence and all(arm in sentence for arm in known)
    shown = " ".join(ended(path, ["--help"])[1].split())
    assert all(arm in shown for arm in known)
