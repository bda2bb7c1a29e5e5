"""Runs that are not trained to their end, or not with the network of their configuration, are not taken."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.export import export_run
from learnsym.report import analyze
from learnsym.report.card import load_subject
from learnsym.training import Run, checkpoint, train
from learnsym.training.unfinished import check_finished, missing_of


@pytest.fixture(scope="module")
def plain(tiny, with_train):
    return replace(with_train(tiny, steps=2, checkpoint_every=1, eval_every=2), twin="plain")


@pytest.fixture(scope="module")
def finished(plain, tmp_path_factory):
    return train(plain, tmp_path_factory.mktemp("finished") / "run")[0]


@pytest.fixture(scope="module")
def half(plain, finished, tmp_path_factory):
    """A run that was stopped after its first step."""
    path = tmp_path_factory.mktemp("half") / "run"
    run = Run.create(path, plain)
    shutil.copy(finished.path / "data.json", path)
    checkpoint.save(path, {**finished.state(), "step": 1, "finished": False, "metrics_bytes": 0})
    return run


@pytest.fixture(scope="module")
def own(plain, tmp_path_factory):
    """A run of a module that no configuration describes."""
    run = Run.create(tmp_path_factory.mktemp("own") / "run", plain)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    objective = ls.objectives.Supervised(nn.functional.cross_entropy)
    ls.training.fit(model, objective, [(torch.rand(8, 1, 8, 8), torch.arange(8))], steps=2, run=run)
    return run


USES = {
    "analyze": lambda run, out, **options: analyze(run.path, progress=False, **options),
    "measure": lambda run, out, **options: load_subject(str(run.path), **options),
    "export": lambda run, out, **options: export_run(run.path, out / "model.pt2", **options),
}


@pytest.mark.parametrize("use", USES)
def test_an_unfinished_run_is_refused_before_any_work(half, use, tmp_path):
    with pytest.raises(
        ValueError, match=r"^run: \S+ has done 1 of 2 steps; continue with learnsym train .*--unfinished"
    ):
        USES[use](half, tmp_path)
    assert not list(tmp_path.iterdir()) and not (half.path / "analysis").exists()


@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize("use", USES)
def test_weights_of_another_module_are_refused_before_any_work(own, use, unfinished, tmp_path):
    with pytest.raises(ValueError, match=r"^run: the weights of .*\(it has 1\.weight, 1\.bias, it lacks .*in Python"):
        USES[use](own, tmp_path, unfinished=unfinished)
    assert not (own.path / "analysis").exists()


def test_an_unfinished_run_may_be_taken_as_it_is(half, finished, tmp_path):
    assert load_subject(str(half.path), unfinished=True).notes == ("Unfinished: run has done 1 of 2 steps.",)
    assert load_subject(str(finished.path)).notes == ()
    assert export_run(half.path, tmp_path / "model.pt2", unfinished=True).is_file()


def test_the_weights_alone_are_finished_when_there_are_test_scores(finished, tmp_path):
    alone = Run(shutil.copytree(finished.path, tmp_path / "run"))
    (alone.path / "state.pt").unlink()
    assert missing_of(alone) == "" and not alone.is_finished
    (alone.path / "metrics.jsonl").unlink()
    assert missing_of(alone) == "has done 2 of 2 steps, and has no test scores yet"
    (alone.path / "weights.safetensors").write_bytes(b"")
    assert missing_of(alone) == "does not say how many of its 2 steps it has done"


def test_the_number_of_unfinished_runs_is_said(half, finished):
    with pytest.raises(ValueError, match=r", and 1 more of 3 runs are unfinished; continue"):
        check_finished([half, finished, half])
    assert len(check_finished([half, finished, half], unfinished=True)) == 2


def test_what_was_found_says_that_training_is_unfinished(half, tmp_path):
    run = Run(shutil.copytree(half.path, tmp_path / "run"))
    pose, extent = ls.measure.PoseConfig(generators=[]), ls.measure.TaskExtentConfig(widths=[])
    settings = ls.measure.AnalysisConfig(
        pose=pose, task_extent=extent, angle_step=0, equivariance_examples=2, equivariance_samples=1, bootstrap=2
    )
    found = analyze(run.path, settings=settings, progress=False, unfinished=True)
    sentence = "Unfinished: run has done 1 of 2 steps."
    assert json.loads((run.path / "symmetry.json").read_text())["notes"] == [sentence]
    assert sentence in found.report.read_text(encoding="utf8") and f"note: {sentence}" in ls.report.text_table(found)


def test_another_checkpoint_is_not_continued(own):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 11))
    objective = ls.objectives.Supervised(nn.functional.cross_entropy)
    with pytest.raises(ValueError, match=r"^run: the checkpoint in .* is of another module \(1\.weight is \(10, 64\)"):
        ls.training.fit(model, objective, [], steps=3, run=own)
