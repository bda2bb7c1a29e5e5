"""The command line: good input exits with 0, bad input with 2 and one sentence that names what is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

from learnsym import methods
from learnsym.cli import main
from learnsym.objectives import choosers
from learnsym.training import Run

SMALL = ["--data.name", "digits", "--data.size", "8", "--data.train", "64", "--data.val", "16", "--data.test", "16"]
SMALL += ["--train.batch_size", "16", "--train.device", "cpu", "--net.name", "mlp", "--net.width", "8"]
REMUL = ["--method.name", "remul", "--method.symmetries", "[rotation2d]"]
PROBABILISTIC = ["--method.name", "probabilistic", "--net.name", "steerable", "--net.width", "1"]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("train: {steps: 4}\n")
    return str(path)


def refused(capsys, arguments, named):
    assert main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and named in error[0], error


@pytest.mark.parametrize(
    ("override", "named"),
    [
        (["--train.stepz", "3"], "train.stepz"),
        (["--train.steps", "x"], "train.steps"),
        (["--train.steps", "-3"], "train.steps"),
        (["--train.device", "abacus"], "train.device"),
        (["--data.name", "none"], "data.name"),
        (["--method.symmetry", "none"], "symmetry"),
        (["--twin", "none"], "twin"),
        (["--penalty.mode", "functional"], "penalty.mode: is now method.mode, with method.name remul"),
        (["--augment.twin", "plain"], "augment.twin: is now twin"),
        (["--augment.symmetry=affine2d"], "augment.symmetry: is now method.symmetry"),
        (["--objective.weight", "1"], "objective.weight: is now method.weight"),
        (["--objective.chooser_copies", "1"], "objective.chooser_copies: is now chooser.copies"),
        (["--relax.layer", "residual"], "relax.layer: is now method.name"),
        (["--method.name", "none"], "method.name: got 'none', must be one of"),
        (["--chooser.name=none"], "chooser.name: got 'none', must be one of"),
        (["--chooser.name", "elbo"], "chooser.name: got 'elbo' with the method augerino"),
        (["--chooser.batch", "2"], "chooser.batch"),
        (["--chooser.name", "validation", "--chooser.copies", "0"], "chooser.copies"),
        ([*REMUL, "--chooser.name", "validation", "--chooser.copies", "2"], "chooser.copies"),
        ([*REMUL, "--method.init", "0.2"], "method.init: unknown key"),
        ([*PROBABILISTIC, "--chooser.name", "elbo", "--method.start", "1"], "method.start"),
        (["--net.name", "none"], "net.name"),
        (["--train.batch_size", "1000"], "batch_size"),
        (["--train.steps"], "train.steps"),
    ],
)
def test_bad_override(capsys, config, tmp_path, override, named):
    refused(capsys, ["train", config, *_without(override), "--out", tmp_path / "run", *override], named)


def _without(override):
    """SMALL without what an override says otherwise: no key may stand twice."""
    pairs = zip(SMALL[::2], SMALL[1::2], strict=True)
    return [word for pair in pairs if pair[0] not in override for word in pair]


@pytest.mark.parametrize("again", [["--net.name", "mlp"], ["--net.name=cnn"]])
def test_a_key_that_stands_twice_in_a_command(capsys, config, tmp_path, again):
    command = ["train", config, *SMALL, "--out", tmp_path / "run"]
    refused(capsys, [*command, *again], "net.name: stands 2 times in the command")


def test_bad_config_file(capsys, config, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("train: {stepz: 3}\n")
    refused(capsys, ["train", path, "--out", tmp_path / "run"], "train.stepz")
    refused(capsys, ["train", tmp_path / "none.yaml", "--out", tmp_path / "run"], "none.yaml")
    refused(capsys, ["train", config], "out")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("augment: {twin: plain}", "augment.twin: is now twin;"),
        ("augment: {symmetry: affine2d}", "augment.symmetry: is now method.symmetry;"),
        ("relax: {layer: residual}", "relax.layer: is now method.name;"),
        ("penalty: {mode: functional}", "penalty.mode: is now method.mode, with method.name remul;"),
        ("penalty: {weighting: dual}", "penalty.weighting: is now chooser.name;"),
        ("objective: {loss: mse}", "objective.loss: is now loss.name;"),
        ("objective: {chooser: validation}", "objective.chooser: is now chooser.name;"),
        ("objective:", "objective: is now method;"),
        ("method: {name: none}", "method.name: got 'none', must be one of"),
        ("chooser: {name: none}", "chooser.name: got 'none', must be one of"),
        ("method: {name: residual, init: 0.1}", "method.init: unknown key"),
        ("method: augerino", "method: got 'augerino', must hold keys and values"),
    ],
)
def test_files_with_old_or_unknown_keys(capsys, tmp_path, text, named):
    path = tmp_path / "old.yaml"
    path.write_text(f"{text}\ntrain: {{steps: 4}}\n")
    refused(capsys, ["train", path, *SMALL, "--out", tmp_path / "run"], named)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("override", "named"),
    [
        (["--penalty.mode", "functional"], "is now method.mode, with method.name remul"),
        (["--augment.twin", "plain"], "is now twin;"),
        (["--objective.weight", "1"], "is now method.weight;"),
    ],
)
def test_old_overrides_of_a_file_with_new_keys(capsys, tmp_path, override, named):
    demo = Path(__file__).parents[1] / "configs" / "demo.yaml"
    refused(capsys, ["train", demo, "--out", tmp_path / "run", *override], named)


def test_overrides_need_only_fit_together_with_the_file(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text("net: {name: steerable, width: 1}\ntrain: {steps: 0}\ntwin: plain\n")
    few = [*SMALL[:-4], "--method.name", "residual", "--out", str(tmp_path / "run")]
    assert main(["train", str(path), *few]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_another_method_than_the_file_starts_from_its_own_defaults(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text("method: {init: 0.1, orbit: 3}\nchooser: {name: validation, batch: 4}\ntrain: {steps: 0}\n")
    more = [*REMUL, "--chooser.name=training", "--out", str(tmp_path / "run")]
    assert main(["train", str(path), *SMALL, *more]) == 0
    config = Run(tmp_path / "run").config
    assert (config.method, config.train.steps) == (methods.registry["remul"](symmetries=["rotation2d"]), 0)
    assert config.chooser == choosers.registry["training"]()


def test_train_resume_refuse(capsys, config, tmp_path):
    arguments = ["train", config, *SMALL, "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(arguments) == 0
    capsys.readouterr()
    refused(capsys, [*arguments, "--train.steps", "5"], "train.steps")


def test_analyze_with_other_settings(capsys, config, tmp_path):
    assert main(["train", config, *SMALL, "--out", str(tmp_path / "run")]) == 0
    few = ["--analysis.angle_step=0", "--analysis.pose.generators=[]", "--analysis.task_extent.widths=[]"]
    assert main(["analyze", str(tmp_path / "run"), *few]) == 0
    assert "report.html" in capsys.readouterr().out
    refused(capsys, ["analyze", tmp_path / "run", "--analysis.angle_step", "7"], "analysis.angle_step")
    refused(capsys, ["analyze", tmp_path / "run", "--train.steps", "7"], "train.steps")


@pytest.mark.parametrize("command", ["analyze", "export"])
def test_unreadable_run(capsys, tmp_path, command):
    more = ["--out", tmp_path / "model.pt2"] if command == "export" else []
    refused(capsys, [command, tmp_path / "none", *more], "none")


def test_data(capsys):
    assert main(["data", "list"]) == 0
    assert "digits" in capsys.readouterr().out
    assert main(["data", "verify", "digits"]) == 0
    capsys.readouterr()
    refused(capsys, ["data", "verify", "none"], "none")


@pytest.mark.parametrize("command", [[], ["train"], ["analyze"], ["export"], ["data"], ["data", "fetch"]])
def test_help(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "usage: learnsym" in text
    if command == ["train"]:
        assert "--optimiser.symmetry_lr" in text and "Learning rate of the parameters" in text


def shown(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main(["train", *arguments, "--help"])
    assert caught.value.code == 0
    return capsys.readouterr().out


SECTIONS = [*((method, "selection") for method in methods.registry), *(("remul", name) for name in choosers.registry)]


@pytest.mark.parametrize(("method", "chooser"), SECTIONS)
def test_help_shows_the_settings_of_the_method_and_of_the_chooser(capsys, method, chooser):
    text = shown(capsys, "--method.name", method, f"--chooser.name={chooser}")
    options = {word for word in re.findall(r"--((?:method|chooser)\.\w+)", text) if not word.endswith(".help")}
    kinds = {"method": methods.registry[method], "chooser": choosers.registry[chooser]}
    assert options == {f"{section}.{field.name}" for section, kind in kinds.items() for field in fields(kind)}


def test_help_of_a_file_is_that_of_its_method(capsys, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("method: {name: remul}\n")
    text = shown(capsys, str(path))
    assert "--method.mode" in text and "--method.init" not in text
    assert "--method.init" in shown(capsys, str(path), "--method.name", "augerino")


@pytest.mark.parametrize("arguments", [["tarin"], ["analyze"], ["data", "fetsch", "digits"], ["export", "run"], []])
def test_unknown_command(capsys, arguments):
    refused(capsys, arguments, arguments[1] if arguments[:1] == ["data"] else "".join(arguments[:1]) or "COMMAND")


def test_signal_exit_code(config, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "learnsym", "train", config, *SMALL, "--train.steps", "1000000", "--out", str(run)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists() or not (run / "metrics.jsonl").stat().st_size:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 143
    assert "stopped by signal 15" in error
    assert (run / "state.pt").exists()
