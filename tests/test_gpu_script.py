"""The measurements for a GPU, dry on a CPU: with what they may import, at a hundredth of their size, within limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

MNIST = Path(os.environ.get("LEARNSYM_DATA", "")) / "mnist"
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "experiments" / "gpu"
MAY_BE_THERE = {
    *("torch", "torchgen", "functorch", "numpy", "jaxtyping", "pyro", "pyroapi", "opt_einsum", "tqdm", "jsonargparse"),
    *("docstring_parser", "typeshed_client", "filelock", "yaml", "_yaml", "typing_extensions", "importlib_resources"),
    *("sympy", "mpmath", "jinja2", "markupsafe", "networkx", "fsspec", "triton", "setuptools"),  # those of torch itself
}
"""Packages: torch with what it needs, NumPy, and wheels of pure Python that are core dependencies."""
DRY = """
import json, sys, time

PATH, NAMES = json.loads(sys.argv[1])
sys.path[:0] = PATH
import compiled, run, trial

compiled.registry = {name: compiled.registry[name] for name in ("augerino", "remul")}
rows = {}
for name in NAMES:
    part, one = run.PARTS[name], trial.Trial("cpu", 0.01, time.monotonic() + 3600)
    function = getattr(__import__(part.module), name)
    rows[name] = list(function(one, []) if part.resumes else function(one))
    assert not one.left_out
print(json.dumps(rows))
"""
NAMES = ("warps", "layers", "methods", "transformers", "ensembles", "scaling", "digits", "graphs")


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A folder of packages as on a machine with a GPU: torch, NumPy and pure Python."""
    folder, installed = tmp_path_factory.mktemp("packages"), Path(torch.__file__).parents[1]
    for path in installed.iterdir():
        name = path.name.partition("-")[0].partition(".")[0]
        if name in MAY_BE_THERE or name.replace("_ppl", "").replace("_api", "api").lower() in MAY_BE_THERE:
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def dry(packages):
    """The rows of some parts, made in a process that finds no other packages."""

    def run(names, **environment):
        words = json.dumps([[str(FOLDER), str(ROOT), str(packages)], names])
        own = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        own.pop("PYTHONPATH", None)
        ended = subprocess.run([sys.executable, "-S", "-c", DRY, words], env=own, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr[-3000:]
        return json.loads(ended.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
def test_all_parts_run_dry_with_nothing_but_torch_and_pure_python(dry, tmp_path):
    rows = dry(NAMES, LEARNSYM_DATA=str(tmp_path))
    assert set(rows) == set(NAMES) and all(rows.values())
    for name in ("warps", "layers", "methods", "transformers"):
        assert all(row["ratio"] > 0 for row in rows[name]), name
    assert all(row["times faster"] > 0 for row in rows["ensembles"])
    assert [row["graph breaks"] for row in rows["methods"]] == [0, 0]
    assert "GPU" in rows["graphs"][0]["not run"]  # never silent
    assert "mujoco" in rows["scaling"][0]["not run"]
    assert "mnist" in rows["digits"][0]["not run"].lower()


def test_warps_run_dry_and_parts_that_lack_something_say_so(dry, tmp_path):
    rows = dry(["warps", "scaling", "digits", "graphs"], LEARNSYM_DATA=str(tmp_path))
    assert len(rows["warps"]) == 4 and all(row["ratio"] > 0 for row in rows["warps"])
    assert "only a GPU says so" in rows["warps"][1]["waits"]
    assert all("not run" in rows[name][0] for name in ("scaling", "digits", "graphs"))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not MNIST.is_dir(), reason="mnist is not in LEARNSYM_DATA")
def test_double_digits_run_dry(dry):
    rows = dry(["digits"])["digits"]
    assert len(rows) == 6 and all(0 <= row["accuracy"] <= 1 and row["epochs"] == 1 for row in rows)
    assert all(row["shortened"] == "1 epochs of 50" for row in rows)


@pytest.fixture
def script(monkeypatch):
    """The modules of the experiment."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("run", "trial", "scaling"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import run

    yield run
    for name in ("run", "trial", "scaling"):
        sys.modules.pop(name, None)


TRIAL = """
class Trial:
    def __init__(self, device, size, end):
        self.left_out = []
"""
PART = """
import time

def quick(trial):
    yield {"name": "first", "ratio": 1.0}
    trial.left_out.append("third")

def hangs(trial):
    yield {"name": "before", "ratio": 1.0}
    time.sleep(600)

def breaks(trial):
    yield {"name": "before", "ratio": 1.0}
    raise RuntimeError("out of memory")

def resumed(trial, done):
    yield {"name": f"cell {len(done)}"}
"""


@pytest.fixture
def made_up(tmp_path):
    """The script with other parts: what it ends with, and what it has written."""
    text, limits = (
        (FOLDER / "run.py").read_text(encoding="utf8"),
        {"quick": 300, "hangs": 20, "breaks": 300, "resumed": 300},
    )
    start, end = text.index("PARTS = {"), text.index('"""In order of worth')
    parts = f"PARTS = {{name: Part('made_up', limit, name == 'resumed') for name, limit in {limits!r}.items()}}\n"
    for name, content in {"run": text[:start] + parts + text[end:], "trial": TRIAL, "made_up": PART}.items():
        (tmp_path / f"{name}.py").write_text(content, encoding="utf8")

    def run(*names):
        words = ["--device", "cpu", "--out", str(tmp_path / "out"), "--parts", *names]
        own = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        ended = subprocess.run(
            [sys.executable, str(tmp_path / "run.py"), *words], env=own, capture_output=True, text=True
        )
        return ended.returncode, json.loads((tmp_path / "out" / "results.json").read_text())["parts"]

    return run


def names_of(part):
    return [row["name"] for row in part["rows"]]


@pytest.mark.slow
def test_a_part_that_hangs_or_breaks_keeps_its_rows_and_stops_no_other(made_up):
    code, parts = made_up("hangs", "breaks", "quick")
    assert code == 1
    assert "stopped after 20 s" in parts["hangs"]["state"] and names_of(parts["hangs"]) == ["before"]
    assert "failed with exit code 1" in parts["breaks"]["state"] and names_of(parts["breaks"]) == ["before"]
    assert parts["quick"]["state"].startswith("finished") and names_of(parts["quick"]) == ["first", "1 left out"]
    assert parts["quick"]["rows"][-1]["left out"] == ["third"]


def test_a_part_that_resumes_goes_on_and_the_others_begin_anew(made_up):
    assert made_up("resumed", "quick")[0] == 0
    code, parts = made_up("resumed", "quick")
    assert code == 0 and names_of(parts["resumed"]) == ["cell 0", "cell 1"] and len(parts["quick"]["rows"]) == 2


def test_no_case_begins_for_which_there_is_no_time_left(script, monkeypatch):
    import trial

    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(trial.time, "monotonic", lambda: float(next(clock)))
    one = trial.Trial("cpu", 0.5, end=70.0)
    assert list(one.within("abcd")) == ["a", "b"] and one.left_out == ["c", "d"]
    assert one.scaled(30) == 15 and one.scaled(1) == 1


def test_all_parts_together_take_less_than_eight_minutes(script):
    assert sum(part.seconds for part in script.PARTS.values()) <= 480 - 5
    assert list(script.PARTS) == list(NAMES)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--size 0", "argument --size: got 0, must be above 0 and at most 1"),
        ("--size nan", "argument --size: got nan, must be above 0 and at most 1"),
        ("--device cuda", "argument --device: got cuda, and PyTorch sees no GPU here; give --device cpu"),
    ],
)
def test_bad_words_are_one_sentence_before_any_work(script, words, sentence, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(script, "_has_gpu", lambda: False)
    monkeypatch.setattr(sys, "argv", ["run.py", "--out", str(tmp_path / "out"), *words.split()])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 2 and not (tmp_path / "out").exists()
    assert sentence in capsys.readouterr().err.splitlines()[-1]
