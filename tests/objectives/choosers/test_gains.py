"""Choosers of gains: where they come to rest, what they say when they do not, and that their state is all they keep."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import EquivariantLinear, FieldType
from learnsym.groups import Cyclic
from learnsym.objectives import (
    AnnealedGains,
    EqualityConstraint,
    GainRidge,
    Loss,
    ModulatedGains,
    OpenedGains,
    ResilientConstraint,
)
from learnsym.objectives.choosers import registry
from learnsym.objectives.choosers.symmetry_gap import calls_of, gaps
from learnsym.relax import ScaledPathway, truncate

C4 = Cyclic(4)
TARGET = 0.5
BATCH = (torch.zeros(2, 4), torch.zeros(2, 4))


def layer(start=1.0):
    fields = FieldType.regular(C4, 1)
    return ScaledPathway(EquivariantLinear(fields, fields, bias=False), start=start)


def bowl(curvature):
    """`J = a/2 (γ - g)²` of the only gain of a model."""

    def objective(model, batch):
        task = 0.5 * curvature * (model.gain() - TARGET).square()
        return Loss(task, {"task": task.detach()})

    return objective


def trained(objective, steps, net=None, step=0.05):
    """A layer whose gain descends by plain gradient descent, and the gains on its way."""
    net = layer() if net is None else net
    net.train()
    way = []
    optimiser = torch.optim.SGD([net.gain.value], lr=step)
    for _ in range(steps):
        optimiser.zero_grad()
        objective(net, BATCH).total.backward()
        optimiser.step()
        way.append(float(net.gain.value.detach()))
    return net, torch.tensor(way)


@pytest.mark.parametrize(("curvature", "cost"), [(0.1, 1.0), (1.0, 1.0), (10.0, 1.0), (1.0, 4.0)])
def test_resilience_rests_at_the_closed_form_of_the_ridge(curvature, cost):
    """`γ = a g / (a + cost)`, `u = |γ|`, `λ = cost u`; the ridge has the same gain."""
    expected = curvature * TARGET / (curvature + cost)
    resilient = ResilientConstraint(bowl(curvature), cost=cost, rate=0.5)
    net, _ = trained(resilient, 250, step=0.2 / (1 + curvature))
    assert float(net.gain.value.detach()) == pytest.approx(expected, rel=0.01)
    assert resilient.slacks(net)[""] == pytest.approx(expected, rel=0.01)
    assert resilient.prices(net)[""] == pytest.approx(cost * expected, rel=0.01)
    ridge, _ = trained(GainRidge(bowl(curvature), cost=cost), 60, step=1 / (1 + curvature + cost))
    assert float(ridge.gain.value.detach()) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("damping", [0.0, 0.1])
@pytest.mark.parametrize("curvature", [1.0, 3.0])
def test_equality_comes_to_rest_at_zero_where_the_loss_depends_on_the_gain(curvature, damping):
    objective = EqualityConstraint(bowl(curvature), rate=0.1, damping=damping, memory=50)
    net, _ = trained(objective, 500, step=0.2)
    assert abs(float(net.gain.value.detach())) < 1e-3
    # dJ/dγ + λ = 0 at γ = 0
    assert objective.prices(net)[""] == pytest.approx(curvature * TARGET, rel=0.01)
    assert net.degrees("layer:0")[0].status == "no interval"


def test_without_damping_a_flat_loss_turns_for_ever_and_is_told():
    net, way = trained(EqualityConstraint(bowl(0.0), rate=0.1, damping=0.0), 600, step=0.1)
    first, last = way[:100].abs().max(), way[-100:].abs().max()
    assert last > first > 0.9  # the radius grows
    turns = int((way[1:] * way[:-1] < 0).sum())
    assert turns == pytest.approx(600 * 0.1 / torch.pi, abs=2)  # frequency sqrt(step rate)
    (degree,) = net.degrees("layer:0")
    assert degree.status == "not converged"


def test_damping_brings_a_flat_loss_to_rest():
    net, way = trained(EqualityConstraint(bowl(0.0), rate=0.1, damping=1.0, memory=50), 500, step=0.1)
    assert float(way[-100:].abs().max()) < 1e-3
    assert net.degrees("layer:0")[0].status == "no interval"


@pytest.mark.parametrize("damping", [0.02, 0.2])
def test_damping_above_the_rate_is_what_it_takes(damping):
    """The map of (γ, λ) has determinant `1 - step (damping - rate)`."""
    _, way = trained(EqualityConstraint(bowl(0.0), rate=0.1, damping=damping), 300, step=0.2)
    grows = bool(way[-60:].abs().max() > way[:60].abs().max())
    assert grows == (damping < 0.1)


def test_an_untrained_gain_has_not_converged():
    net, _ = trained(EqualityConstraint(bowl(1.0)), 1)
    assert net.degrees("layer:0")[0].status == "not converged"


def regression(symmetric, count=256, seed=0):
    """Targets of a map that commutes with cyclic shifts, or of any map."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator)
    free = torch.randn(4, 4, generator=generator)
    kernel = torch.stack([torch.roll(free[0], shift) for shift in range(4)])
    return x, x @ (kernel if symmetric else free).T


def fitted(objective, symmetric, start=1.0, steps=150, seed=0):
    torch.manual_seed(seed)
    net = layer(start)
    x, y = regression(symmetric, seed=seed)
    batches = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 256, 32)]
    options = ls.training.OptimiserConfig(lr=0.05, symmetry_lr=0.05, weight_decay=0.0)
    history = ls.training.fit(net, objective, batches, steps=steps, optimiser=options)
    return net, history, (x, y)


TASK = ls.objectives.Supervised(ls.objectives.mse)


@pytest.mark.parametrize("symmetric", [True, False])
def test_equality_ends_in_an_exact_network(symmetric):
    net, history, (x, y) = fitted(EqualityConstraint(TASK, rate=0.2, damping=0.1), symmetric, steps=250)
    before = ls.objectives.mse(net(x), y)
    after = ls.objectives.mse(truncate(net)(x), y)
    assert float(after.detach()) == pytest.approx(float(before.detach()), rel=0.05, abs=1e-3)
    symmetry = ls.Symmetry(C4, ls.equivariant.FeatureField(net.in_type), ls.equivariant.FeatureField(net.out_type))
    assert ls.measure.equivariance_error(net, x, symmetry).mean < 1e-5
    assert (float(after.detach()) < 1e-3) == symmetric
    assert history.column("constraint", "train")


def test_resilience_leaves_the_symmetry_only_where_the_data_do():
    sizes = {}
    for symmetric in (True, False):
        net, _, _ = fitted(ResilientConstraint(TASK, cost=0.5, rate=0.1), symmetric)
        sizes[symmetric] = net.degrees("layer:0")[0].estimate
    assert sizes[True] < 0.02 and sizes[False] > 0.3


@pytest.mark.parametrize("seed", range(2))
def test_modulation_ends_at_zero_exactly_under_a_symmetry_and_not_otherwise(seed):
    gains = {}
    for symmetric in (True, False):
        net, _, (x, y) = fitted(ModulatedGains(TASK, 256, every=1), symmetric, start=0.0, steps=50, seed=seed)
        gains[symmetric] = float(net.gain.value.detach())
        if symmetric:
            before = ls.objectives.mse(net(x), y)
            assert float(ls.objectives.mse(truncate(net)(x), y).detach()) == pytest.approx(float(before.detach()))
    assert gains[True] < 1e-3 and gains[False] > 0.05


@pytest.mark.parametrize("seed", range(2))
def test_forward_selection_opens_nothing_under_a_symmetry_and_fits_otherwise(seed):
    sizes = {}
    for symmetric in (True, False):
        objective = OpenedGains(TASK, 256, every=1)
        net, _, (x, y) = fitted(objective, symmetric, start=0.0, steps=150, seed=seed)
        sizes[symmetric] = (float(net.gain.value.detach()), objective.opened(net))
    assert sizes[True] == (0.0, []) and sizes[False][1] == [""]
    assert float(ls.objectives.mse(net(x), y).detach()) < 0.1 * float(ls.objectives.mse(truncate(net)(x), y).detach())


def test_forward_selection_opens_the_layer_with_the_largest_gap_and_looks_anew():
    net = nn.Sequential(layer(), layer())
    objective = OpenedGains(TASK, errors=2.0)
    gains = [part.gain.value for part in net]
    objective.kept = {"mean": torch.tensor([0.1, 0.4]), "variance": torch.full((2,), 1e-4), "looks": torch.tensor(20.0)}
    assert objective.fixed(gains, 8) == gains[:1]
    assert [float(gain.detach()) for gain in gains] == [0.0, pytest.approx(0.4)]
    assert objective.opened(net) == ["1"] and not objective.kept["mean"].any() and float(objective.kept["looks"]) == 0
    assert objective.fixed(gains, 8) == gains[:1], "no further one without looks"


def test_schedules_leave_the_last_steps_to_an_exact_network():
    net, history, _ = fitted(AnnealedGains(TASK, steps=100, until=0.5), False, steps=100)
    gains = history.column("gain", "train")
    assert gains[0] == 1.0 and gains[25] == pytest.approx(0.5) and not any(gains[50:])
    assert float(net.gain.value.detach()) == 0.0


OBJECTIVES = {
    "equality": lambda: EqualityConstraint(TASK),
    "resilience": lambda: ResilientConstraint(TASK),
    "ridge": lambda: GainRidge(TASK),
    "schedule": lambda: AnnealedGains(TASK, steps=24),
    "modulation": lambda: ModulatedGains(TASK, every=2, memory=5),
    "forward_selection": lambda: OpenedGains(TASK, every=1, memory=20),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_is_kept_is_in_the_state(name):
    """A training that is stopped and taken up again ends with the same weights, bit for bit."""
    x, y = regression(False)
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 256, 16)]

    def step(net, objective, optimiser, batch):
        optimiser.zero_grad(set_to_none=True)
        objective(net, batch).total.backward()
        optimiser.step()

    torch.manual_seed(0)
    net, objective = layer().train(), OBJECTIVES[name]()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.02)
    for batch in batches:
        step(net, objective, optimiser, batch)
    other, again = copy.deepcopy(net), OBJECTIVES[name]()
    again.load_state_dict(copy.deepcopy(objective.state_dict()))
    second = torch.optim.SGD(other.parameters(), lr=0.02)
    for batch in batches[:8]:
        step(net, objective, optimiser, batch)
        step(other, again, second, batch)
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_evaluation_is_that_of_the_objective_and_models_without_gains_are_refused(name):
    net, (x, y) = layer().eval(), regression(False, count=8)
    objective = OBJECTIVES[name]()
    assert torch.equal(objective(net, (x, y)).total, TASK(net, (x, y)).total)
    assert objective.kept == {}
    with pytest.raises(ValueError, match=r"^model: Linear has no layer with a gain"):
        objective(nn.Linear(4, 4), (x, y))


@pytest.mark.parametrize("name", ["schedule", "modulation", "forward_selection"])
def test_gains_that_a_chooser_sets_get_no_gradient(name):
    net, (x, y) = layer().train(), regression(False, count=8)
    OBJECTIVES[name]()(net, (x, y)).total.backward()
    assert net.gain.value.grad is None and net.gain.value.requires_grad
    assert registry[name].sets_gains or name == "forward_selection"
    assert not registry["equality"].sets_gains


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EqualityConstraint(TASK, rate=0.0), "rate, damping, tolerance, memory: got 0"),
        (lambda: ResilientConstraint(TASK, cost=0.0), "cost, rate: got 0"),
        (lambda: GainRidge(TASK, cost=-1.0), "cost: got -1"),
        (lambda: AnnealedGains(TASK, steps=0), "steps, until: got 0"),
        (lambda: ModulatedGains(TASK, every=0), "errors, memory, every: got "),
        (lambda: ModulatedGains(TASK, scale=0.0), "scale: got 0"),
        (lambda: OpenedGains(TASK, examples=0), "examples: got 0"),
        (lambda: ModulatedGains(TASK)(layer().train(), (torch.rand(1, 4), torch.rand(1, 4))), "batch: got 1 example"),
    ],
)
def test_what_is_out_of_range_is_one_sentence(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def correlated(symmetric, seed):
    """Inputs and output gradients of many examples, whose law is symmetrised over the group or not."""
    torch.manual_seed(seed)
    x = torch.randn(64, 4, dtype=torch.float64)
    d = torch.tanh(x @ torch.randn(4, 4, dtype=torch.float64).T + x.square())
    if not symmetric:
        return x, d
    shifts = [torch.roll(torch.eye(4, dtype=torch.float64), k, 0) for k in range(4)]
    return torch.cat([x @ g.T for g in shifts]), torch.cat([d @ g.T for g in shifts])


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_gradient_leaves_the_symmetry_just_where_the_law_does(seed):
    net = layer().double()
    sizes = {}
    for symmetric in (True, False):
        m = net.correlation(*correlated(symmetric, seed))
        sizes[symmetric] = float(net.departure(m).norm() / m.norm())
    assert sizes[True] < 1e-14 and sizes[False] > 0.3


def test_the_gap_is_without_bias_where_the_size_of_the_departure_is_not():
    """Over many batches of independent noise `q` has mean 0, while |Q(M)|² / |M|² keeps the noise of the batch."""
    torch.manual_seed(0)
    net = layer().double()
    qs, biased = [], []
    for _ in range(120):
        x, noise = torch.randn(16, 4, dtype=torch.float64), torch.randn(16, 4, dtype=torch.float64)
        with calls_of([net]) as calls:
            loss = (net(x) * (noise + x)).mean()
        qs.append(float(gaps(loss, [net], calls)[0]))
        m = net.correlation(x, noise + x)
        biased.append(float((net.departure(m).norm() / m.norm()) ** 2))
    qs, biased = torch.tensor(qs), torch.tensor(biased)
    error = float(qs.std() / len(qs) ** 0.5)
    assert abs(float(qs.mean())) < 3 * error and error < 0.02
    assert float(biased.mean()) > 0.1
