"""Comparisons of networks on clouds: plain, augmented, exact and learned arms, their widths and their cost."""

from typing import Any

import pytest

from learnsym.comparison import ComparisonConfig, networks

BASE = {
    "data": {"name": "gravity4", "train": 20, "val": 10, "test": 10},
    "net": {"name": "gnn", "width": 6, "depth": 1},
    "loss": {"name": "mse"},
    "method": {"name": "fixed_and_absolute"},
    "train": {"steps": 2, "batch_size": 10, "device": "cpu"},
}
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"twin": "plain"},
    "augmented": {"twin": "fixed", "method": {"symmetry": "o3"}},
    "exact": {"twin": "exact"},
    "learned": {"twin": "learned"},
}


def found(match, arms=ARMS):
    return {one.arm: one for one in networks(ComparisonConfig(base=BASE, arms=arms, match=match))}


def test_arms_have_as_many_parameters_as_the_reference():
    sizes = {name: one.parameters for name, one in found("parameters").items()}
    assert sizes == pytest.approx(dict.fromkeys(ARMS, sizes["plain"]), rel=0.25)


def test_the_learned_arm_costs_as_much_as_the_reference():
    arms = {name: ARMS[name] for name in ("plain", "learned")}
    sizes = {name: one.flops_counted for name, one in found("flops", arms).items()}
    assert sizes["learned"] == pytest.approx(sizes["plain"], rel=0.3)


def test_augmentation_costs_what_its_copies_cost():
    arms = {name: ARMS[name] for name in ("plain", "augmented")}
    arms["doubled"] = {"twin": "fixed", "method": {"symmetry": "o3", "copies": 2}}
    sizes = found("none", arms)
    plain = sizes["plain"]
    ratios = [sizes[name].flops_counted / plain.flops_counted for name in ("augmented", "doubled")]
    assert ratios == pytest.approx([1, 2], rel=0.05)
    assert ratios[0] > 1  # moving examples is work, too
    assert sizes["doubled"].flops_inference == plain.flops_inference
