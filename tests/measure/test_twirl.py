"""The twirl decomposition: exact on whole orbits, unbiased in the number of draws, zero for exact models."""

from functools import partial

import pytest
import torch
from torch import nn

from learnsym import distributions, groups, symmetry
from learnsym.distributions.draws import draws_of
from learnsym.measure.example_losses import cross_entropy, mse
from learnsym.measure.twirl import _jackknife, twirl

TURNS, SQUARE = symmetry.quarter_turns2d(), symmetry.square2d()


def images(count=12):
    return torch.rand(count, 1, 4, 4, dtype=torch.float64)


def linear(outputs=3, scale=1.0):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, outputs).double())
    model[1].weight.data *= scale
    return model


def orbit_of(model, x, symmetric):
    """Every prediction on the orbit, by the obvious loop."""
    elements = symmetric.group.elements(dtype=torch.float64)
    with torch.no_grad():
        return torch.stack([model(symmetric.on_input(g.expand(len(x), -1, -1), x)) for g in elements])


def targets(loss, count=12):
    return torch.randn(count, 3, dtype=torch.float64) if loss == "mse" else torch.randint(3, (count,))


def parts(found):
    return found.total.mean, found.orbit_mean_loss.mean, found.asymmetry.mean


@pytest.mark.parametrize("symmetric", [TURNS, SQUARE])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_whole_orbits_are_exact(symmetric, loss):
    model, x, y = linear(scale=5.0), images(), targets(loss)
    found = twirl(model, x, y, symmetric, loss)
    f = orbit_of(model, x, symmetric)
    if loss == "mse":
        asymmetry = (f - f.mean(0)).square().mean((0, 2))
    else:
        # E_g KL(softmax of the mean || softmax f_g)
        mean = f.mean(0).log_softmax(-1)
        asymmetry = (mean.exp() * (mean - f.log_softmax(-1))).sum(-1).mean(0)
    torch.testing.assert_close(found.asymmetry.per_sample, asymmetry, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(
        found.total.per_sample, found.orbit_mean_loss.per_sample + found.asymmetry.per_sample, rtol=1e-12, atol=0
    )
    assert found.percent.mean == pytest.approx(100 * found.asymmetry.mean / found.total.mean)


@pytest.mark.parametrize(("samples", "symmetric"), [(2, TURNS), (3, SQUARE)])
def test_squared_loss_is_unbiased_in_the_number_of_draws(symmetric, samples):
    model, x, y = linear(), images(), targets("mse")
    exact = torch.tensor(parts(twirl(model, x, y, symmetric)))
    drawn = torch.tensor([parts(twirl(model, x, y, symmetric, samples=samples, seed=seed)) for seed in range(250)])
    z = (drawn.mean(0) - exact) / (drawn.std(0) / 250**0.5)
    assert (z.abs() < 4).all()
    # without the correction the asymmetry would be too small by 1 / S
    assert exact[2] / samples > 8 * drawn[:, 2].std() / 250**0.5


def test_squared_loss_is_corrected_by_the_number_of_draws():
    model, x, y = linear(), images(), targets("mse")
    found = twirl(model, x, y, TURNS, samples=3)
    with torch.no_grad():
        f = torch.stack([model(TURNS.on_input(g.to(x), x)) for g in draws_of(x, TURNS, 3, None, 0).elements])
    # the variance with S - 1 in the denominator
    torch.testing.assert_close(found.asymmetry.per_sample, f.var(0).mean(1), rtol=1e-8, atol=1e-12)


def test_jackknife_removes_most_of_the_bias_of_cross_entropy():
    y, samples = targets("cross_entropy"), 3
    f = orbit_of(linear(scale=2.0), images(), SQUARE)
    exact = cross_entropy(f.mean(0), y).mean()
    # all 8³ draws of three elements, each as likely
    drawn = f[torch.cartesian_prod(*[torch.arange(8)] * samples)].transpose(0, 1).flatten(1, 2)
    of = partial(cross_entropy, y=y.repeat(8**samples))
    plugged_in, corrected = of(drawn.mean(0)).mean(), _jackknife(of, drawn).mean()
    assert plugged_in - exact > 1e-3
    assert abs(corrected - exact) < (plugged_in - exact) / 5


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_exact_models_lose_nothing_by_asymmetry(loss):
    def invariants(x):
        return torch.stack([x.mean((1, 2, 3)), x.amax((1, 2, 3)), x.square().mean((1, 2, 3))], 1)

    for samples in (8, 3):
        found = twirl(invariants, images(), targets(loss), SQUARE, loss, samples)
        assert abs(found.percent.mean) < 1e-10
        assert found.total.mean == pytest.approx(found.orbit_mean_loss.mean)


def test_outputs_are_pulled_back():
    moved_along = symmetry.quarter_turns2d(on_output=TURNS.on_input)
    x, y = images(), images()
    assert twirl(lambda x: x**2, x, y, moved_along).percent.mean < 1e-10
    upper = partial(torch.mul, torch.tensor([1.0, 1.0, 0.0, 0.0]).double()[:, None])
    mean = sum(upper(x.rot90(k, (-2, -1))).rot90(-k, (-2, -1)) for k in range(4)) / 4
    assert twirl(upper, x, y, moved_along).orbit_mean_loss.mean == pytest.approx(float(mse(mean, y).mean()))


def test_vectors_of_points_are_pulled_back():
    turns = symmetry.so3(on_output=symmetry.so3().on_input)
    x = torch.randn(6, 4, 3, dtype=torch.float64)
    y = torch.randn(6, 4, 3, dtype=torch.float64)
    assert abs(twirl(lambda x: x - x.mean(1, keepdim=True), x, y, turns).percent.mean) < 1e-10
    assert twirl(lambda x: x * torch.tensor([1.0, 1.0, 0.0]).double(), x, y, turns).percent.mean > 1


def test_standard_error_of_the_percentage_is_that_of_resampled_examples():
    model = linear()
    shares = [twirl(model, images(60), targets("mse", 60), TURNS).percent for _ in range(300)]
    means, errors = torch.tensor([(each.mean, each.stderr) for each in shares]).T
    assert float(errors.mean()) == pytest.approx(float(means.std()), rel=0.15)


def test_laws_seeds_and_batches():
    model, x, y = linear().train(), images(), targets("mse")
    box = distributions.LieBox(groups.Translation2(), torch.tensor([0.3, 0.0]))
    whole = twirl(model, x, y, symmetry.translation2d(), samples=4, distribution=box)
    for batch_size in (1, 7):
        parts_of = twirl(model, x, y, symmetry.translation2d(), samples=4, distribution=box, batch_size=batch_size)
        torch.testing.assert_close(parts_of.asymmetry.per_sample, whole.asymmetry.per_sample, rtol=1e-10, atol=1e-14)
    state = torch.get_rng_state()
    other = twirl(model, x, y, symmetry.translation2d(), samples=4, distribution=box, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert other.asymmetry.mean != whole.asymmetry.mean > 0
    assert model.training and model[1].training


def test_no_loss_has_no_share():
    found = twirl(lambda x: x.mean((2, 3)), torch.zeros(3, 1, 4, 4), torch.zeros(3, 1), TURNS)
    assert (found.total.mean, found.percent.mean, found.percent.stderr) == (0, 0, 0)


def test_refusals():
    x, y = images(), targets("mse")
    with pytest.raises(ValueError, match="samples: got 1, must be >= 2"):
        twirl(linear(), x, y, TURNS, samples=1)
    with pytest.raises(ValueError, match=r"targets: got shape \(12, 3\), must be that of the outputs, \(12, 2\)"):
        twirl(linear(2), x, y, TURNS)
    with pytest.raises(ValueError, match="one value per example"):
        twirl(linear(), x, y, TURNS, loss=nn.functional.mse_loss)
    with pytest.raises(ValueError, match="not compact"):
        twirl(linear(), x, y, symmetry.translation2d())
    broken = x.index_fill(0, torch.tensor([5]), -1.0)
    with pytest.raises(ValueError, match="example 5 is not finite"):
        twirl(lambda x: x.flatten(1)[:, :3].log(), broken, y, TURNS)
