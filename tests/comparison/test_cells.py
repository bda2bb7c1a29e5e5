"""The cells of a comparison: how many, what they share, and when two are one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from learnsym.comparison import ComparisonConfig, Plan, cells, networks
from learnsym.training import RunConfig
from learnsym.training.config_file import config_hash


def test_every_point_of_the_grid_has_its_cell(small, with_values):
    found = cells(with_values(small, lrs=[1e-3, 1e-2], steps=[3, 6]))
    assert len(found) == 2 * 2 * 2 * 2 * 2
    assert len({cell.key for cell in found}) == len(found)


def test_seeds_and_examples_are_the_same_for_all_arms(small):
    pairs = {}
    for cell in cells(small):
        pairs.setdefault((cell.train, cell.config.seeds[0]), set()).add((cell.config.data.seed, *cell.config.seeds))
    assert all(len(values) == 1 for values in pairs.values())
    assert {cell.config.data.seed for cell in cells(small)} == {0, 1}


def test_without_redraw_all_seeds_share_their_examples(small, with_values):
    assert {cell.config.data.seed for cell in cells(with_values(small, redraw=False))} == {0}


def test_epochs_become_steps(small, with_values):
    found = cells(with_values(small, epochs=[2.5]))
    assert {(cell.train, cell.config.train.steps) for cell in found} == {(32, 5), (64, 10)}


def test_two_cells_of_one_training_are_refused(small, with_values):
    twice = with_values(small, arms={"a": {}, "b": {"twin": "learned"}})
    with pytest.raises(ValueError, match=r"\[a, .*\] and \[b, .*\] are one and the same training"):
        _ = Plan.of(twice).cells


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        ({"a": {"net": {"widht": 3}}}, "arms.a: net.widht: unknown key"),
        ({"a": {"optimiser": {"lr": -1}}}, "arms.a: optimiser.lr"),
        ({"a": {"seeds": [3]}}, "arms.a.seeds"),
    ],
)
def test_bad_arms_are_named(arms, sentence):
    with pytest.raises(ValueError, match=sentence):
        cells(ComparisonConfig(arms=arms))


def test_more_examples_than_there_are_is_found_out_before_work(small, with_values):
    with pytest.raises(ValueError, match="10032 training and validation examples together asked for"):
        Plan.of(with_values(small, train_sizes=[10_000]))


def test_the_hash_ignores_what_weights_do_not_depend_on(small):
    config = cells(small)[0].config
    same = replace(config, train=replace(config.train, workers=3), data=replace(config.data, label="digits"))
    other = replace(config, train=replace(config.train, steps=7))
    assert config_hash(same) == config_hash(config) != config_hash(other)
    assert config_hash(RunConfig()) == config_hash(RunConfig())


CNN = {
    "data": {"name": "digits", "size": 12},
    "net": {"name": "cnn", "width": 8, "depth": 2},
    "train": {"batch_size": 8},
}
TWINS = {
    "plain": {"twin": "plain"},
    "dense": {"twin": "plain", "net": {"name": "mlp"}},
    "exact": {"twin": "exact", "method": {"orbit": 4}},
}


def test_matching_by_parameters():
    found = {n.arm: n for n in networks(ComparisonConfig(base=CNN, arms=TWINS, sizes=[8]))}
    assert found["plain"].width == found["exact"].width == 8
    assert abs(found["dense"].parameters / found["plain"].parameters - 1) < 0.1
    # an average over four copies costs four passes
    assert found["exact"].flops_inference == pytest.approx(4 * found["plain"].flops_inference, rel=0.2)


def test_matching_by_flops():
    found = {n.arm: n for n in networks(ComparisonConfig(base=CNN, arms=TWINS, sizes=[8], match="flops"))}
    assert abs(found["exact"].flops_counted / found["plain"].flops_counted - 1) < 0.25
    assert found["exact"].width < 8 < found["dense"].width


def test_without_matching_widths_are_the_sizes():
    assert {n.width for n in networks(ComparisonConfig(base=CNN, arms=TWINS, sizes=[5], match="none"))} == {5}


def test_what_cannot_be_matched_is_named():
    shallow = {"twin": "plain", "net": {"name": "mlp", "depth": 1}}
    config = ComparisonConfig(base=CNN, arms={"wide": {"twin": "plain"}, "narrow": shallow}, sizes=[100])
    with pytest.raises(ValueError, match=r"arms\.narrow: no width matches size 100 of wide"):
        networks(config)
