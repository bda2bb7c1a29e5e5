"""Every degree of every method has an interval around it, or says why there is none."""

from __future__ import annotations

import pytest
from torch import nn

import learnsym as ls
from learnsym.degrees import Degree
from learnsym.training import build
from tests.methods.conftest import WORKING, tiny


def all_degrees(method: str, chooser: str) -> list[Degree]:
    """Of the model, and of the objective where it has some."""
    model, objective, _ = build(tiny(method, chooser))
    weighed = ls.degrees(objective, root="loss") if isinstance(objective, nn.Module) else []
    return [*ls.degrees(model), *weighed]


def has_interval_or_reason(degree: Degree) -> bool:
    """Whether an interval holds its number at a level, or a reason stands in its place."""
    if degree.low is None or degree.high is None:
        return degree.status != "ok" and bool(degree.reason)
    return degree.low <= degree.estimate <= degree.high and 0 < degree.level < 1


@pytest.mark.parametrize(("method", "chooser"), WORKING)
def test_every_degree_has_an_interval_or_says_why_not(method, chooser):
    assert all(has_interval_or_reason(degree) for degree in all_degrees(method, chooser))
