"""Comparisons as files: what is read is what was written, and bad input gets one sentence."""

from __future__ import annotations

import pytest
import yaml

from learnsym.comparison import ComparisonConfig, dump_comparison, read_comparison
from learnsym.comparison.config import merged

ARMS = {"plain": {"twin": "plain"}, "learned": {}}


def written(path, **values):
    path.write_text(yaml.safe_dump(values))
    return path


def test_reads_what_it_writes(tmp_path):
    config = ComparisonConfig(arms=ARMS, train_sizes=[10, 20], lrs=[1e-3], match="flops", reference="learned")
    path = tmp_path / "comparison.yaml"
    path.write_text(dump_comparison(config))
    assert read_comparison(path) == config


def test_overrides_go_before_the_file(tmp_path):
    path = written(tmp_path / "c.yaml", arms=ARMS, seeds=[5], base={"train": {"steps": 7}})
    config = read_comparison(path, ["--seeds", "[0, 1]", "--base.train.steps", "9"])
    assert config.seeds == [0, 1]
    assert config.base["train"]["steps"] == 9


def test_overrides_of_a_section_leave_its_other_keys(tmp_path):
    base = {
        "data": {"name": "gibbs"},
        "train": {"steps": 7, "batch_size": 16},
        "method": {"name": "augerino", "init": 0.1},
    }
    path = written(tmp_path / "c.yaml", arms={"learned": {"net": {"width": 4}}}, base=base)
    words = [
        "--base.train.steps=9",
        "--base.train.device",
        "cpu",
        "--base.data.train",
        "12",
        "--base.optimiser.lr",
        "1e-2",
    ]
    words += ["--arms.learned.net.depth", "3"]
    config = read_comparison(path, words)
    assert config.base["data"] == {"name": "gibbs", "train": 12}
    assert config.base["train"] == {"steps": 9, "batch_size": 16, "device": "cpu"}
    assert config.base["method"] == base["method"] and config.base["optimiser"] == {"lr": 0.01}
    assert config.arms == {"learned": {"net": {"width": 4, "depth": 3}}}


def test_another_method_has_its_own_settings_in_whatever_order(tmp_path):
    path = written(tmp_path / "c.yaml", arms=ARMS, base={"method": {"name": "augerino", "init": 0.1}})
    for words in (
        ["--base.method.group", "C_4", "--base.method.name", "residual"],
        ["--base.method={name: residual, group: C_4}"],
    ):
        assert read_comparison(path, words).base["method"] == {"name": "residual", "group": "C_4"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--base.train.steps", "{a"], "base.train.steps: is not read"),
        (["--base.train", "5", "--base.train.steps", "9"], "base.train.steps: lies within train"),
    ],
)
def test_overrides_that_cannot_be_read_are_said(tmp_path, words, sentence):
    path = written(tmp_path / "c.yaml", arms=ARMS)
    with pytest.raises(ValueError, match=sentence):
        read_comparison(path, words)


def test_base_begins_with_the_file_behind_from(tmp_path):
    (tmp_path / "runs").mkdir()
    written(tmp_path / "runs" / "a.yaml", net={"width": 8, "depth": 2})
    path = written(tmp_path / "c.yaml", arms=ARMS, base={"from": "runs/a.yaml", "net": {"width": 4}})
    assert read_comparison(path).base == {"net": {"width": 4, "depth": 2}}


@pytest.fixture
def said(caplog):
    caplog.set_level("INFO", logger="learnsym.comparison")
    return lambda: " ".join(record.getMessage() for record in caplog.records)


def test_twins_and_seeds_of_the_base_are_those_of_the_comparison(tmp_path, said):
    written(tmp_path / "a.yaml", net={"width": 8}, twins=["learned", "exact"], seeds=[7, 8])
    path = written(tmp_path / "c.yaml", base={"from": "a.yaml"}, match="none")
    config = read_comparison(path)
    assert config.arms == {"learned": {"twin": "learned"}, "exact": {"twin": "exact"}} and config.seeds == [7, 8]
    assert config.base == {"net": {"width": 8}}
    assert "twins of the base, learned, exact" in said() and "those of the base, 7, 8" in said()
    config = read_comparison(path, ["--base.twins", "[plain]", "--seeds", "[3]"])
    assert config.arms == {"plain": {"twin": "plain"}} and config.seeds == [3]
    assert "seeds: those of the comparison, 3" in said()


def test_the_configuration_of_a_run_is_the_base(tmp_path, said):
    path = written(tmp_path / "run.yaml", net={"width": 8}, twins=["plain", "exact"], seeds=[1])
    config = read_comparison(path, ["--lrs", "[0.1]"])
    assert list(config.arms) == ["plain", "exact"] and config.base == {"net": {"width": 8}} and config.lrs == [0.1]
    assert "run.yaml: arms: the twins of the base, plain, exact" in said()
    assert read_comparison(path, ["--seeds", "[0, 2]"]).seeds == [0, 2]


def test_twins_of_the_base_keep_their_steps(tmp_path):
    path = written(tmp_path / "run.yaml", twins=["plain", "exact"], twin_steps={"plain": 9})
    assert read_comparison(path).arms == {"plain": {"twin": "plain", "train": {"steps": 9}}, "exact": {"twin": "exact"}}


def test_steps_of_the_command_go_before_those_of_twins(tmp_path, said):
    path = written(tmp_path / "run.yaml", twins=["plain", "exact"], twin_steps={"plain": 9})
    config = read_comparison(path, ["--base.train.steps", "5"])
    assert {arm: run.train.steps for arm, run in config.arm_configs.items()} == {"plain": 5, "exact": 5}
    assert "twin_steps" in said() and "are left out" in said()


def test_an_arm_without_differences_is_the_base(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("arms:\n  learned:\n")
    assert read_comparison(path).arms == {"learned": {}}


def test_merging_leaves_both_as_they_are():
    base, other = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, other) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}} and other == {"a": {"c": 2}}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "arms: got none"),
        ({"arms": ARMS, "seeds": []}, "zero cells"),
        ({"arms": ARMS, "base": {"twins": ["plain"]}}, "arms: got .*learned.* beside base.twins plain; leave one"),
        ({"base": {"twins": ["plain"], "twin_steps": {"plain": 9}}, "steps": [3]}, "twin_steps: got .* beside steps"),
        ({"base": {"twins": ["plain"], "twin_steps": 9}}, "twin_steps: got 9, must hold"),
        ({"base": {"twins": "plain"}}, "base.twins: got 'plain', must be a list"),
        ({"net": {"width": 8}}, "arms: got none"),
        ({"net": {"width": 8}, "arms": ARMS}, "net: unknown key of a comparison"),
        ({"arms": ARMS, "seeds": [1, 1]}, "must differ"),
        ({"arms": ARMS, "train_sizes": [0]}, "train_sizes: got"),
        ({"arms": ARMS, "steps": [10], "epochs": [1.0]}, "epochs: got both"),
        ({"arms": ARMS, "match": "memory"}, "match: "),
        ({"arms": ARMS, "reference": "exact"}, "reference: got 'exact'"),
        ({"arms": ARMS, "colour": 3}, "colour: unknown key"),
        ({"arms": ARMS, "seeds": "many"}, "seeds: "),
        ({"arms": {"a": {}, "b": {"net": {"width": 3}}}}, "arms.b.net.width"),
        ({"arms": {"a": {"net": {"width": 3}}}, "sizes": [3]}, "contradicts sizes"),
    ],
)
def test_bad_input_is_named(tmp_path, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_comparison(written(tmp_path / "c.yaml", **values))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"c\.yaml does not exist"):
        read_comparison(tmp_path / "c.yaml")
