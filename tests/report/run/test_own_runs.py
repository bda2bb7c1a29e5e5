"""Pages of runs made in Python, from what their records say alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.report.run.advice import best_twin, helped
from learnsym.training import Run, fit


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    return ls.data.Dataset(torch.rand(24, 1, 6, 6, generator=generator), torch.arange(24) % 3, "noise", classes=3)


def trained(data, path, seed=0, validate=None):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    model = ls.augment.Augmented(net, "rotation2d+flip2d")
    run = Run.new(path, data="noise")
    objective = ls.objectives.Augerino(F.cross_entropy)
    fit(model, objective, ls.data.Batches(data, 8), steps=4, run=run, seed=seed, validate=validate)
    return run


def test_the_page_of_one_run_without_scores(data, tmp_path):
    run = trained(data, tmp_path / "run")
    analysis = ls.report.analyze(run.path, progress=False)
    (found,) = analysis.data
    assert found.twins[0].score == "training loss" and found.twins[0].seeds == [0]
    text = analysis.report.read_text()
    assert "Learned: turns by up to" in text and "no test scores" in text
    written = ls.read_degrees(run.path / "symmetry.json")
    assert [degree.estimate for degree in written] == pytest.approx([degree.estimate for degree in run.degrees()])


def test_seeds_give_intervals_and_validation_gives_scores(data, tmp_path):
    for seed in range(3):
        trained(data, tmp_path / f"seed-{seed}", seed, lambda model: ls.training.evaluate(model, data, F.cross_entropy))
    analysis = ls.report.analyze(tmp_path, progress=False)
    (found,) = analysis.data
    assert found.twins[0].score == "accuracy" and found.twins[0].seeds == [0, 1, 2]
    assert all(degree.low <= degree.estimate <= degree.high for degree in found.degrees)
    assert "of validation examples" in analysis.report.read_text()


def test_an_unfinished_run_is_refused_or_said(data, tmp_path):
    run = trained(data, tmp_path / "run")
    with run.writing() as state:
        run.save({**state, "finished": False})
    with pytest.raises(ValueError, match=r"^run: .* has done 4 of 4 steps; continue it with fit or ls\.study"):
        ls.report.analyze(run.path, progress=False)
    analysis = ls.report.analyze(run.path, progress=False, unfinished=True)
    assert analysis.unfinished == ["Unfinished: run has done 4 of 4 steps."]


def test_the_twin_to_take_has_the_lowest_validation_loss():
    results = {"learned": [{"val": 0.4}, {"val": 0.6}], "plain": [{"val": 0.3}, {"val": 0.9}]}
    assert best_twin(results) == "learned"
    assert best_twin({"learned": [{"val": 0.4}]}) is None
    assert best_twin({"learned": [{"val": 0.4}], "plain": [{}]}) is None


def test_what_helped_in_words():
    law = ls.distributions.learnable(ls.as_symmetry(["rotation2d", "flip2d"]).group)
    verdict = helped(law.degrees("input"))
    assert verdict.headline == "Learned: turns by up to 54°, mirrored 30% of the time"
    assert helped([]) is None
