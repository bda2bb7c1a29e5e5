"""Studies: twins of a network of your own, what they say, how they are continued, and what they refuse."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import learnsym as ls
from learnsym.measure import PoseConfig
from learnsym.studies.recipe import exact_part

QUICK = {"steps": 6, "pose": PoseConfig(generators=[]), "progress": False}


class Mine(nn.Module):
    """A network that knows nothing of learnsym."""

    def __init__(self, outputs=3):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.head = nn.Linear(16, outputs)

    def forward(self, x):
        return self.head(self.body(x))


def numbers(count=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, 8, 8, generator=generator)
    return x, torch.arange(count) % 3


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study of all twins with two seeds."""
    out = tmp_path_factory.mktemp("studies") / "mine"
    parts = (numbers(60, 0), numbers(20, 1), numbers(20, 2))
    return ls.study(Mine, *parts, symmetries=["rotation2d", "flip2d", "scale2d"], out=out, seeds=(0, 1), **QUICK)


def test_degrees_by_part_with_intervals_over_seeds(done):
    found = {degree.generator: degree for degree in done.degrees}
    assert set(found) == {"rotation", "scale", "reflection at 90"}
    assert all(degree.low <= degree.estimate <= degree.high and degree.notion == "task" for degree in found.values())


def test_twins_of_a_seed_begin_alike(done):
    first = {run.path.name: run.metrics()[0] for run in done.runs}
    assert set(first) == {f"{twin}-{seed}" for twin in ("learned", "plain", "exact") for seed in (0, 1)}
    for seed in (0, 1):
        models = [done.recipe.trained(twin, seed) for twin in done.recipe.settings.twins]
        nets = [model.net for model in models]
        starts = [net.state_dict() for net in nets]
        assert all(torch.equal(value, start[name]) for start in starts for name, value in starts[0].items())
    assert not torch.equal(*(done.recipe.network(seed).head.weight for seed in (0, 1)))


def test_the_page_says_which_twin_to_take(done):
    page = done.report(progress=False)
    text = page.read_text()
    assert page == done.out / "report.html" and f"Take the {done.best} twin" in text
    assert "Learned: turns by up to" in text and "mirrored" in text
    assert {d["generator"] for d in json.loads((done.out / "symmetry.json").read_text())["degrees"]} >= {"rotation"}
    again = ls.report.analyze(done.out, progress=False)
    assert again.data[0].degrees == done.degrees
    assert done.best in repr(done) and "<pre>" in done._repr_html_()


def test_the_exact_twin_is_exact(done):
    model, x = done.model("exact", 0), numbers(4)[0]
    with torch.no_grad():
        torch.testing.assert_close(model(x), model(x.rot90(1, (-2, -1))), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(model(x), model(x.flip(-1)), rtol=1e-4, atol=1e-5)


def test_a_program_without_learnsym(done, tmp_path):
    path = done.export(tmp_path / "model.pt2")
    x = numbers(5)[0]
    with torch.no_grad():
        torch.testing.assert_close(torch.export.load(path).module()(x), done.model()(x), rtol=1e-4, atol=1e-5)


def test_the_card_of_the_best_twin(done, tmp_path):
    settings = ls.report.card.CardSettings(examples=8, samples=2, layers=False)
    card = done.card(tmp_path / "card", settings)
    assert Path(card.page).is_file() and done.best in card.model


def test_the_same_call_does_nothing_again(done, monkeypatch):
    monkeypatch.setattr("learnsym.studies.member.fit", lambda *_, **__: pytest.fail("trained again"))
    parts = (numbers(60, 0), numbers(20, 1), numbers(20, 2))
    options = {"symmetries": ["rotation2d", "flip2d", "scale2d"], "seeds": (0, 1), **QUICK}
    again = ls.study(Mine, *parts, out=done.out, **options)
    assert again.degrees == done.degrees
    with pytest.raises(ValueError, match=r"^steps: got 7, but the study in .* was made with 6; use that to continue"):
        ls.study(Mine, *parts, out=done.out, **{**options, "steps": 7})
    with pytest.raises(ValueError, match=r"^symmetries: got "):
        ls.study(Mine, *parts, out=done.out, **{**options, "symmetries": "rotation2d"})
    with pytest.raises(ValueError, match=r"^data: got "):
        ls.study(Mine, numbers(60, 5), *parts[1:], out=done.out, **options)


def test_a_study_that_was_stopped_goes_on(tmp_path, monkeypatch):
    options = {"symmetries": "rotation2d", "out": tmp_path / "s", "twins": ["learned", "plain"], "seeds": [0], **QUICK}
    with monkeypatch.context() as patch:
        log = ls.training.OwnRun.log

        def killed(self, record):
            if self.twin == "plain" and record["step"] == 4:
                raise KeyboardInterrupt
            log(self, record)

        patch.setattr(ls.training.OwnRun, "log", killed)
        with pytest.raises(KeyboardInterrupt):
            ls.study(Mine, numbers(80), **options)
    with pytest.raises(ValueError, match=r"^run: .* has done 0 of \d+ steps; continue it"):
        ls.report.analyze(tmp_path / "s", progress=False)
    study = ls.study(Mine, numbers(80), **options)
    assert [run.is_finished for run in study.runs] == [True, True]


def test_validation_examples_select_among_hypotheses(done, tmp_path):
    model = done.model("learned")
    assert isinstance(model, ls.augment.Hypotheses)
    assert "one of several hypotheses" in done.report(progress=False).read_text()
    program = torch.export.load(done.export(tmp_path / "model.pt2", "learned")).module()
    assert program(torch.rand(4, 1, 8, 8)).shape == (4, 3)


def test_some_training_examples_may_choose(tmp_path):
    options = {"symmetries": "rotation2d", "twins": ["learned", "plain"], "seeds": [0], "borrow": 0.5}
    options |= {**QUICK, "steps": 24}
    splits = ls.data.Dataset(*numbers(30), classes=3), ls.data.Dataset(*numbers(4), classes=3)
    study = ls.study(Mine, *splits, out=tmp_path / "s", **options)
    objective = study.recipe.objective("learned", study.splits.train, study.splits.val, 6)
    assert len(objective.held_out[1]) == len(study.splits.train) == 2 * len(objective.borrowed.rows)
    with pytest.raises(ValueError, match=r"^val: got 4 examples, must be at least 10 .* choose with borrow=0.25"):
        ls.study(Mine, *splits, out=tmp_path / "t", **{**options, "borrow": 0.0})
    with pytest.raises(ValueError, match=r"^steps: got 3, too few to choose by borrowed examples"):
        ls.study(Mine, *splits, out=tmp_path / "t", **{**options, "steps": 3})
    with pytest.raises(ValueError, match=r"^study\.borrow: got 0\.5 with the chooser training"):
        ls.study(Mine, *splits, out=tmp_path / "t", chooser="training", **options)


def test_the_training_loss_may_choose(tmp_path):
    options = {"symmetries": "rotation2d", "twins": ["learned", "plain"], "seeds": [0], "chooser": "training"}
    method = ls.methods.augerino.Augerino(init=0.5, copies=2, test_copies=2)
    study = ls.study(Mine, numbers(30), out=tmp_path / "s", method=method, **options, **QUICK)
    assert isinstance(study.model("learned"), ls.augment.Augmented)
    assert [degree.generator for degree in study.degrees] == ["rotation"]
    splits = study.splits
    assert [study.recipe.steps(twin, splits.train, splits.val) for twin in ("learned", "plain", "exact")] == [6, 12, 6]


def test_twins_cost_what_the_selection_costs(done):
    """Its looks at held-out examples are charged for what they take, and not for the share that they may."""
    recipe, train, val = done.recipe, done.splits.train, done.splits.val
    steps, hypotheses = recipe.settings.steps, len(done.model("learned").names)
    objective = recipe.objective("learned", train, val, steps)
    run = next(run for run in done.runs if run.path.name == "learned-0")
    before_the_last_look = max(row["passes"] for row in run.metrics() if "passes" in row)
    last_look = len(val) * recipe.settings.method.test_copies / (3 * len(train))
    plain = recipe.steps("plain", train, val)
    assert recipe.steps("learned", train, val) == steps < plain == recipe.steps("exact", train, val)
    assert plain == pytest.approx(before_the_last_look + last_look, abs=1)
    assert plain == round(steps * objective.trainings(hypotheses, len(train), 8))


FORMS = {
    "tensors": lambda x, y: (x, y),
    "arrays": lambda x, y: (x.numpy(), y.numpy()),
    "torch_dataset": TensorDataset,
    "loader": lambda x, y: DataLoader(TensorDataset(x, y), 16),
    "dataset": lambda x, y: ls.data.Dataset(x, y, classes=3),
}


@pytest.mark.parametrize("form", FORMS)
def test_examples_come_in_any_form(form, tmp_path):
    data = FORMS[form](*numbers(30))
    one = {"twins": ["plain"], "seeds": [0], **QUICK, "steps": 1}
    study = ls.study(Mine(), data, symmetries="rotation2d", out=tmp_path / "s", **one)
    assert sum(len(part) for part in (study.splits.train, study.splits.val, study.splits.test)) == 30
    assert study.results.twins[0].score == "accuracy" and study.best == "plain" and study.degrees == []


def test_numbers_get_the_squared_error_and_a_word_names_a_network(tmp_path, caplog):
    x, _ = numbers(80)
    one = {"twins": ["learned"], "seeds": [0], **QUICK, "steps": 1}
    with caplog.at_level(logging.INFO):
        study = ls.study("mlp", (x, np.linspace(0, 1, 80)), symmetries=["scale2d"], out=tmp_path / "s", **one)
    assert "loss: mse, since the targets are numbers" in caplog.text
    assert study.results.twins[0].score == "squared error"


def test_symmetries_without_a_compact_part_have_no_exact_twin():
    assert exact_part(ls.as_symmetry(["scale2d", "translation2d"])) is None
    assert exact_part(ls.as_symmetry(["scale2d", "square2d", "colour"])).group == ls.groups.Dihedral(4)
    assert exact_part(ls.as_symmetry("e3")).group == ls.groups.O3()


BAD = {
    "network of other inputs": (
        {"net": nn.Linear(4, 3)},
        r"^net: cannot take examples of shape \(1, 8, 8\) \(RuntimeError",
    ),
    "unknown setting": ({"epochs": 3}, r"^epochs: is no setting of a study, must be one of twins"),
    "unknown symmetry": ({"symmetries": ["turns"]}, r"^symmetry: got 'turns', must be one of"),
    "no symmetry": ({"symmetries": []}, r"^symmetry: got \[\], must be"),
    "symmetry of clouds": ({"symmetries": "so3"}, r"^symmetry: got 'so3', which does not move examples of shape"),
    "wrong outputs": (
        {"net": lambda: Mine(2)},
        r"^net: returns shape \(2, 2\) for 2 examples, must",
    ),
    "no network": ({"net": lambda: 3}, r"^net: the function returns a int, must return a module"),
    "no targets": ({"train": torch.rand(20, 1, 8, 8)}, r"^train: holds no targets"),
    "few examples": ({"train": numbers(2)}, r"^train: got . examples, too few"),
    "other shape": ({"val": (torch.rand(6, 1, 9, 9), torch.arange(6) % 3)}, r"^val: got examples of shape \(1, 9, 9\)"),
    "source as val": ({"val": "digits"}, r"^val: got the source 'digits'"),
    "setting of the method": (
        {"method": ls.methods.augerino.Augerino(orbit=4)},
        r"^method.orbit: got 4",
    ),
    "too few examples to select by": (
        {"val": numbers(6)},
        r"^val: got 6 examples, must be at least 10 for the chooser selection; give more, let a quarter of the ",
    ),
    "setting that selection does not use": (
        {"method": ls.methods.augerino.Augerino(init=0.5)},
        r"^method.init: got 0.5, which the chooser selection does not use",
    ),
    "no seeds": ({"seeds": []}, r"^study\.seeds: got \[\], must name at least one"),
    "label maps": ({"train": (torch.rand(20, 1, 8, 8), torch.zeros(20, 8, 8).long())}, r"label maps"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_work(case, tmp_path):
    change, sentence = BAD[case]
    given = {"net": Mine, "train": numbers(80), "symmetries": "rotation2d", "out": tmp_path / "s", **QUICK, **change}
    with pytest.raises(ValueError, match=sentence):
        ls.study(given.pop("net"), given.pop("train"), given.pop("val", None), **given)
    assert not (tmp_path / "s").exists()


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"^out: .* is not a study, but holds notes\.txt"):
        ls.study(Mine, numbers(80), symmetries="rotation2d", out=tmp_path, **QUICK)


class Two(Mine):
    """The same with a number beside each image."""

    def forward(self, image, side):
        return super().forward(image) + side


@pytest.mark.slow
def test_examples_of_several_inputs(tmp_path):
    image, y = numbers(90)
    x = {"side": torch.rand(90, 1), "image": image}
    data = ls.data.as_dataset((x, y), moves="image")
    pose = PoseConfig(examples=20, steps=2, folds=2, generators=["rotation"])
    study = ls.study(
        Two,
        data,
        symmetries=["rotation2d"],
        out=tmp_path,
        **QUICK | {"pose": pose, "seeds": [0], "twins": ["learned", "exact"]},
    )
    assert {degree.notion for degree in study.degrees} == {"task", "distribution"}
    few = {key: part[:4] for key, part in x.items()}
    torch.testing.assert_close(
        study.model("exact")(few | {"image": image[:4].rot90(1, (2, 3))}), study.model("exact")(few)
    )
    weights = safetensors.torch.load_file(tmp_path / "learned-0" / "net.safetensors")
    assert set(weights) == set(Two().state_dict())
    assert study.card(settings=ls.report.card.CardSettings(layers=False, samples=2)).examples == len(study.splits.test)
    assert study.report(progress=False).is_file()
