"""The first run of a model: what fails is said with the remedy that fits."""

import pytest
import torch
from torch import nn

from learnsym.report import card
from learnsym.report.card.trial import check_takes, outputs_on

X = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Failing(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


class TwoInputs(nn.Module):
    def forward(self, x, t):
        return x + t


class NoInput(nn.Module):
    def forward(self):
        return torch.zeros(5, 1)


class Scripted(nn.Module):
    def forward(self, x):
        assert x.shape[-1] == 9, "nine pixels"
        return x


class Own(Exception):
    pass


def linear(dtype):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 2)).to(dtype)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            Failing(AssertionError("height 8 doesn't match 224")),
            r"inputs of shape \(3, 8, 8\) \(AssertionError: height 8",
        ),
        (Failing(AssertionError()), r"\(AssertionError\); give other data or a size"),
        (Failing(KeyError("pixel_values")), r"KeyError: 'pixel_values'"),
        (Failing(AttributeError("no shape")), "AttributeError: no shape"),
        (Failing(ZeroDivisionError("by zero")), "ZeroDivisionError: by zero"),
        (Failing(StopIteration()), "StopIteration"),
        (Failing(Own("mine\nand more")), r"\(Own: mine\)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(7, 2)), "inputs of shape .*RuntimeError: mat1 and mat2"),
        (TwoInputs(), r"model: its forward takes 2 inputs \(x, t\), must take one"),
        (NoInput(), "model: its forward takes 0 inputs, must take one"),
        (linear(torch.bfloat16), r"model: its weights are bfloat16 and x is float32.*model.to\(torch.float32\)"),
        (linear(torch.float64), "model: its weights are float64 and x is float32"),
        (torch.jit.script(Scripted()), "AssertionError: nine pixels"),
    ],
)
def test_a_forward_pass_that_fails(model, message):
    with pytest.raises(ValueError, match=message) as refused:
        check_takes(model, X, None)
    assert ("give other data" in str(refused.value)) == str(refused.value).startswith("data:")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"logits": X, "mean": X}, "returns a dict with keys logits, mean, must be one tensor; name one with --output"),
        ((X, X), "returns a tuple with parts 0, 1"),
        (None, "returns a NoneType"),
        (torch.tensor(1.0), r"got shape \(\)"),
    ],
)
def test_outputs_that_cannot_be_measured(returned, message):
    class Returns(nn.Module):
        def forward(self, x):
            return returned

    with pytest.raises(ValueError, match=message):
        check_takes(Returns(), X, None)


def test_an_output_that_is_not_finite_is_named_by_its_row(tmp_path):
    x = torch.rand(9, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    x[7] = 0

    class Log(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)).log()

    rows = torch.tensor([3, 1, 8, 7, 0])
    examples = card.Examples(name="file.npz", x=x[rows], rows=rows)
    subject = card.Subject(name="log", model=Log())
    with pytest.raises(ValueError, match=r"its output for example 7 of file.npz is not finite \(1 of 5 examples\)"):
        card.measure_model(subject, examples, ["flip2d"], tmp_path / "card")
    assert not (tmp_path / "card").exists()


@pytest.mark.parametrize("kind", ["scripted", "traced", "quantised"])
def test_modules_of_other_kinds_are_measured(kind, tmp_path):
    make = {
        "scripted": torch.jit.script,
        "traced": lambda net: torch.jit.trace(net.eval(), X[:2]),
        "quantised": lambda net: torch.ao.quantization.quantize_dynamic(net, {nn.Linear}),
    }
    subject = card.Subject(name=kind, model=make[kind](linear(torch.float32)))
    examples = card.Examples(name="noise", x=X, y=torch.tensor([0, 1, 1, 0, 1]))
    found = card.measure_model(subject, examples, ["flip2d"], tmp_path, card.CardSettings(samples=2), progress=False)
    assert found.of("flip2d", "equivariance error") and found.task


def test_a_model_that_overwrites_its_input_leaves_the_examples(tmp_path):
    class Shifting(nn.Module):
        def forward(self, x):
            return x.add_(1).flatten(1)

    x = X.clone()
    examples = card.Examples(name="noise", x=x)
    outputs = outputs_on(Shifting(), examples, x, None, 2)
    check_takes(Shifting(), x, None)
    assert torch.equal(x, X) and torch.equal(outputs, X.flatten(1) + 1)
