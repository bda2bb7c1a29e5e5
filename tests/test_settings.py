"""Every field of every configuration refuses what it cannot be, in one sentence that names it."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin

import jaxtyping
import pytest

from learnsym import methods
from learnsym._settings import In, kinds_of
from learnsym.comparison import ComparisonConfig
from learnsym.data import DataConfig, PlantConfig
from learnsym.inference import InferenceConfig
from learnsym.measure import AnalysisConfig, PoseConfig, TaskExtentConfig
from learnsym.nets import NetConfig
from learnsym.objectives import LossConfig, choosers
from learnsym.scaling import StudySettings
from learnsym.studies import TwinSettings
from learnsym.suite import SuiteConfig
from learnsym.training import OptimiserConfig, RunConfig, TrainConfig

CONFIGS: list[type] = [OptimiserConfig, TrainConfig, RunConfig, DataConfig, PlantConfig, NetConfig, LossConfig]
CONFIGS += [AnalysisConfig, PoseConfig, TaskExtentConfig, StudySettings, TwinSettings, ComparisonConfig]
CONFIGS += [InferenceConfig, SuiteConfig]
CONFIGS += [*methods.registry.values(), *choosers.registry.values()]
FIELDS = [(kind, field.name) for kind in CONFIGS for field in fields(kind)]
NEEDED: dict[type, dict[str, Any]] = {ComparisonConfig: {"arms": {"plain": {"twin": "plain"}}}}
WRONG = {
    int: (math.nan, math.inf, 3.5, "3", True, [3], 10**30, -(10**30), {}),
    float: (math.nan, math.inf, -math.inf, "3", True, [3.0], 10**301, {}),
    str: (3, True, ["a"], "a\nb", "a\0", "a" * 1000, b"a"),
    bool: (1, 0, "true", 0.0, []),
    list: ("ab", 3, {"a": 1}),
    dict: ("ab", 3, [1]),
}


@pytest.fixture(autouse=True)
def no_type_checker(monkeypatch):
    """It would be first to refuse."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def _plain(kind: Any) -> tuple[Any, bool, list[Any]]:
    """A type without what surrounds it, whether None is one of its values, and its rules."""
    if get_origin(kind) is Annotated:
        plain, optional, rules = _plain(get_args(kind)[0])
        return plain, optional, [*rules, *kind.__metadata__]
    members = [member for member in get_args(kind) if member is not type(None)]
    if type(None) in get_args(kind):
        plain, _, rules = _plain(members[0])
        return plain, True, rules
    return kind, False, []


def _refuses(kind: type, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"\b{name}: got .*must|\b{name}: got .*,") as caught:
        kind(**{**NEEDED.get(kind, {}), name: value})
    assert len(str(caught.value)) < 800 and "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_wrong_values_are_refused(kind, name):
    plain, optional, rules = _plain(kinds_of(kind)[name])
    if is_dataclass(plain):
        return _refuses(kind, name, {"a": 1})
    for value in WRONG.get(get_origin(plain) or plain, ("nonsense", 3, True, ["a"])):
        _refuses(kind, name, value)
    if not optional:
        _refuses(kind, name, None)
    for rule in (rule for rule in rules if isinstance(rule, In)):
        low, high = map(float, rule.interval[1:-1].split(","))
        for outside in (low - 1, high + 1, *([low] if rule.interval[0] == "(" else [])):
            if math.isfinite(outside):
                _refuses(kind, name, plain(outside))
    return None


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_every_number_has_a_range(kind, name):
    """Each number says which values make sense, so that none is refused in the midst of the work."""
    plain, _, rules = _plain(kinds_of(kind)[name])
    if get_origin(plain) in (list, dict):
        plain, _, rules = _plain(get_args(plain)[-1])
    if plain in (int, float):
        assert any(isinstance(rule, In) for rule in rules)


def test_numbers_of_a_list_are_named_with_it():
    with pytest.raises(ValueError, match=r"^seeds: got -1, must be a whole number in \[0"):
        RunConfig(seeds=[0, -1])
    with pytest.raises(ValueError, match=r"^seeds: got \[1, 1\], must differ"):
        RunConfig(seeds=[1, 1])
    with pytest.raises(ValueError, match=r"^data\.plant\.splits: got \[\], must name at least one"):
        PlantConfig(splits=[])
