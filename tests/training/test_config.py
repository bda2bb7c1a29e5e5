"""Configurations: files, overrides, round trips, and one sentence for what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from learnsym.training import OptimiserConfig, RunConfig, TrainConfig, dump_config, members, read_config
from learnsym.training.config_file import config_of, difference

BAD = {
    "top: 1": "top: unknown key",
    "train: {stepz: 3}": r"train\.stepz: unknown key",
    "data: {plant: {rotatoin: 3}}": r"data\.plant\.rotatoin: unknown key",
    "train: {steps: many}": r"train\.steps: .*many",
    "train: {steps: -1}": r"train\.steps: got -1",
    "train: {threads: x}": r"train\.threads: .*x",
    "optimiser: {schedule: linear}": r"optimiser\.schedule: .*linear",
    "optimiser: {clip: 0}": r"optimiser\.clip: got 0",
    "optimiser: {lr: .nan}": r"optimiser\.lr: got nan",
    "twins: [learned, other]": "twins: .*other",
    "{twins: [plain], twin_steps: {fixed: 3}}": "twin_steps: got 'fixed', must be one of the twins that are trained",
    "{twin: plain, twin_steps: {plain: 0}}": "twin_steps: got 0",
    "seeds: []": "seeds: got",
    "seeds: [1, 1]": "seeds: got",
    "data: {plant: {rotation: 200}}": "plant.rotation: got 200",
    "[1, 2]": "must hold keys and values",
    "a: [1": "is not YAML",
    "train: 3": "train",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_file(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=BAD[text]) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_config(tmp_path / "none.yaml")


def test_overrides(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("train: {steps: 7, batch_size: 3}\noptimiser: {lr: 1e-4}\n")
    config = read_config(path, ["--train.steps", "8", "--data.plant.rotation", "30", "--seeds", "[1, 2]"])
    assert (config.train.steps, config.train.batch_size, config.optimiser.lr) == (8, 3, 1e-4)
    assert (config.data.plant.rotation, config.seeds) == (30.0, [1, 2])
    with pytest.raises(ValueError, match=r"train\.stepz: unknown key"):
        read_config(path, ["--train.stepz", "8"])


def test_round_trip(tmp_path):
    config = RunConfig(
        train=TrainConfig(steps=3), optimiser=OptimiserConfig(lr=1e-5, clip=2.0), twins=["plain"], seeds=[4]
    )
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(config))
    assert read_config(path) == config
    assert difference(read_config(path), config) is None


def test_empty_file_is_the_default(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("")
    assert read_config(path) == RunConfig()


def test_difference(with_train):
    config = RunConfig()
    assert difference(config, with_train(config, steps=3)) == "train.steps"
    assert difference(config, with_train(config, device="cpu", workers=2)) is None
    assert difference(config, replace(config, seeds=[5])) == "seeds"


def test_members():
    config = RunConfig(twins=["learned", "plain"], seeds=[3, 4])
    found = members(config, "out")
    assert [path.name for _, path in found] == ["learned-3", "learned-4", "plain-3", "plain-4"]
    assert all(member.twin == member.twins[0] for member, _ in found)
    steps = members(replace(config, twin_steps={"plain": 7}), "out")
    assert [(member.train.steps, member.twin_steps) for member, _ in steps[1:3]] == [(config.train.steps, {}), (7, {})]
    ((member, path),) = members(RunConfig(), "out")
    assert (path.name, member.twins, member.seeds) == ("out", ["learned"], [0])


@pytest.mark.parametrize("key", ["class_path", "init_args"])
def test_a_configuration_imports_nothing(key, tmp_path, monkeypatch):
    (tmp_path / "imported_by_nobody.py").write_text("raise AssertionError('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for inner in ({key: "imported_by_nobody.X"}, {"pose": {key: "imported_by_nobody.X"}}, {"twins": [{f"a.{key}": 1}]}):
        for section in ("data", "analysis", "chooser"):
            content = {section: inner}
            (tmp_path / "c.yaml").write_text(json.dumps(content))
            with pytest.raises(ValueError, match=f"{key}: unknown key; a configuration names no classes"):
                read_config(tmp_path / "c.yaml")
            with pytest.raises(ValueError, match="names no classes"):
                config_of(content)


def test_settings_of_other_data_are_left_out_for_data_of_ones_own(tmp_path, caplog):
    """Numbers and label of the digits do not fit a file of somebody else; what is planted in known data stays."""
    np.savez(tmp_path / "mine.npz", x=np.random.rand(60, 8, 8).astype("f4"), y=np.arange(60) % 3)
    path = tmp_path / "c.yaml"
    path.write_text("data: {name: digits, label: scans, train: 900, plant: {rotation: 30}}")
    with caplog.at_level("INFO", "learnsym"):
        own = read_config(path, ["--data.name", str(tmp_path / "mine.npz")]).data
    assert (own.train, own.label, own.plant.rotation) == (None, "", 0.0)
    assert "settings of digits in" in caplog.text
    assert read_config(path, ["--data.name", "mnist"]).data.plant.rotation == 30


@pytest.mark.parametrize("override", [["--twins", "[plain]"], ["--train.steps", "5"], ["--train.steps=5"]])
def test_steps_by_twin_are_those_of_the_file_until_twins_or_steps_are_named(tmp_path, caplog, override):
    (tmp_path / "c.yaml").write_text("twins: [plain, exact]\ntwin_steps: {exact: 3}\n")
    assert read_config(tmp_path / "c.yaml").twin_steps == {"exact": 3}
    with caplog.at_level("INFO", logger="learnsym"):
        assert read_config(tmp_path / "c.yaml", override).twin_steps == {}
    assert "twin_steps" in caplog.text and "are left out" in caplog.text
