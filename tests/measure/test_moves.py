"""Moves: the same elements for the same seed, whole groups where they are small, outputs that no batch size changes."""

import pytest
import torch
from torch import nn

from learnsym import groups, symmetry
from learnsym.measure._reader import reading
from learnsym.measure.moves import Moves

TURNS = symmetry.quarter_turns2d()


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="samples: got 0, must be >= 1"):
        Moves(TURNS, samples=0)


def test_small_groups_are_taken_whole_and_others_drawn():
    x = torch.rand(3, 1, 6, 6, dtype=torch.float64)
    whole = Moves(TURNS, samples=4)
    assert torch.equal(whole.orbit(x)[:, 0], groups.Cyclic(4).components)
    assert torch.equal(whole.orbit(x, identity=False), whole.orbit(x)[1:])
    drawn = Moves(TURNS, samples=3)
    assert torch.equal(drawn.orbit(x), drawn.stratified(x))
    assert len(drawn.orbit(x, identity=False)) == 3
    assert whole.draws(x).is_whole and not drawn.draws(x).is_whole


def test_elements_and_partners_follow_the_seed():
    x = torch.rand(5, 1, 6, 6)
    first, again, other = (Moves(symmetry.rotation2d(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.stratified(x), again.stratified(x))
    assert not torch.equal(first.stratified(x), other.stratified(x))
    assert torch.equal(first.partners(x), again.partners(x))
    assert not bool((first.partners(x) == torch.arange(5)).any())


def test_pairs_are_those_of_the_formula_for_any_batch_size():
    x, model = torch.rand(5, 1, 6, 6, dtype=torch.float64), nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).double()
    moves = Moves(TURNS)
    elements = moves.orbit(x)
    for batch_size in (1, 2, 64):
        with reading(model, x, batch_size=batch_size) as read:
            for g, (moved, expected) in zip(elements, moves.pairs(read, x, elements), strict=True):
                torch.testing.assert_close(moved, model(TURNS.on_input(g, x)))
                torch.testing.assert_close(expected, TURNS.on_output(g, model(x)))
