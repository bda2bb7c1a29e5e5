"""Reading a model: any batch size and output, clear refusals, nothing left changed."""

import pytest
import torch
from torch import nn

from learnsym import measure, symmetry

TURNS = symmetry.quarter_turns2d()


def images(count=9):
    return torch.rand(count, 1, 8, 8, dtype=torch.float64)


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3).double())


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batch_size_does_not_change_the_result(batch_size):
    torch.manual_seed(0)
    model, x = linear(), images()
    whole = measure.equivariance_error(model, x, TURNS, batch_size=len(x))
    parts = measure.equivariance_error(model, x, TURNS, batch_size=batch_size)
    torch.testing.assert_close(parts.per_sample, whole.per_sample, rtol=1e-12, atol=0)


def test_output_is_chosen_from_a_dictionary():
    torch.manual_seed(0)
    model, x = linear(), images()

    def wrapped(x):
        return {"logits": model(x), "loss": 0.0}

    found = measure.equivariance_error(wrapped, x, TURNS, output=lambda out: out["logits"])
    assert torch.equal(found.per_sample, measure.equivariance_error(model, x, TURNS).per_sample)
    with pytest.raises(ValueError, match="returns a dict with keys logits, loss, must be one tensor"):
        measure.equivariance_error(wrapped, x, TURNS)


def test_one_number_per_example_is_an_output():
    x = images()
    for measured in (measure.equivariance_error, measure.local_equivariance_error, measure.attribute):
        measured(lambda x: x[:, 0, 0, 0], x, symmetry.rotation2d())


def test_refusals_name_what_is_wrong():
    x = images()
    with pytest.raises(ValueError, match="returns a tuple"):
        measure.equivariance_error(lambda x: (x, x), x, TURNS)
    with pytest.raises(ValueError, match="one row per example"):
        measure.equivariance_error(lambda x: x.mean(0, keepdim=True), x, TURNS)
    with pytest.raises(ValueError, match="batch_size: got 0"):
        measure.equivariance_error(linear(), x, TURNS, batch_size=0)
    with pytest.raises(ValueError, match="example 4 is not finite"):
        measure.equivariance_error(
            lambda part: part / (part != x[4]).flatten(1).all(1).double()[:, None, None, None], x, TURNS
        )
    with pytest.raises(ValueError, match="is on cpu and the model on meta"):
        measure.equivariance_error(linear().to("meta"), x, TURNS)


def test_modes_are_restored_after_an_exception():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(5, 3)).train()
    model[1].eval()
    with pytest.raises(RuntimeError):
        measure.equivariance_error(model, images().float(), TURNS)
    assert [module.training for module in model] == [True, False, True]


def test_outputs_that_are_all_the_same_have_no_scale():
    class Same(nn.Module):
        """Moves with the input, but not between examples."""

        def forward(self, x):
            return x - x + torch.linspace(0, 1, 8, dtype=x.dtype) * (1 + 0 * x)

    x = images()
    on_output = symmetry.rotation2d().on_input
    for measured, named in (
        (measure.equivariance_error, symmetry.quarter_turns2d(on_output)),
        (measure.error_curve, symmetry.quarter_turns2d(on_output)),
        (measure.local_equivariance_error, symmetry.rotation2d(on_output)),
    ):
        with pytest.raises(ValueError, match="the same for all examples"):
            measured(Same(), x, named)
