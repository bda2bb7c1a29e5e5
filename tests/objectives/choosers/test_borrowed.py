"""Laws of borrowed examples: none is trained on before the choice, all are after it, and only they choose."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

import learnsym as ls
from learnsym.objectives import SuccessiveHalving, Supervised
from learnsym.objectives.choosers.borrowed import Borrowed
from learnsym.objectives.choosers.halving import schedule
from learnsym.objectives.choosers.selection import WARMUP, Selection
from learnsym.training import OptimiserConfig, fit
from tests.methods.conftest import tiny
from tests.objectives.choosers.test_selection import bars, model

STEPS = 60


def numbered(count):
    """Examples that know their number."""
    x = torch.arange(count, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 12, 12).contiguous()
    return x, torch.arange(count) % 2


class Seen(Supervised):
    """The numbers of the examples that each step was trained on, in order."""

    def __init__(self):
        super().__init__(cross_entropy)
        self.calls = []

    def __call__(self, model, batch):
        self.calls.append(batch[0][:, 0, 0, 0].long().tolist())
        return super().__call__(model, batch)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_borrowed_examples_are_not_trained_on_before_the_choice_and_are_after_it(share):
    pool, task, found = numbered(40), Seen(), model()
    objective = SuccessiveHalving(task, pool, steps=STEPS, borrow=share)
    decided = schedule(len(found.names), STEPS, WARMUP).decided
    borrowed = set(Borrowed(40, share).rows.tolist())
    assert len(borrowed) == 40 * share
    for step in range(STEPS):
        task.calls.clear()
        objective(found.train(), pool)
        (seen,) = task.calls
        assert sorted(seen) == [i for i in range(40) if step >= decided or i not in borrowed]


def test_borrowed_examples_alone_are_scored():
    pool, found = numbered(40), model()
    objective = SuccessiveHalving(Supervised(cross_entropy), pool, steps=STEPS, borrow=0.25)
    x, _ = objective._examples(100, torch.device("cpu"))
    assert sorted(x[:, 0, 0, 0].long().tolist()) == sorted(Borrowed(40, 0.25).rows.tolist())
    fit(found, objective, [bars(16, 0)], steps=STEPS)
    assert objective.losses.shape[-1] == 10 and not objective.losses[0].isnan().any()


@pytest.mark.parametrize(("examples", "share"), [(10, 0.5), (11, 0.3), (40, 0.25), (5, 0.0)])
def test_examples_are_parted_in_two(examples, share):
    borrowed = Borrowed(examples, share)
    assert sorted([*borrowed.rows.tolist(), *borrowed.rest.tolist()]) == list(range(examples))
    assert len(borrowed.rows) == (round(share * examples) if share else examples)


def test_a_batch_has_no_example_twice_and_is_smaller_where_there_are_fewer():
    borrowed, pool = Borrowed(12, 0.25), numbered(12)
    x, y = borrowed.batch(pool, 5, torch.device("cpu"))
    numbers = x[:, 0, 0, 0].long()
    assert len(set(numbers.tolist())) == 5 and torch.equal(numbers % 2, y)
    assert len(borrowed.batch(pool, 32, torch.device("cpu"))[1]) == 9


def test_it_costs_what_it_says_and_no_more_than_validation_examples():
    pool, task = bars(60, 1), Supervised(cross_entropy)
    found, objective = model(), SuccessiveHalving(task, pool, steps=STEPS, borrow=0.5)
    fit(found, objective, [bars(16, 0)], steps=STEPS)
    said = objective.trainings(len(found.names), 16, found.test_copies)
    assert 0.8 * said <= float(objective.passes) / STEPS <= said
    assert said < SuccessiveHalving(task, pool, steps=STEPS).trainings(len(found.names), 16, found.test_copies)


def test_bars_that_turn_into_each_other_are_not_invariant_under_all_rotations():
    found = model()
    objective = SuccessiveHalving(Supervised(cross_entropy), bars(60, 1), steps=2 * STEPS, borrow=0.25)
    fit(found, objective, [bars(16, 0)], steps=2 * STEPS, optimiser=OptimiserConfig(lr=1e-2))
    assert found.posterior()["rotation 180"] < 0.05 and sum(found.posterior().values()) == pytest.approx(1)
    assert int(found.alive.sum()) == 1 and bool(found.alive[found.chosen])
    (degree,) = ls.degrees(found)
    assert degree.low <= 45 and degree.estimate < 60


def test_a_configuration_needs_no_validation_examples_for_the_choice():
    config = replace(tiny("augerino", "selection"), chooser=Selection(borrow=0.5))
    _, objective, splits = ls.training.build(config)
    assert objective.held_out[1] is splits.train.y
    assert len(objective.borrowed.rows) == round(len(splits.train) / 2)
    _, objective, splits = ls.training.build(tiny("augerino", "selection"))
    assert objective.held_out[1] is splits.val.y and not len(objective.borrowed.rest)


def test_none_goes_on_where_no_hypothesis_is_better_than_chance():
    x, _ = bars(20, 1)
    y = torch.tensor([0, 1]).repeat(10)[torch.randperm(20, generator=torch.Generator().manual_seed(3))]
    found = model()
    objective = SuccessiveHalving(Supervised(cross_entropy), (x, y), steps=STEPS, borrow=0.5)
    objective.guess.fill_(-1.0)
    objective._score = lambda *_: objective.__dict__.update(losses=torch.rand(4, 7, 10))
    objective._drop(found, (x, y), 0, 3)
    assert int(found.alive.sum()) == 3
    objective._drop(found, (x, y), 2, 1)
    assert found.alive.nonzero().tolist() == [[0]] and found.chosen == 0


def test_what_it_cannot_use_is_one_sentence():
    task = Supervised(cross_entropy)
    with pytest.raises(ValueError, match=r"^borrow: got 0\.9, must be a finite number in \[0, 0\.5\]"):
        SuccessiveHalving(task, bars(20, 0), steps=40, borrow=0.9)
    with pytest.raises(ValueError, match=r"^held_out: got 5 examples, must be at least 10 .*borrow a larger part"):
        SuccessiveHalving(task, bars(20, 0), steps=40, borrow=0.25)
    with pytest.raises(ValueError, match=r"^held_out: got 5 examples, must be at least 10 .*chooser\.borrow to 0\.25"):
        SuccessiveHalving(task, bars(5, 0), steps=40)
    with pytest.raises(ValueError, match=r"^held_out: got None"):
        fit(model(), SuccessiveHalving(task, None, steps=40, borrow=0.5), [bars(8, 0)], steps=2)
    with pytest.raises(ValueError, match=r"^steps: got 2, too few to choose by borrowed examples"):
        fit(model(), SuccessiveHalving(task, bars(20, 0), steps=2, borrow=0.5), [bars(8, 0)], steps=2)
    with pytest.raises(ValueError, match=r"^chooser\.borrow: got -0\.1, must be a finite number in \[0, 0\.5\]"):
        Selection(borrow=-0.1)
