"""Verdicts on tables from known learning curves: what is found is true, and nothing is decided that is not known."""

import math
from itertools import pairwise

import numpy as np
import pytest

from learnsym.comparison.verdicts import (
    ACCURACY,
    ERROR_RATE,
    LOSS,
    Difference,
    at_best,
    best_arms,
    crossover,
    data_efficiency,
    lengths,
    metric_of,
    regions,
    regret,
    settings,
)
from tests.comparison.tables import CURVES, TRAIN, error, pd, table, true_crossing

TWINS = ["exact", "plain", "augmented"]


def of(*arms):
    return {arm: CURVES[arm] for arm in arms}


def test_one_seed_has_no_interval():
    found = Difference.of(np.array([2.0]))
    assert math.isinf(found.low) and math.isinf(found.high) and found.sign == 0


@pytest.mark.parametrize("metric", [ACCURACY, ERROR_RATE, LOSS], ids=lambda metric: metric.name)
def test_a_crossing_is_where_the_curves_meet(metric):
    truth = true_crossing(CURVES["exact"], CURVES["plain"])
    made = [crossover(table(of("exact", "plain"), noise=0.02, random=r), "exact", "plain", metric) for r in range(20)]
    assert all(len(one.crossings) == 1 and one.winner(one.crossings[0].before) == "exact" for one in made)
    assert np.median([one.crossings[0].estimate for one in made]) == pytest.approx(truth, rel=0.05)
    assert np.median([one.crossings[0].high / one.crossings[0].low for one in made]) < 1.6
    assert np.mean([one.may_cross_at(truth) for one in made]) >= 0.75


def test_the_order_of_arms_does_not_matter():
    rows = table(noise=0.1)
    one, other = (crossover(rows, *pair).crossings for pair in (("exact", "plain"), ("plain", "exact")))
    assert [(c.low, c.estimate, c.high) for c in one] == [(c.low, c.estimate, c.high) for c in other]
    assert [c.before for c in one] == [-c.before for c in other]


def test_an_arm_that_is_better_everywhere_does_not_cross():
    curves = {"exact": CURVES["exact"], "plain": lambda n: 1.3 * CURVES["exact"](n)}
    found = crossover(table(curves, noise=0.02), "exact", "plain")
    assert [region.sign for region in found.regions] == [1] and not found.crossings


def test_equal_arms_are_not_decided():
    found = crossover(table({"a": CURVES["exact"], "b": CURVES["exact"]}, random=1), "a", "b")
    assert not found.crossings and any(region.sign == 0 for region in found.regions)


def _curve(*estimates):
    return [Difference(estimate=float(one), low=one - 1.0, high=one + 1.0, seeds=3) for one in estimates]


@pytest.mark.parametrize("first", [100, 243, 997])
def test_regions_end_at_the_numbers_that_were_trained(first):
    """To the last bit, so that words say "up to" and "on": `exp(log n)` is another number on some processors."""
    train = [first, 3 * first + 1, 9 * first + 7]
    found = regions(train, _curve(3, -3, 3))
    assert (found[0].low, found[-1].high) == (train[0], train[-1])


def test_several_crossings_are_all_found():
    signs = [region.sign for region in regions([10, 100, 1000], _curve(3, -3, 3))]
    assert signs == [1, 0, -1, 0, 1]


def test_regions_cover_the_range_and_adjoin():
    found = regions([10, 30, 100, 1000], _curve(3, 0.5, -3, -0.2))
    assert found[0].low == pytest.approx(10) and found[-1].high == pytest.approx(1000)
    assert all(a.high == pytest.approx(b.low) and a.sign != b.sign for a, b in pairwise(found))


def test_an_unknown_point_leaves_all_up_to_its_neighbours_undecided():
    unknown = Difference(estimate=3.0, low=-math.inf, high=math.inf, seeds=1)
    high, low = _curve(3, -3)
    assert [one.sign for one in regions([10, 100, 1000], [high, unknown, high])] == [1, 0, 1]
    assert [one.sign for one in regions([10, 30, 100, 1000], [high, high, unknown, low])] == [1, 0, -1]


def test_one_seed_decides_nothing():
    found = crossover(table(seeds=(0,)), "exact", "plain")
    assert {region.sign for region in found.regions} == {0} and not found.crossings


def test_test_examples_widen_intervals():
    rows = table(noise=0.02)
    here, anywhere = (crossover(rows, "exact", "plain", test_examples=n) for n in (None, 1000))
    wider = zip(here.differences, anywhere.differences, strict=True)
    assert all(b.low < a.low and b.high > a.high for a, b in wider)


def test_unknown_arms_are_named():
    with pytest.raises(ValueError, match=r"'exakt'.*plain"):
        crossover(table(), "exakt", "plain")


def test_arms_without_a_common_seed_are_not_compared():
    rows = pd.concat([table(of("exact"), seeds=(0, 1)), table(of("plain"), seeds=(2, 3))], ignore_index=True)
    with pytest.raises(ValueError, match="share no training size and seed"):
        crossover(rows, "exact", "plain")


def test_the_best_of_the_grid_is_chosen_by_validation_alone():
    rows = table(sizes=(8, 16, 32), steps=(300, 1000), random=2)
    shuffled = rows.assign(test_loss=rows["test_loss"].sample(frac=1, random_state=0).to_numpy())
    assert list(at_best(rows)["cell"]) == list(at_best(shuffled)["cell"])
    means = rows.groupby(["arm", "train", "size", "steps"])["val_loss"].mean()
    best = at_best(rows)
    assert best.groupby(["arm", "train"])["val_loss"].mean().to_numpy() == pytest.approx(
        means.groupby(["arm", "train"]).min().to_numpy()
    )
    assert len(best) == 4 * len(TRAIN) * 3


def test_settings_are_the_grid():
    rows = table(sizes=(8, 16), steps=(300, 1000))
    found = dict(settings(rows))
    assert set(found) == {(8, 300.0), (8, 1000.0), (16, 300.0), (16, 1000.0)}
    assert sum(map(len, found.values())) == len(rows)


def test_lengths_in_epochs_are_one_length_despite_rounding():
    rows = table(of("plain"))
    parts = [rows.assign(steps=np.ceil(epochs * rows["train"] / 64).astype(int)) for epochs in (10, 30)]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(samples=64 * rows["steps"])
    assert lengths(rows).nunique() == 2
    assert lengths(rows).iloc[0] == pytest.approx(10, rel=0.03)


def test_regret_is_against_the_better_twin_of_each_cell():
    found = regret(table(noise=0.0), "learned", TWINS)
    assert [one.better for one in found.cells] == ["exact", "exact", "plain", "plain", "plain", "plain"]
    expected = [100 * (CURVES["learned"](n) - min(CURVES[arm](n) for arm in TWINS)) for n in TRAIN]
    assert [-one.difference.estimate for one in found.cells] == pytest.approx(expected)
    assert found.within == found.surely_within == 6 and found.surely_outside == 0
    outside = regret(table(noise=0.0), "learned", TWINS, margin=0.05)
    assert outside.within == outside.surely_within == 0 and outside.surely_outside == 6


def test_intervals_of_regret_hold_the_estimate_and_allow_for_more_twins():
    rows = table(noise=0.1)
    one, all_of_them = regret(rows, "learned", ["exact"]), regret(rows, "learned", TWINS)
    for found in (one, all_of_them):
        assert all(each.difference.low <= each.difference.estimate <= each.difference.high for each in found.cells)
    assert all(b.difference.low <= a.difference.low for a, b in zip(one.cells, all_of_them.cells, strict=True))


def test_cells_that_lack_a_twin_have_no_regret():
    rows = table(noise=0.02)
    part = rows[(rows["arm"] != "exact") | (rows["train"] > 1000)]
    assert [one.cell.train for one in regret(part, "learned", TWINS).cells] == [3000, 10_000, 30_000]


def test_two_learning_rates_need_a_choice():
    rows = pd.concat([table(), table().assign(lr=0.1)], ignore_index=True)
    with pytest.raises(ValueError, match=r"two rows for .*chosen"):
        regret(rows, "learned", TWINS)


def test_failed_cells_do_not_count():
    rows = table(noise=0.02)
    failed = rows.assign(state="failed", test_accuracy=np.nan, seed=7)
    found = crossover(pd.concat([rows, failed], ignore_index=True), "exact", "plain")
    assert found.differences == crossover(rows, "exact", "plain").differences


def test_data_efficiency_is_the_ratio_of_data_for_one_score():
    goals = {n: CURVES["exact"](n) for n in TRAIN}
    truths = {n: true_crossing(CURVES["plain"], lambda m, n=n: goals[n], 1, 1e9) / n for n in TRAIN}
    tables = [table(of("exact", "plain"), noise=0.03, random=r) for r in range(5)]
    found = [one for rows in tables for one in data_efficiency(rows, "plain", "exact")]
    assert np.mean([one.low <= truths[one.train] <= one.high for one in found]) >= 0.8
    assert all(one.factor == pytest.approx(truths[one.train], rel=0.25) for one in found)


def test_scores_out_of_reach_have_one_sided_intervals():
    curves = {"exact": lambda n: error(n, 1.0, 0.5, 0.0), "plain": lambda n: error(n, 8.0, 0.5, 0.0)}
    found = data_efficiency(table(curves, noise=0.01), "plain", "exact")
    last = found[-1]  # 64 times the data are far beyond the range
    assert last.factor is None and math.isinf(last.high) and last.low == pytest.approx(1.0)
    first = data_efficiency(table(curves, noise=0.01), "exact", "plain")[0]
    assert first.factor is None and first.low == 0 and first.high == pytest.approx(1.0)


def test_the_best_arm_leads_the_next():
    found = best_arms(table(of("exact", "plain", "augmented"), noise=0.0, sizes=(8, 16)))
    assert len(found) == 12 and [one.arm for one in found[:4]] == ["exact"] * 4
    assert found[-1].arm == "plain" and found[-1].runner_up == "augmented" and found[-1].decided


def test_regression_is_compared_by_loss_as_a_ratio():
    rows = table(accuracy=False, noise=0.0)
    metric = metric_of(rows)
    found = regret(rows, "learned", TWINS)
    ratio = CURVES["learned"](100) / CURVES["exact"](100)
    assert metric is LOSS and metric.shown(-found.cells[0].difference.estimate) == pytest.approx(100 * (ratio - 1))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.02, 0.05, 0.15])
@pytest.mark.parametrize("metric", [ACCURACY, LOSS], ids=["accuracy", "loss"])
def test_crossovers_are_covered(metric, noise):
    truth = true_crossing(CURVES["exact"], CURVES["plain"])
    made = [crossover(table(of("exact", "plain"), noise=noise, random=r), "exact", "plain", metric) for r in range(200)]
    stated = [one for one in made if one.crossings]
    assert np.mean([one.may_cross_at(truth) for one in made]) >= 0.85
    assert len(stated) > 150
    assert np.mean([any(c.low <= truth <= c.high for c in one.crossings) for one in stated]) >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.02, 0.05, 0.15])
def test_regret_and_data_efficiency_are_covered(noise):
    truths = {n: 100 * (min(CURVES[arm](n) for arm in TWINS) - CURVES["learned"](n)) for n in TRAIN}
    goals = {n: CURVES["exact"](n) for n in TRAIN}
    factors = {n: true_crossing(CURVES["plain"], lambda m, n=n: goals[n], 1, 1e9) / n for n in TRAIN}
    behind, needed = [], []
    for random in range(100):
        rows = table(noise=noise, random=random)
        cells = regret(rows, "learned", TWINS).cells
        behind += [one.difference.low <= truths[one.cell.train] <= one.difference.high for one in cells]
        needed += [one.low <= factors[one.train] <= one.high for one in data_efficiency(rows, "plain", "exact")]
    assert np.mean(behind) >= 0.87 and np.mean(needed) >= 0.87
