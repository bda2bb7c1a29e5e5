"""Laws of selection: who is trained, who goes on, what the held-out examples decide, and what it costs."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import learnsym as ls
from learnsym.augment import Hypotheses
from learnsym.objectives import SuccessiveHalving, Supervised
from learnsym.objectives.choosers.evidence import (
    calibrated,
    chance,
    loss_per_example,
    winning_probabilities,
)
from learnsym.objectives.choosers.halving import schedule, survivors
from learnsym.objectives.choosers.selection import WARMUP
from learnsym.training import OptimiserConfig, Run, TrainConfig, fit
from learnsym.training.config_file import config_of
from tests.methods.conftest import tiny

STEPS = 60


def bars(count, seed, turned=0.0):
    """Images of a bar across (class 0) or along (class 1), turned by up to so many degrees."""
    torch.manual_seed(seed)
    y = torch.arange(count) % 2
    x = 0.3 * torch.rand(count, 1, 12, 12)
    x[y == 0, :, 5:7, 2:10] += 1
    x[y == 1, :, 2:10, 5:7] += 1
    angles = turned * math.pi / 180 * (2 * torch.rand(count, 1) - 1)
    return ls.actions.Image()(ls.groups.SO2().exp(angles), x), y


def model(norm="none"):
    torch.manual_seed(0)
    net = ls.nets.CNN(1, 2, width=4, size=12, depth=2, norm=norm)
    return Hypotheses(net, "rotation2d", test_copies=4)


def trained(hypotheses=None, steps=STEPS, held_out=None, **options):
    hypotheses = model() if hypotheses is None else hypotheses
    held_out = bars(100, 1) if held_out is None else held_out
    objective = SuccessiveHalving(Supervised(cross_entropy), held_out, steps=steps, **options)
    history = fit(hypotheses, objective, [bars(16, 0)], steps=steps, optimiser=OptimiserConfig(lr=1e-2))
    return hypotheses, objective, history


def test_a_step_has_the_gradient_of_the_network_under_one_law():
    found, batch = model(), bars(8, 0)
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=40)
    torch.manual_seed(3)
    objective(found.train(), batch).total.backward()
    lone = copy.deepcopy(model().member(1)).train()
    torch.manual_seed(3)
    cross_entropy(lone(batch[0]), batch[1]).backward()
    for p, q in zip(found.net.parameters(), lone.net.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


def test_bars_that_turn_into_each_other_are_not_invariant_under_all_rotations():
    """Beyond 45 degrees one class becomes the other: full symmetry must lose."""
    found, objective, history = trained()
    assert found.posterior()["rotation 180"] < 0.05 and found.posterior()["rotation 120"] < 0.05
    assert sum(found.posterior().values()) == pytest.approx(1)
    (degree,) = ls.degrees(found)
    assert degree.low <= 45 and degree.estimate < 60
    assert int(found.alive.sum()) == 1 and bool(found.alive[found.chosen])
    assert float(objective.passes) / STEPS < 6  # 64 held-out examples are the fewest, however short the training
    living = [record["living"] for record in history.records if "living" in record]
    assert sorted(living, reverse=True) == living and set(living) == {7, 4, 2, 1}


@pytest.mark.parametrize("held_out", [20, 300])
def test_it_costs_what_it_says(held_out):
    found, steps, batch = model(), 60, bars(16, 0)
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(held_out, 1), steps=steps)
    fit(found, objective, [batch], steps=steps)
    said = objective.trainings(len(found.names), 16, found.test_copies)
    assert 0.8 * said <= float(objective.passes) / steps <= said  # "none" has one copy, wherever it goes on


def test_looks_at_few_examples_cost_less_than_they_may():
    task = Supervised(cross_entropy)
    few, many = (SuccessiveHalving(task, bars(count, 1), steps=2000).trainings(7, 16, 8) for count in (100, 9000))
    assert 1 < few < many <= SuccessiveHalving(task, None, steps=2000).trainings(7) == pytest.approx(1.16)


def test_a_long_training_begins_as_it_is_before_laws_take_turns():
    found, batch = model(), bars(8, 0)
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=3000)
    plan, short = schedule(7, 3000, WARMUP), schedule(7, 800, WARMUP)
    assert 0 < plan.alone < plan.rungs[0][0] and short.alone == 0 and short.decided == 0.45 * 800
    assert schedule(7, 30_000, WARMUP).decided < 0.2 * 30_000
    laws = []
    for step in (0, plan.alone - 1, plan.alone, plan.alone + 1):
        objective.seen = step
        found.zero_grad()
        torch.manual_seed(3)
        objective(found.train(), batch).total.backward()
        gradients = [p.grad.clone() for p in found.net.parameters()]
        for h in range(7):
            lone = copy.deepcopy(model().member(h)).train()
            torch.manual_seed(3)
            cross_entropy(lone(batch[0]), batch[1]).backward()
            if all(torch.allclose(p.grad, q, atol=1e-6) for p, q in zip(lone.parameters(), gradients, strict=False)):
                laws.append(h)
    assert laws[:2] == [0, 0] and len(set(laws[2:])) == 2


def test_the_shared_network_is_trained_only_on_laws_that_are_left():
    found, batch = model(), bars(8, 0)
    found.alive[:] = torch.arange(7) == 2
    for step in (1, 2, 3):
        objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=400)
        objective.seen = step
        found.zero_grad()
        torch.manual_seed(3)
        objective(found.train(), batch).total.backward()
        lone = copy.deepcopy(model().member(2)).train()
        torch.manual_seed(3)
        cross_entropy(lone(batch[0]), batch[1]).backward()
        for p, q in zip(found.net.parameters(), lone.net.parameters(), strict=True):
            torch.testing.assert_close(p.grad, q.grad)


def test_there_is_one_network_however_many_hypotheses():
    found = model()
    count = sum(p.numel() for p in found.parameters())
    assert count == sum(p.numel() for p in found.plain().parameters()) and len(found.names) == 7
    names = [name for name in found.state_dict() if not name.startswith("net.")]
    assert all(name.startswith("laws.") or "." not in name for name in names)


def test_nothing_is_chosen_by_networks_that_are_no_better_than_chance():
    x, _ = bars(40, 1)
    labels = torch.randint(2, (40,), generator=torch.Generator().manual_seed(5))
    found, objective, _ = trained(steps=6, held_out=(x, labels))
    beaten = bool((objective.losses[-1].nanmean(1)[found.alive] >= objective.guess).all())
    assert not beaten or found.names[found.chosen] == "none"


def test_what_was_seen_is_in_the_state():
    whole, objective, _ = trained(steps=20, held_out=bars(20, 1))
    parts = model()
    other = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=20)
    assert objective.state_dict().keys() == other.state_dict().keys()
    other.load_state_dict(objective.state_dict())
    assert torch.equal(other.losses.nan_to_num(), objective.losses.nan_to_num()) and other.seen == objective.seen
    parts.load_state_dict(whole.state_dict())
    assert parts.posterior() == whole.posterior()


def test_evaluation_is_that_of_the_model():
    found, batch = model().eval(), bars(8, 0)
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=9).eval()
    assert float(objective(found, batch).total.detach()) == pytest.approx(
        float(cross_entropy(found(batch[0]), batch[1]).detach())
    )


@pytest.mark.parametrize("hypotheses", [3, 7, 11, 30])
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 100, 1000])
def test_schedules_are_in_order_and_within_their_budget(hypotheses, steps):
    plan = schedule(hypotheses, steps, 0.2)
    marks = [0, *(step for step, _ in plan.rungs), steps]
    assert marks == sorted(set(marks)) and plan.decided < steps
    alive = [hypotheses, *(left for _, left in plan.rungs)]
    assert alive == sorted(set(alive), reverse=True)
    assert plan.rungs[-1] == (plan.decided, 1) if steps > 50 else plan.rungs == () and plan.compares(steps - 1)


def apart(h, k):
    """Hypotheses of which none is wider than another."""
    return False


def column(*losses):
    """The same losses for two examples."""
    return torch.tensor(losses).unsqueeze(1).expand(-1, 2)


def test_the_widest_of_those_that_are_alike_is_favoured():
    noise = torch.randn(4, 100, generator=torch.Generator().manual_seed(0))
    losses = torch.tensor([0.0, 0.02, 0.04, 1.0]).unsqueeze(1) + noise
    assert survivors(losses, 1, lambda h, k: k > h) == [2]
    assert survivors(losses, 2, lambda h, k: k > h) == [2, int(losses.mean(1).argmin())]
    sure = torch.tensor([0.0, 0.02, 0.04, 1.0]).unsqueeze(1) + 1e-3 * noise
    assert survivors(sure, 1, lambda h, k: k > h) == [0]


def test_scores_are_of_mean_weights_and_leave_the_weights_alone():
    found = model()
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=STEPS)
    plan = schedule(len(found.names), STEPS, WARMUP)
    for before, after in itertools.pairwise([0, *(step for step, _ in plan.rungs)]):
        counts = [plan.averaged(step) for step in range(before + 1, after + 1)]
        assert counts[-4:] == [1, 2, 3, 4] and not any(counts[:-4])
    assert plan.averaged(0) == plan.averaged(STEPS - 1) == 0
    fit(found, objective, [bars(16, 0)], steps=plan.rungs[0][0] - 1, optimiser=OptimiserConfig(lr=1e-2))
    before = copy.deepcopy(found.state_dict())
    with torch.no_grad():
        objective._score(found, bars(16, 0), 0, 2, 1.0)
    assert all(torch.equal(value, before[name]) for name, value in found.state_dict().items())


def test_one_of_the_wider_ones_goes_on():
    assert survivors(column(0.1, 0.2, 0.3, 0.4), 2, lambda h, k: h < k == 3) == [0, 3]
    assert survivors(column(0.1, math.nan, 0.3, 0.4), 3, lambda h, k: False) == [0, 2, 3]
    assert survivors(column(math.nan, 0.3), 2, lambda h, k: h < k) == [1]


def test_the_posterior_compares_those_that_met():
    """The winner was behind at the first rung: who was dropped there is measured by the best of that rung."""
    noise = 0.01 * torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0)).double()
    losses = torch.tensor([[1.0, 1.2, 1.1], [0.6, 0.3, math.nan]]).double()[:, :, None] + noise
    found = winning_probabilities(losses, torch.tensor([1, 1, 0]), torch.ones(3, dtype=torch.bool), apart)
    assert found.tolist() == pytest.approx([0, 1, 0])
    barred = winning_probabilities(losses, torch.tensor([1, 1, 0]), torch.tensor([True, False, True]), apart)
    assert barred.tolist() == pytest.approx([1, 0, 0])


def test_a_narrow_one_that_was_dropped_for_a_wider_one_does_not_win_by_less_than_an_error():
    noise = torch.randn(2, 100, generator=torch.Generator().manual_seed(0)).double()
    losses = (torch.tensor([[0.0], [0.05]]).double() + noise - noise.mean(1, keepdim=True)).unsqueeze(0)
    losses = torch.cat([losses, torch.full_like(losses, math.nan)])
    losses[1, 1] = 0.1
    eligible = torch.ones(2, dtype=torch.bool)
    plainly = winning_probabilities(losses, torch.tensor([0, 1]), eligible, apart)
    ruled = winning_probabilities(losses, torch.tensor([0, 1]), eligible, lambda h, k: h < k)
    assert plainly[0] > 0.5 > ruled[0]


def test_alike_hypotheses_share_the_posterior():
    losses = torch.randn(1, 2, 400, generator=torch.Generator().manual_seed(0)).double()
    losses[0, 1] -= losses[0, 1].mean() - losses[0, 0].mean()
    found = winning_probabilities(losses, torch.tensor([0, 0]), torch.ones(2, dtype=torch.bool), apart)
    assert found[0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("alike", "expected"), [(1e-3, [1 / 3, 1 / 3, 1 / 3, 0]), (1e-6, [0, 1, 0, 0]), (0.0, [0, 1, 0, 0])]
)
def test_hypotheses_that_differ_by_next_to_nothing_share_each_win(alike, expected):
    losses = torch.tensor([2e-4, 1e-4, 3e-4, 0.7]).double().reshape(1, 4, 1).expand(1, 4, 50)
    last, eligible = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.bool)
    assert winning_probabilities(losses, last, eligible, apart, alike).tolist() == pytest.approx(expected)


def test_data_that_tell_no_law_from_another_open_the_interval():
    """Discs about the middle look alike from all sides, so that no law of rotations does harm or good."""
    torch.manual_seed(0)
    y = torch.arange(80) % 2
    radius = torch.linspace(-1, 1, 12)[:, None].hypot(torch.linspace(-1, 1, 12))
    x = (radius < torch.where(y == 0, 0.3, 0.7)[:, None, None]).float()[:, None] + 0.05 * torch.rand(80, 1, 12, 12)
    found = model()
    objective = SuccessiveHalving(Supervised(cross_entropy), (x[40:], y[40:]), steps=4 * STEPS)
    fit(found, objective, [(x[:40], y[:40])], steps=4 * STEPS, optimiser=OptimiserConfig(lr=1e-2))
    (degree,) = ls.degrees(found)
    assert degree.low == 0 and degree.high == pytest.approx(180) and 30 < degree.estimate < 120


def test_chance_is_what_the_others_say_of_each_example():
    y = torch.tensor([0, 0, 0, 1])
    # two of the three others and one of two classes more: (2 + 1) / (3 + 2); none of them: 1 / (3 + 2)
    expected = -(3 * math.log(3 / 5) + math.log(1 / 5)) / 4
    assert chance(cross_entropy, torch.zeros(4, 2), y) == pytest.approx(expected, abs=1e-4)
    numbers = torch.tensor([[1.0], [3.0], [8.0]])
    others = torch.tensor([[5.5], [4.5], [2.0]])
    expected = float(((numbers - others) ** 2).mean())
    assert chance(nn.functional.mse_loss, torch.zeros(3, 1), numbers) == pytest.approx(expected, abs=1e-4)


def test_temperature_is_taken_off_logits_and_not_off_numbers():
    torch.manual_seed(0)
    y = torch.arange(90) % 3
    outputs = torch.randn(90, 3) + 2 * torch.eye(3)[y]
    losses = [cross_entropy(calibrated(cross_entropy, scale * outputs, y), y) for scale in (0.3, 1.0, 3.0)]
    assert float(losses[0]) == pytest.approx(float(losses[1]), abs=1e-2)
    assert float(losses[2]) == pytest.approx(float(losses[1]), abs=1e-2)
    numbers = torch.rand(4, 1)
    assert torch.equal(calibrated(nn.functional.mse_loss, outputs[:4, :1], numbers), outputs[:4, :1])


def test_losses_are_of_one_example_each():
    outputs, y = torch.randn(7, 3), torch.arange(7) % 3
    expected = cross_entropy(outputs, y, reduction="none").double()
    torch.testing.assert_close(loss_per_example(cross_entropy, outputs, y), expected)


def test_what_it_cannot_use_is_one_sentence():
    task = Supervised(cross_entropy)
    with pytest.raises(ValueError, match=r"^held_out: got 5 examples, must be at least 10"):
        SuccessiveHalving(task, bars(5, 0), steps=3)
    with pytest.raises(ValueError, match=r"^held_out: got None"):
        fit(model(), SuccessiveHalving(task, None, steps=1), [bars(8, 0)], steps=1)
    with pytest.raises(ValueError, match=r"^model: got CNN, must be augment\.Hypotheses"):
        net = ls.nets.CNN(1, 2, width=2, size=12, depth=1)
        fit(net, SuccessiveHalving(task, bars(20, 0), steps=1), [bars(8, 0)], steps=1)
    with pytest.raises(ValueError, match=r"^train\.compile: got true with the chooser selection"):
        tiny("augerino", "selection", train={"steps": 1, "compile": True})
    with pytest.raises(ValueError, match=r"^method\.init: got 0\.5"):
        config_of({"method": {"name": "augerino", "init": 0.5}, "chooser": {"name": "selection"}})


@pytest.mark.slow
@pytest.mark.parametrize("borrow", [0.0, 0.5])
@pytest.mark.parametrize("stop", [3, 7, 11])
def test_a_run_that_is_stopped_between_rungs_ends_the_same(stop, borrow, tmp_path):
    class Stopped(Exception):
        pass

    def train(path, halt=None):
        found = model("batch")
        objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=20, borrow=borrow)

        def validate(_):
            if objective.seen == halt:
                raise Stopped
            return {}

        options = TrainConfig(steps=20, checkpoint_every=1, eval_every=1)
        fit(found, objective, [bars(8, 0)], train=options, run=Run.new(path), validate=validate)
        return found, objective

    whole, whole_objective = train(tmp_path / "whole")
    with pytest.raises(Stopped):
        train(tmp_path / "parts", stop)
    parts, parts_objective = train(tmp_path / "parts")
    assert all(torch.equal(parts.state_dict()[name], value) for name, value in whole.state_dict().items())
    assert torch.equal(parts_objective.losses.nan_to_num(), whole_objective.losses.nan_to_num())
