"""Laws of cross-fitting: no network is scored on what it has seen, and all examples train in the end."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import learnsym as ls
from learnsym.objectives import SuccessiveHalving, Supervised
from learnsym.objectives.choosers.folds import Folds
from learnsym.objectives.choosers.halving import schedule
from learnsym.objectives.choosers.selection import WARMUP, Selection
from learnsym.training import OptimiserConfig, fit
from tests.methods.conftest import tiny
from tests.objectives.choosers.test_selection import bars
from tests.objectives.choosers.test_selection import model as selection_model

STEPS = 60


def model(folds):
    return selection_model(folds=folds)


def numbered(count):
    """Examples that know their number."""
    x = torch.arange(count, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 12, 12).contiguous()
    return x, torch.arange(count) % 2


class Seen(Supervised):
    """The numbers of the examples that each network was trained on, in order."""

    def __init__(self):
        super().__init__(cross_entropy)
        self.calls = []

    def forward(self, model, batch):
        self.calls.append(batch[0][:, 0, 0, 0].long().tolist())
        return super().forward(model, batch)


@pytest.mark.parametrize("count", [2, 3])
def test_networks_of_a_fold_never_see_it_before_the_choice_and_see_all_after_it(count):
    pool, task = numbered(30), Seen()
    found = model(count)
    objective = SuccessiveHalving(task, pool, steps=STEPS, folds=count)
    plan = schedule(len(found.names), STEPS, WARMUP)
    of = Folds(30, count).of(torch.arange(30))
    everything = (pool[0], pool[1])
    for step in range(STEPS):
        task.calls.clear()
        objective(found.train(), everything)
        for seen in task.calls:
            assert sorted(seen) == sorted(
                [i for i in range(30) if of[i] != step % count] if plan.compares(step) else range(30)
            )


def test_each_example_is_scored_by_the_network_that_has_not_seen_it():
    """Networks of the first fold are sure of class 0, those of the second of class 1."""
    pool = bars(20, 1)
    found = model(2)
    for fold in range(2):
        for p in found.compared(fold).parameters():
            p.data.zero_()
        bias = next(p for name, p in found.compared(fold).named_parameters() if p.shape == (2,) and "bias" in name)
        bias.data[fold] = 3.0
    objective = SuccessiveHalving(Supervised(cross_entropy), pool, steps=STEPS, folds=2)
    rows, (x, _) = objective._examples(20, torch.device("cpu"))
    with torch.no_grad():
        outputs = objective._outputs(found, 1, x, 2, objective.folds.of(rows))
    assert torch.equal(outputs.argmax(1), objective.folds.of(rows))


def test_folds_are_a_partition_into_equal_parts():
    for examples, count in ((10, 2), (11, 3), (40, 7), (5, 1)):
        of = Folds(examples, count).of(torch.arange(examples))
        sizes = torch.bincount(of, minlength=count)
        assert int(sizes.sum()) == examples and int(sizes.max() - sizes.min()) <= 1


def test_a_batch_has_no_example_twice_and_is_smaller_where_there_are_fewer():
    folds, pool = Folds(12, 3), numbered(12)
    x, y = folds.batch(pool, 0, 5, torch.device("cpu"))
    numbers = x[:, 0, 0, 0].long()
    assert len(set(numbers.tolist())) == 5 and torch.equal(numbers % 2, y)
    assert len(folds.batch(pool, 0, 32, torch.device("cpu"))[1]) == 8


def test_it_costs_what_it_says_and_no_more_than_without_folds():
    pool, task = bars(60, 1), Supervised(cross_entropy)
    found, objective = model(2), SuccessiveHalving(task, pool, steps=STEPS, folds=2)
    fit(found, objective, [bars(16, 0)], steps=STEPS)
    said = objective.trainings(len(found.names), 16, found.test_copies)
    assert 0.8 * said <= float(objective.passes) / STEPS <= said
    assert said < SuccessiveHalving(task, pool, steps=STEPS).trainings(len(found.names), 16, found.test_copies)


def test_bars_that_turn_into_each_other_are_not_invariant_under_all_rotations():
    found = model(2)
    pool = bars(60, 1)
    objective = SuccessiveHalving(Supervised(cross_entropy), pool, steps=2 * STEPS, folds=2)
    fit(found, objective, [bars(16, 0)], steps=2 * STEPS, optimiser=OptimiserConfig(lr=1e-2))
    assert found.posterior()["rotation 180"] < 0.05 and sum(found.posterior().values()) == pytest.approx(1)
    assert int(found.alive.sum()) == 1 and bool(found.alive[found.chosen])
    (degree,) = ls.degrees(found)
    assert degree.low <= 45 and degree.estimate < 60


def test_networks_of_other_folds_rest_after_the_choice():
    found, pool = model(2), bars(20, 1)
    objective = SuccessiveHalving(Supervised(cross_entropy), pool, steps=STEPS, folds=2)
    fit(found, objective, [bars(16, 0)], steps=40)
    before = [p.clone() for p in found.of_folds.parameters()]
    own = [p.clone() for p in found.single.parameters()]
    fit(found, objective, [bars(16, 0)], steps=5)
    assert all(torch.equal(p, q) for p, q in zip(found.of_folds.parameters(), before, strict=True))
    assert not all(torch.equal(p, q) for p, q in zip(found.single.parameters(), own, strict=True))


def test_a_configuration_needs_no_validation_examples_for_the_choice():
    config = replace(tiny("augerino", "selection"), chooser=Selection(folds=2))
    found, objective, splits = ls.training.build(config)
    assert found.folds == 2 and objective.held_out[1] is splits.train.y
    found, objective, splits = ls.training.build(tiny("augerino", "selection"))
    assert found.folds == 1 and objective.held_out[1] is splits.val.y


def test_none_goes_on_where_no_hypothesis_is_better_than_chance():
    x, _ = bars(20, 1)
    y = torch.tensor([0, 1]).repeat(10)[torch.randperm(20, generator=torch.Generator().manual_seed(3))]
    found = model(2)
    objective = SuccessiveHalving(Supervised(cross_entropy), (x, y), steps=STEPS, folds=2)
    objective.guess.fill_(-1.0)
    objective._score = lambda *_: objective.__dict__.update(losses=torch.rand(4, 7, 20))
    objective._drop(found, (x, y), 0, 3)
    assert int(found.alive.sum()) == 3
    objective._drop(found, (x, y), 2, 1)
    assert found.alive.nonzero().tolist() == [[0]] and found.chosen == 0


def test_what_it_cannot_use_is_one_sentence():
    task = Supervised(cross_entropy)
    with pytest.raises(ValueError, match=r"^folds: got 21, must lie in \[1, 20\], the number of examples"):
        SuccessiveHalving(task, bars(20, 0), steps=3, folds=21)
    with pytest.raises(ValueError, match=r"^held_out: got 5 examples, must be at least 10 .*more training examples"):
        SuccessiveHalving(task, bars(5, 0), steps=3, folds=2)
    with pytest.raises(ValueError, match=r"^held_out: got None"):
        fit(model(2), SuccessiveHalving(task, None, steps=40, folds=2), [bars(8, 0)], steps=2)
    with pytest.raises(ValueError, match=r"^model: has 1 folds, must have 2"):
        fit(model(1), SuccessiveHalving(task, bars(20, 0), steps=2, folds=2), [bars(8, 0)], steps=2)
    with pytest.raises(ValueError, match=r"^steps: got 2, too few to choose in folds"):
        fit(model(2), SuccessiveHalving(task, bars(20, 0), steps=2, folds=2), [bars(8, 0)], steps=2)
    with pytest.raises(ValueError, match=r"^folds: got 0"):
        model(0)


def test_the_network_that_predicts_begins_after_the_choice():
    found, start = model(2), model(2)
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(20, 1), steps=STEPS, folds=2)
    chosen = schedule(len(found.names), STEPS, WARMUP).rungs[-1][0]
    for steps, is_as_it_was in ((chosen, True), (1, False)):
        fit(found, objective, [bars(16, 0)], steps=steps)
        same = [torch.equal(p, q) for p, q in zip(found.single.parameters(), start.single.parameters(), strict=True)]
        assert all(same) == is_as_it_was


def test_networks_of_folds_have_no_degrees_of_their_own():
    assert len(ls.degrees(model(3))) == len(ls.degrees(model(1))) == 1
    assert isinstance(model(3).single, nn.Module)
