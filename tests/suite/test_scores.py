"""Scores of answers that are made up, whose right values are known."""

from __future__ import annotations

import pytest

from learnsym.data.known import task_by_name
from learnsym.suite.scores import auc, calibration, regrets, scores_of

BOX, NONE = "digits rotation 45", "drawings as they are: rotation"


def entry(task, result, *, method="poses", arm="", chooser="", seed=0, reason=""):
    known = task_by_name(task)
    estimator = f"{method} × {chooser}" if chooser else method
    return {
        **{"task": task, "method": method, "arm": arm, "chooser": chooser, "seed": seed, "estimator": estimator},
        **{"half": known.half, "domain": known.domain, "reason": reason, "result": result},
    }


def reading(task, estimate, low, high, **levels):
    held = {f"0.{name[1:]}": ends for name, ends in levels.items()}
    found = {"estimate": estimate, "low": low, "high": high, "levels": held}
    return entry(task, {**found, "score": estimate / task_by_name(task).truth.cap, "says": low > 0})


def twins(task, learned, plain, exact=(), method="augerino"):
    found = [("learned", "training", learned), ("plain", "", plain), ("exact", "", exact)]
    return [
        entry(task, {"accuracy": value, "cost": 1.0}, method=method, arm=arm, chooser=chooser, seed=seed)
        for arm, chooser, values in found
        for seed, value in enumerate(values)
    ]


def test_a_truth_within_its_interval_is_covered():
    (score,) = scores_of([reading(BOX, 54.0, 40.0, 58.0), reading(NONE, 18.0, 9.0, 27.0)], 0.9)
    assert score.tasks == 2 and score.unfit == 0
    assert score.error == pytest.approx((9 / 180 + 18 / 180) / 2)
    assert score.coverage == 0.5 and score.width == pytest.approx(18 / 180)
    assert score.auc == 1.0 and score.false_positives == 1.0 and score.missed == 0.0


def test_the_two_halves_are_scored_by_themselves():
    judged = "digits rotation 90"
    found = {s.half: s for s in scores_of([reading(BOX, 45.0, 40.0, 50.0), reading(judged, 45.0, 40.0, 50.0)], 0.9)}
    assert found["calibrate"].coverage == 1.0 and found["judge"].coverage == 0.0


def test_what_does_not_fit_is_counted_and_not_scored():
    entries = [reading(BOX, 45.0, 40.0, 50.0), entry(NONE, {}, reason="no labels")]
    (score,) = scores_of(entries, 0.9)
    assert (score.tasks, score.unfit, score.error) == (1, 1, 0.0)


@pytest.mark.parametrize(
    ("present", "absent", "expected"),
    [([2.0, 1.0], [0.0], 1.0), ([0.0], [1.0, 2.0], 0.0), ([1.0], [1.0], 0.5), ([], [1.0], None)],
)
def test_auc(present, absent, expected):
    assert auc(present, absent) == expected


def test_calibration_is_by_domain_and_level():
    narrow = reading(BOX, 50.0, 40.0, 50.0, l5=[47.0, 53.0], l9=[40.0, 60.0])
    drawn = reading(NONE, 0.0, 0.0, 5.0, l5=[0.0, 3.0], l9=[0.0, 6.0])
    assert calibration([narrow, drawn]) == {
        "digits": [(0.5, 0.0, 1), (0.9, 1.0, 1)],
        "drawings": [(0.5, 1.0, 1), (0.9, 1.0, 1)],
    }


def test_regret_is_against_the_better_twin_seed_by_seed():
    entries = twins(BOX, learned=[0.80, 0.90], plain=[0.85, 0.80], exact=[0.90, 0.95])
    behind = regrets(entries, [e for e in entries if e["arm"] == "learned"])
    assert behind[BOX] == pytest.approx([0.10, 0.05])
    (score,) = scores_of(entries, 0.9)
    assert score.regret is not None and score.regret.estimate == pytest.approx(0.075)
    assert score.told == pytest.approx({"plain": 0.825, "exact": 0.925})
    assert score.compared == 1 and score.surely_worse == 0


def test_the_same_loss_in_all_seeds_is_sure_and_one_seed_is_not():
    steady = twins(BOX, learned=[0.8, 0.7, 0.9], plain=[0.9, 0.8, 1.0])
    assert scores_of(steady, 0.9)[0].surely_worse == 1
    single = twins(BOX, learned=[0.8], plain=[0.9])
    (score,) = scores_of(single, 0.9)
    assert score.surely_worse == 0 and score.regret is not None and score.regret.low is None


def test_twins_that_lack_a_seed_are_not_compared():
    entries = twins(BOX, learned=[0.8, 0.9], plain=[0.9])
    assert regrets(entries, [e for e in entries if e["arm"] == "learned"]) == {}
