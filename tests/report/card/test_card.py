"""The symmetry card: from the command line, resumed, refused, and readable."""

import json
import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from learnsym.cli import main
from learnsym.report import card


@pytest.fixture
def factory(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        textwrap.dedent("""
        import torch
        from torch import nn

        def small():
            torch.manual_seed(0)
            net = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)]
            return nn.Sequential(*net)

        class Wrapped(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = small()

            def forward(self, x):
                return {"logits": self.net(x)}

        def wrapped():
            return Wrapped()

        number = 3

        def no_module():
            return 3
        """)
    )
    return path


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.npz"
    generator = np.random.default_rng(0)
    np.savez(path, x=generator.random((24, 1, 8, 8), dtype=np.float32), y=generator.integers(0, 3, 24))
    return path


def run(*words):
    return main(["measure", *map(str, words)])


def test_card_from_the_command_line(factory, data, tmp_path, capsys):
    out = tmp_path / "card"
    code = run(f"{factory}:small", "--data", data, "--symmetry", "rotation2d", "square2d", "--out", out, "--seed", 1)
    assert code == 0
    assert "predictions that stay" in capsys.readouterr().out
    content = json.loads((out / "card.json").read_text())
    keys = {"symmetry", "site", "measure", "generator", "element", "value", "relative", "stderr", "floor", "unit"}
    keys |= {"low", "high", "per_example"}
    assert all(set(row) == keys for row in content["rows"])
    measured = {(row["symmetry"], row["measure"]) for row in content["rows"]}
    assert ("square2d", "error at an element") in measured
    assert ("rotation2d", "contribution to the local error") in measured
    shares = [r["relative"] for r in content["rows"] if r["measure"].startswith("contribution")]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    page = (out / "card.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    said = page.partition("<body>")[2].partition("All numbers")[0]
    assert "Predicts at chance" in said and "exact" not in said and "interpolation" not in said


def test_finished_steps_are_kept(factory, data, tmp_path, monkeypatch):
    out = tmp_path / "card"
    words = (f"{factory}:small", "--data", data, "--symmetry", "flip2d", "--out", out)
    assert run(*words) == 0
    before = json.loads((out / "card.json").read_text())["rows"]

    def stop(it):
        raise KeyboardInterrupt

    from learnsym.report.card import measuring as module

    monkeypatch.setattr(module, "STEPS", dict.fromkeys(module.STEPS, stop))
    assert run(*words) == 0
    assert json.loads((out / "card.json").read_text())["rows"] == before
    assert run(*words, "--samples", 4) == 130


def test_interrupted_work_keeps_what_is_done(factory, data, tmp_path, monkeypatch):
    from learnsym.report.card import measuring as module

    steps = list(module.STEPS.items())

    def stop(it):
        raise KeyboardInterrupt

    out = tmp_path / "card"
    words = (f"{factory}:small", "--data", data, "--symmetry", "flip2d", "--out", out)
    monkeypatch.setattr(module, "STEPS", {**dict(steps[:2]), steps[2][0]: stop})
    assert run(*words) == 130
    assert len(json.loads((out / "card.json").read_text())["steps"]) == 2


def test_outputs_of_dictionaries(factory, data, tmp_path, capsys):
    words = ("--data", data, "--symmetry", "flip2d", "--out", tmp_path / "card", "--no-layers")
    assert run(f"{factory}:wrapped", *words) == 2
    assert "returns a dict with keys logits" in capsys.readouterr().err
    assert run(f"{factory}:wrapped", *words, "--output", "logit") == 2
    assert "got 'logit', but there is a dict with keys logits" in capsys.readouterr().err
    assert run(f"{factory}:wrapped", *words, "--output", "logits") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{factory}:missing"], "has no function 'missing'"),
        (["{factory}:number"], "has no function 'number'"),
        (["{factory}:no_module"], "returns a int, must be a torch.nn.Module"),
        (["nowhere.py:f"], "nowhere.py; give FILE.py:function"),
        (["nothing"], "must be a run folder, FILE.py:factory, timm:NAME, hf:FOLDER, or a program FILE.pt2"),
        (["{factory}:small", "--symmetry", "mirror"], "symmetry: got 'mirror'"),
        (["{factory}:small", "--symmetry", "so3"], "must be (B N F)"),
        (["{factory}:small", "--data", "nowhere.npz"], "nowhere.npz cannot be read"),
        (["{factory}:small", "--data", "unheard"], "unheard"),
        (["{factory}:small", "--size", "12"], "cannot take inputs of shape (1, 12, 12)"),
        (["{factory}:small", "--samples", "1"], "samples: got 1, must lie in [2, 10000]"),
        (["{factory}:small", "--derivative", "wavelet"], "invalid choice: 'wavelet'"),
        (["{factory}:small", "--memory", "0"], "memory: got 0.0, must be > 0"),
    ],
)
def test_bad_input_is_named_before_any_work(factory, data, tmp_path, capsys, words, message):
    given = [word.format(factory=factory) for word in words]
    for option, value in (("--data", data), ("--symmetry", "flip2d"), ("--out", tmp_path / "card")):
        given += [] if option in given else [option, value]
    assert run(*given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "card").exists()


def test_a_step_that_does_not_fit_is_noted_and_the_rest_is_measured(tmp_path):
    class Rounded(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return torch.tensor((x.sum((2, 3)) * self.weight).tolist())

    subject = card.Subject(name="rounded", model=Rounded())
    examples = card.Examples(name="noise", x=torch.rand(6, 2, 8, 8))
    found = card.measure_model(subject, examples, ["scale2d"], tmp_path, card.CardSettings(layers=False))
    assert any("local error: not measured" in note for note in found.notes)
    assert found.of("scale2d", "equivariance error")


def test_models_of_timm(tmp_path, data):
    import importlib.util

    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed")
    subject = card.load_subject("timm:resnet18")
    assert subject.model(torch.rand(1, 3, 64, 64)).shape == (1, 1000)
    with pytest.raises(ValueError, match="timm has no model 'resnet81'"):
        card.load_subject("timm:resnet81")


def test_a_counting_buffer_is_left_as_it_was(tmp_path, data):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return self.net(x)

    examples = card.load_examples(str(data), 6)
    model = Counting()
    model.net(examples.x)
    settings = card.CardSettings(examples=6, samples=2, layers=False)
    card.measure_model(card.Subject(name="mine", model=model), examples, ["flip2d"], tmp_path, settings, progress=False)
    assert model.calls == 0
