"""Laws of `fit_ensemble`: every member is what `fit` alone makes of it; what cannot be stacked is refused."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.data import Batches, Dataset
from learnsym.training import MembersNonFinite, NonFiniteLoss, OptimiserConfig, fit, fit_ensemble
from learnsym.training.stacked import Stacked
from learnsym.training.stacked_optimiser import StackedOptimiser

SEEDS = [3, 0, 5, 3]
RATES = [(1e-2, 0.0), (1e-3, 0.1), (3e-3, 1e-4), (3e-2, 0.3)]
CROSS_ENTROPY = nn.functional.cross_entropy


def images(dtype=torch.float64, n=40):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(n, 1, 8, 8, generator=generator, dtype=dtype)
    return Dataset(x, (10 * x[:, 0, 0, 0]).long() % 3, classes=3)


def configs(**values):
    return [OptimiserConfig(lr=lr, weight_decay=decay, **values) for lr, decay in RATES]


def separately(models, data, optimisers, steps, loss_fn=CROSS_ENTROPY):
    trained = copy.deepcopy(models)
    objective = ls.objectives.Supervised(loss_fn)
    histories = [
        fit(model, objective, Batches(data, 8, seed), steps=steps, optimiser=config, seed=seed)
        for model, config, seed in zip(trained, optimisers, SEEDS, strict=True)
    ]
    return trained, histories


def assert_same(models, others, atol=1e-10):
    for model, other in zip(models, others, strict=True):
        for (name, a), b in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, atol=atol, rtol=0, msg=lambda m, name=name: f"{name}: {m}")


NETS = {
    "mlp": lambda: ls.nets.MLP(64, 3, width=6),
    "cnn": lambda: ls.nets.CNN(1, 3, width=4, size=8, depth=2),
    "normalised": lambda: ls.nets.Normalised(ls.nets.MLP(64, 3, width=6), [float(torch.rand(()))], [2.0]),
}


@pytest.mark.parametrize("net", list(NETS))
@pytest.mark.parametrize(
    "rule",
    [
        OptimiserConfig(),
        OptimiserConfig(schedule="constant", clip=0.05, momentum=0.5),
        OptimiserConfig(name="sgd", warmup=3),
        OptimiserConfig(name="sgd", clip=0.1, momentum=0.0),
    ],
    ids=["adamw", "adamw-clip", "sgd-warmup", "sgd-clip"],
)
def test_as_separate_fits(net, rule):
    data, models = images(), [NETS[net]().double() for _ in SEEDS]
    optimisers = [replace(rule, lr=lr, weight_decay=decay) for lr, decay in RATES]
    trained, histories = separately(models, data, optimisers, 12)
    history = fit_ensemble(models, CROSS_ENTROPY, Batches(data, 8), steps=12, optimiser=optimisers, seeds=SEEDS)
    assert_same(models, trained)
    assert history.losses.shape == history.rates.shape == (len(history), 12)
    for m, one in enumerate(histories):
        assert history.member(m).column("step") == one.column("step")
        assert history.member(m).records[0].keys() == one.records[0].keys()
        # `fit` records losses in single precision
        assert history.member(m).losses == pytest.approx(one.losses, abs=1e-6)
        assert history.member(m).column("lr") == pytest.approx(one.column("lr"))


def test_as_separate_fits_in_single_precision():
    data, models = images(torch.float32), [ls.nets.MLP(64, 3, width=6) for _ in SEEDS]
    trained, _ = separately(models, data, configs(), 12)
    fit_ensemble(models, CROSS_ENTROPY, Batches(data, 8), steps=12, optimiser=configs(), seeds=SEEDS)
    assert_same(models, trained, atol=1e-5)


def test_pixels_of_eight_bits_and_one_optimiser():
    data = images(torch.float32)
    data = Dataset((255 * data.x).byte(), data.y, classes=3)
    models = [ls.nets.MLP(64, 3, width=6) for _ in SEEDS]
    trained, _ = separately(models, data, [OptimiserConfig()] * 4, 5)
    fit_ensemble(models, CROSS_ENTROPY, Batches(data, 8), steps=5, seeds=SEEDS)
    assert_same(models, trained, atol=1e-5)


@pytest.mark.parametrize("shared", [True, False], ids=["one data set", "data sets of their own"])
def test_batches_of_their_own(shared):
    sets = [images()] * 4 if shared else [images(n=n) for n in (16, 24, 32, 40)]
    models = [ls.nets.MLP(64, 3, width=6).double() for _ in SEEDS]
    trained = copy.deepcopy(models)
    for m, model in enumerate(trained):
        fit(model, ls.objectives.Supervised(CROSS_ENTROPY), Batches(sets[m], 8, 10 + m), steps=7)
    loaders = [Batches(data, 8, 10 + m) for m, data in enumerate(sets)]
    fit_ensemble(models, CROSS_ENTROPY, loaders, steps=7, seeds=SEEDS)
    assert_same(models, trained)


class Odd(nn.Module):
    """A scalar parameter, a frozen one, a tied pair and a buffer that differs between members."""

    def __init__(self, shift):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.frozen = nn.Parameter(torch.randn(3), requires_grad=False)
        self.a, self.b = nn.Linear(64, 64), nn.Linear(64, 64)
        self.b.weight = self.a.weight
        self.register_buffer("shift", torch.tensor(shift))

    def forward(self, x):
        y = self.b(self.a(x.flatten(1) + self.shift))
        return self.scale * y[:, :3] + self.frozen


def test_scalar_frozen_and_tied_parameters_and_buffers():
    models = [Odd(float(m)).double() for m in range(4)]
    models[1].eval()
    frozen = [model.frozen.clone() for model in models]
    trained, _ = separately(models, images(), configs(), 6)
    fit_ensemble(models, CROSS_ENTROPY, Batches(images(), 8), steps=6, optimiser=configs(), seeds=SEEDS)
    assert_same(models, trained)
    assert all(torch.equal(model.frozen, before) for model, before in zip(models, frozen, strict=True))
    assert all(model.training and model.a.weight is model.b.weight for model in models)


def test_an_update_is_the_one_of_torch():
    weights = torch.randn(2, 30, dtype=torch.float64)
    single = [nn.Parameter(row.clone()) for row in weights]
    config = OptimiserConfig(lr=0.1, weight_decay=0.2, schedule="constant")
    rule = StackedOptimiser(weights, [config, replace(config, lr=1e-3)], 20)
    theirs = torch.optim.AdamW(
        [{"params": [p], "lr": lr} for p, lr in zip(single, (0.1, 1e-3), strict=True)], weight_decay=0.2
    )
    for step in range(20):
        gradient = torch.randn(2, 30, dtype=torch.float64) * (torch.rand(2, 30) > 0.3)
        for p, g in zip(single, gradient.clone(), strict=True):
            p.grad = g
        theirs.step()
        rule.update(gradient, step)
    torch.testing.assert_close(weights, torch.stack([p.detach() for p in single]), atol=1e-12, rtol=0)


def test_members_that_are_not_finite_leave_the_others_alone():
    models = [ls.nets.MLP(64, 3, width=6).double() for _ in SEEDS]
    optimisers = [replace(c, schedule="constant", lr=1e200 if m in (1, 3) else c.lr) for m, c in enumerate(configs())]
    healthy = [0, 2]
    trained = [copy.deepcopy(models[m]) for m in healthy]
    for m, model in zip(healthy, trained, strict=True):
        batches = Batches(images(), 8, SEEDS[m])
        fit(model, ls.objectives.Supervised(CROSS_ENTROPY), batches, steps=6, optimiser=optimisers[m])
    with pytest.raises(NonFiniteLoss, match=r"2 of 4 members are not finite \(member 1 at step \d, member 3") as caught:
        fit_ensemble(models, CROSS_ENTROPY, Batches(images(), 8), steps=6, optimiser=optimisers, seeds=SEEDS)
    assert isinstance(caught.value, MembersNonFinite)
    assert_same([models[m] for m in healthy], trained)
    history = caught.value.history
    assert set(caught.value.members) == {1, 3}
    for m, step in caught.value.members.items():
        assert history.losses[m, : step - 1].isfinite().all()
        assert not history.losses[m, step - 1].isfinite()
    assert caught.value.step == min(caught.value.members.values())
    assert history.losses[healthy].isfinite().all()


def test_leaves_torch_as_it_was_and_trains_no_step():
    models = [ls.nets.MLP(64, 3, width=6).double() for _ in SEEDS]
    before, state = copy.deepcopy(models), torch.random.get_rng_state()
    history = fit_ensemble(models, CROSS_ENTROPY, Batches(images(), 8), steps=0, seeds=SEEDS)
    assert history.losses.shape == history.rates.shape == (4, 0)
    assert_same(models, before, atol=0)
    fit_ensemble(models, CROSS_ENTROPY, Batches(images(), 8), steps=2, seeds=SEEDS)
    assert torch.equal(state, torch.random.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()


class Noisy(nn.Linear):
    def forward(self, x):
        return super().forward(x + torch.randn_like(x))


class HalfUsed(nn.Linear):
    def __init__(self):
        super().__init__(4, 3)
        self.unused = nn.Parameter(torch.zeros(2))


def tied():
    a, b = nn.Linear(4, 3), nn.Linear(4, 3)
    b.weight = a.weight
    return [a, b]


REFUSED = {
    "no member": (list, "got none"),
    "other width": (lambda: [nn.Linear(4, 3), nn.Linear(4, 5)], "one shape"),
    "other class": (lambda: [nn.Sequential(nn.Linear(4, 3)), nn.ModuleList([nn.Linear(4, 3)])], "one shape"),
    "other activation": (lambda: [nn.Sequential(nn.Linear(4, 3), f()) for f in (nn.ReLU, nn.GELU)], "one shape"),
    "other slope": (lambda: [nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(s)) for s in (0.1, 0.2)], "one shape"),
    "other dtype": (lambda: [nn.Linear(4, 3), nn.Linear(4, 3).double()], "one shape"),
    "one frozen": (lambda: [nn.Linear(4, 3), nn.Linear(4, 3).requires_grad_(False)], "one shape"),
    "all frozen": (lambda: [nn.Linear(4, 3).requires_grad_(False) for _ in range(2)], "trainable are nothing"),
    "two dtypes": (lambda: [nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3).double())], "one dtype"),
    "the same twice": (lambda: [nn.Linear(4, 3)] * 2, "share parameters"),
    "a shared weight": (tied, "share parameters"),
    "batch norm": (lambda: [nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))], "'1' .*running statistics"),
    "dropout": (lambda: [nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 3))], "'0' .*random numbers"),
    "noise": (lambda: [Noisy(4, 3), Noisy(4, 3)], "draw random numbers"),
    "an unused parameter": (lambda: [HalfUsed(), HalfUsed()], "does not depend on 'unused'"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_stacked_is_refused(case):
    make, message = REFUSED[case]
    models = make()
    data = Dataset(torch.randn(16, 4), torch.arange(16) % 3, classes=3)
    with pytest.raises(ValueError, match=message):
        fit_ensemble(models, CROSS_ENTROPY, Batches(data, 8), steps=2, seeds=range(len(models)))


def test_learned_distributions_are_refused():
    models = [ls.augment.Augmented(ls.nets.MLP(64, 3), ls.symmetry_by_name("rotation2d")) for _ in range(2)]
    with pytest.raises(ValueError, match="how likely group elements are"):
        fit_ensemble(models, CROSS_ENTROPY, Batches(images(), 8), steps=2, seeds=[0, 1])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seeds": [0]}, "seeds: got 1"),
        ({"optimiser": [OptimiserConfig()]}, "optimiser: got 1"),
        ({"optimiser": [OptimiserConfig(), OptimiserConfig(clip=1.0)]}, "more than lr"),
        ({"loader": [Batches(images(), 8)]}, "loader: got 1"),
        ({"loader": [Batches(images(), 8), Batches(images(), 4)]}, r"batch sizes \[4, 8\]"),
        ({"steps": -1}, "steps: got -1"),
    ],
    ids=["seeds", "optimisers", "clip", "loaders", "batch sizes", "steps"],
)
def test_numbers_that_disagree_are_refused(values, message):
    models = [ls.nets.MLP(64, 3, width=6).double() for _ in range(2)]
    loader = values.get("loader", Batches(images(), 8))
    options = {"steps": 2, "seeds": [0, 1]} | {k: v for k, v in values.items() if k != "loader"}
    with pytest.raises(ValueError, match=message):
        fit_ensemble(models, CROSS_ENTROPY, loader, **options)


def test_gradients_are_those_of_each_member():
    models = [ls.nets.CNN(1, 3, width=4, size=8, depth=2).double() for _ in range(3)]
    stacked, data = Stacked(models), images(n=12)
    x, y = data.x.unflatten(0, (3, 4)), data.y.unflatten(0, (3, 4))
    found = stacked.gradient(stacked.losses(CROSS_ENTROPY, x, y))
    for m, model in enumerate(models):
        parts = torch.autograd.grad(CROSS_ENTROPY(model(x[m]), y[m]), list(model.parameters()))
        torch.testing.assert_close(found[m], torch.cat([part.flatten() for part in parts]))
