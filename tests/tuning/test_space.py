"""Search spaces: what is read, and what is refused before any work."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from learnsym.objectives import choosers
from learnsym.training.config_file import difference
from learnsym.tuning import Choices, Range, read_space, space_path
from learnsym.tuning.space import configured


def written(tmp_path, text):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return path


def test_a_space_is_read(small, tmp_path):
    text = """
        optimiser.lr: {low: 1e-4, high: 1, log: true}
        net.width: {low: 8, high: 64, step: 8}
        optimiser.clip: {low: 1, high: 2}
        twin: [plain, exact]
        objectives: [loss, cost]
        sampler: random
        seeds: [3, 4]
        prune: null
    """
    space = read_space(written(tmp_path, text), small)
    assert space.parameters == {
        "optimiser.lr": Range(low=1e-4, high=1.0, log=True),
        "net.width": Range(low=8, high=64, step=8, whole=True),
        "optimiser.clip": Range(low=1.0, high=2.0),
        "twin": Choices(values=("plain", "exact")),
    }
    assert space.directions == ["minimize", "minimize"]
    assert (space.sampler, space.seeds, space.prune) == ("random", (3, 4), None)
    assert json.loads(json.dumps(space.to_json()))


def test_seeds_are_those_of_the_configuration(small, tmp_path):
    path = written(tmp_path, "optimiser.lr: [0.1, 0.2]")
    assert read_space(path, replace(small, seeds=[5, 6])).seeds == (5, 6)


def test_values_are_drawn_from_the_space(small, tmp_path):
    import optuna

    text = """
        net.width: {low: 8, high: 64, step: 8}
        optimiser.lr: {low: 1e-3, high: 1e-1, log: true}
        net.norm: [none, batch]
    """
    space = read_space(written(tmp_path, text), small)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.suggest(study.ask()) for _ in range(20)]
    assert {value["net.width"] for value in drawn} <= set(range(8, 65, 8))
    assert all(1e-3 <= value["optimiser.lr"] <= 1e-1 for value in drawn)
    assert {value["net.norm"] for value in drawn} == {"none", "batch"}
    config = configured(small, drawn[0])
    assert config.net.width == drawn[0]["net.width"] and config.optimiser.lr == drawn[0]["optimiser.lr"]
    assert difference(config, replace(small, net=config.net, optimiser=config.optimiser)) is None


def test_settings_of_the_method_and_of_the_chooser_are_searched(small, tmp_path):
    learned = replace(small, twin="learned", chooser=choosers.registry["validation"]())
    text = """
        method.weight: {low: 0.01, high: 1, log: true}
        chooser.batch: {low: 4, high: 8}
        chooser.name: [training, validation]
    """
    space = read_space(written(tmp_path, text), learned)
    assert space.parameters["chooser.batch"] == Range(low=4, high=8, whole=True)
    assert configured(learned, {"method.weight": 0.5, "chooser.batch": 4}).chooser.batch == 4
    assert configured(learned, {"chooser.name": "training"}).chooser == choosers.registry["training"]()


BAD = {
    "optimiser.rate: {low: 1, high: 2}": "optimiser.rate: unknown key",
    "optimiser: {low: 1, high: 2}": "optimiser: cannot be searched as a whole",
    "seeds: [0, 1]": "names no key to search",
    "{}": "names no key to search",
    "twins: [plain, exact]": "twins: cannot be searched as a whole",
    "optimiser.lr: {low: 2, high: 1}": "optimiser.lr: got low 2.0 and high 1.0, low must be below",
    "optimiser.lr: {low: 0, high: 1, log: true}": "optimiser.lr: got low 0.0 with log",
    "optimiser.lr: {low: 0, high: 1, log: 3}": "optimiser.lr: got log 3",
    "optimiser.lr: {low: 0}": "optimiser.lr: got the keys low",
    "optimiser.lr: {low: 0, high: .nan}": "optimiser.lr: got high nan",
    "optimiser.lr: {low: 0, high: much}": "optimiser.lr: got high 'much'",
    "optimiser.lr: {low: 0.1, high: 1, log: true, step: 0.1}": "optimiser.lr: got step and log",
    "optimiser.lr: 3": "optimiser.lr: got 3",
    "optimiser.lr: [-1.0, 0.1]": "optimiser.lr: got -1.0",
    "optimiser.lr: [0.1]": "optimiser.lr: got .0.1., must be at least two",
    "optimiser.lr: [0.1, [1]]": "optimiser.lr: got .1. among the choices",
    "optimiser.momentum: {low: 0.5, high: 1.5}": "optimiser.momentum: got 1.5",
    "net.width: {low: 8, high: 20, step: 8}": "net.width: got step 8",
    "net.width: {low: 8, high: 20, step: 0}": "net.width: got step 0",
    "net.width: {low: 8.5, high: 20}": "net.width: got low 8.5, must be a whole number",
    "twin: {low: 1, high: 2}": "twin: is no number",
    "twin: [plain, other]": "twin",
    "method.symmetry: {low: 1, high: 2}": "method.symmetry: is no number",
    "method.fixed: {low: 1, high: 2}": "method.fixed: cannot be searched as a whole",
    "method: [augerino, residual]": "method: cannot be searched as a whole",
    "method.mode: [twirl, functional]": "method.mode: unknown key of the search space",
    "method.title: [a, b]": "method.title: unknown key of the search space",
    "method.name: [augerino, residual]": "net.name: got 'mlp' with the method residual",
    "chooser.batch: [8, 16]": "chooser.batch: unknown key of the search space",
    "train.device: [cpu, cuda]": "train.device: does not change what is trained",
    "{optimiser.lr: [0.1, 0.2], objectives: [test_loss]}": "objectives: got 'test_loss'",
    "{optimiser.lr: [0.1, 0.2], objectives: []}": "objectives: got",
    "{optimiser.lr: [0.1, 0.2], objectives: 3}": "objectives: got 3",
    "{optimiser.lr: [0.1, 0.2], sampler: grid}": "sampler: got 'grid'",
    "{optimiser.lr: [0.1, 0.2], sampler: cmaes, objectives: [loss, cost]}": "sampler: got 'cmaes'",
    "{optimiser.lr: {low: 0.1, high: 0.2}, net.norm: [none, batch], sampler: cmaes}": "sampler: got 'cmaes' with less",
    "{optimiser.lr: [0.1, 0.2], seeds: [1, 1]}": "seeds: got .1, 1.",
    "{optimiser.lr: [0.1, 0.2], seeds: [a]}": "seeds: got",
    "{optimiser.lr: [0.1, 0.2], prune: 2}": "prune: got 2",
    "{optimiser.lr: [0.1, 0.2], prune: often}": "prune: got 'often'",
    "a: [": "is not YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_spaces(small, tmp_path, text):
    with pytest.raises(ValueError, match=BAD[text]) as caught:
        read_space(written(tmp_path, text), small)
    assert "\n" not in str(caught.value)


def test_several_twins_are_not_tuned(small, tmp_path):
    with pytest.raises(ValueError, match="twins: got plain, exact"):
        read_space(written(tmp_path, "optimiser.lr: [0.1, 0.2]"), replace(small, twins=["plain", "exact"]))


def test_the_space_lies_beside_the_configuration(small, tmp_path):
    assert space_path(tmp_path / "a.yaml") == tmp_path / "a.space.yaml"
    with pytest.raises(ValueError, match=r"a\.space\.yaml does not exist"):
        read_space(space_path(tmp_path / "a.yaml"), small)
    assert yaml.safe_load("1e-4") == "1e-4"  # why numbers are read from words
