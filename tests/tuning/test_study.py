"""Joining a study: of the same configuration and search space alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from learnsym.tuning import Choices, Range
from learnsym.tuning.study import check_sampler, make_sampler

TWO = {key: Range(low=1e-4, high=1e-1, log=True) for key in ("optimiser.lr", "method.weight")}


def test_the_same_may_join(begin, small):
    first, again = begin(), begin()
    assert first.key == again.key and first.id == again.id
    assert begin("other").key != first.key
    begin(config=replace(small, train=replace(small.train, threads=1)))  # what is trained is the same


def test_another_configuration_may_not(begin, small):
    begin()
    with pytest.raises(ValueError, match=r"net\.width: got 9, but study study was made with 8; use that value"):
        begin(config=replace(small, net=replace(small.net, width=9)))


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"seeds": (0, 1)}, "seeds"),
        ({"objectives": ("loss", "cost")}, "objectives"),
        ({"sampler": "random"}, "sampler"),
        ({"parameters": {"optimiser.lr": Range(low=1e-4, high=1.0, log=True)}}, "optimiser.lr"),
        ({"parameters": {"net.width": Choices(values=(8, 16))}}, "net.width"),
    ],
)
def test_another_search_space_may_not(begin, changed, key):
    begin()
    with pytest.raises(ValueError, match=f"^{key}: got .* in the search space, but study study was made with"):
        begin(**changed)


def test_a_study_of_another_program_is_left_alone(begin, tmp_path):
    import optuna

    from learnsym.workers import study_storage

    study = optuna.create_study(storage=study_storage(str(tmp_path / "study.journal")), study_name="study")
    study.tell(study.ask(), 1.0)
    with pytest.raises(ValueError, match="study: study was not made by learnsym tune"):
        begin()


@pytest.mark.parametrize("name", ["tpe", "random", "cmaes"])
def test_samplers(rates, name):
    assert type(make_sampler(replace(rates, sampler=name, parameters=TWO), 3)).__name__.lower().startswith(name)


def test_a_sampler_that_is_not_installed(rates, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="sampler: cmaes needs the package cmaes"):
        check_sampler(replace(rates, sampler="cmaes", parameters=TWO))
