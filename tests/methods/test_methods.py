"""Laws of every method with every chooser: it trains and nothing of it is left out, or one sentence says what works."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import yaml
from torch import nn

import learnsym as ls
from learnsym.data import Batches
from learnsym.learners import learners, symmetry_parameters
from learnsym.methods import registry
from learnsym.objectives import OpenedGains, choosers
from learnsym.relax import gained_layers
from learnsym.training import build, dump_config, fit, members, train, train_member
from learnsym.tuning import Range, SearchSpace, open_study, tune
from learnsym.workers import locks_for
from tests.methods.conftest import OTHERS, WORKING, tiny

# One method a place is tried in full at every run of the tests; the others take a minute each beside other work.
USUAL = ("augerino", "remul")


@pytest.mark.parametrize(("method", "chooser"), WORKING)
def test_every_pair_that_works_trains(method, chooser):
    config = tiny(method, chooser)
    model, objective, splits = build(config)
    before = [p.detach().clone() for p in model.parameters()]
    history = fit(model, objective, Batches(splits.train, 8), steps=3)
    assert len(history.losses) == 3
    assert any(not torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize(("method", "chooser"), WORKING)
def test_a_gradient_reaches_every_symmetry_parameter(method, chooser):
    config = tiny(method, chooser)
    model, objective, splits = build(config)
    if isinstance(objective, nn.Module):
        objective.train()
        for part in objective.modules():
            if isinstance(part, OpenedGains):  # gains of closed layers get none by design
                part.kept["open"] = torch.ones(len(gained_layers(model)))
    model.train()
    objective(model, splits.train.batch(torch.arange(8))).total.backward()
    chosen = symmetry_parameters(model)
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in chosen)
    assert not chosen or any(bool(p.grad.any()) for p in chosen if p.grad is not None)


@pytest.mark.parametrize(("method", "chooser"), WORKING)
def test_degrees_name_each_learner_once(method, chooser):
    model, objective, _ = build(tiny(method, chooser))
    sites = [site for site, _ in learners(model)]
    degrees = ls.degrees(model)
    weighed = ls.degrees(objective, root="loss") if isinstance(objective, nn.Module) else []
    assert len(set(sites)) == len(sites)
    assert degrees or weighed or chooser == "training"  # weights that you choose are not learned
    keys = [(degree.site, degree.group, degree.generator) for degree in [*degrees, *weighed]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("method", "chooser"), WORKING)
def test_models_and_objectives_are_copied_pickled_and_restored(method, chooser):
    model, objective, splits = build(tiny(method, chooser))
    x, _ = splits.test.batch(torch.arange(4))
    twin = pickle.loads(pickle.dumps(copy.deepcopy(model))).eval()
    assert torch.equal(twin(x), model.eval()(x))
    fresh, _, _ = build(tiny(method, chooser, seeds=[1]))
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.eval()(x), model(x))
    if isinstance(objective, nn.Module):
        other = copy.deepcopy(objective)
        other.load_state_dict(objective.state_dict())


def is_usual(method, chooser):
    """Whether a pair is one of those that are tried each time: of each method, that with the usual chooser."""
    return chooser == registry[method].choosers[0]


@pytest.mark.parametrize(
    ("method", "chooser"),
    [pair if is_usual(*pair) else pytest.param(*pair, marks=pytest.mark.slow) for pair in WORKING],
)
def test_a_run_that_is_stopped_ends_with_the_same_weights(method, chooser, tmp_path):
    config = tiny(method, chooser, train={"steps": 3, "batch_size": 8, "threads": 1, "checkpoint_every": 1})
    whole = train_member(config, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stop(run, record):
        if record.get("step") == 2 and record.get("split") == "train":
            raise Stopped
        return log(run, record)

    log = ls.training.Run.log
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ls.training.Run, "log", stop)
        with pytest.raises(Stopped):
            train_member(config, tmp_path / "parts")
    parts = train_member(config, tmp_path / "parts")
    both = [(parts.weights()[name], value) for name, value in whole.weights().items()]
    assert all(torch.allclose(ours, theirs, rtol=0, atol=0, equal_nan=True) for ours, theirs in both)
    assert parts.degrees() == whole.degrees() or method == "residual"  # intervals of posteriors are drawn


@pytest.mark.parametrize(("method", "chooser"), OTHERS)
def test_every_other_pair_is_one_sentence_that_names_what_works(method, chooser):
    with pytest.raises(ValueError, match=r"^chooser\.name") as error:
        tiny(method, chooser)
    text = str(error.value)
    assert method in text and chooser in text and registry[method].choosers[0] in text and "\n" not in text


@pytest.mark.parametrize(
    "method", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in registry]
)
def test_every_twin_trains_and_can_be_analysed_and_exported(method, tmp_path):
    config = tiny(method, twins=list(registry[method].twins))
    runs = train(config, tmp_path / "runs")
    analysis = ls.report.analyze(tmp_path / "runs", progress=False)
    assert [twin.name for twin in analysis.data[0].twins] and len(runs) == len(registry[method].twins)
    assert analysis.report.is_file()
    learned = next(run for run in runs if run.twin == "learned")
    averaged = method != "instance_wise"  # elements depend on the input
    assert ls.export.export_run(learned.path, tmp_path / "model.pt2", averaged=averaged).is_file()


def test_a_twin_that_learns_nothing_has_no_chooser():
    config = tiny("augerino", "validation", twins=["learned", "plain"])
    assert [own.chooser.name for own, _ in members(config, "runs")] == ["validation", "training"]


@pytest.mark.slow
@pytest.mark.parametrize("method", registry)
def test_every_method_is_compared_and_tuned(method, tmp_path):
    base = yaml.safe_load(dump_config(tiny(method)))
    for key in ("twin", "twins", "seeds"):
        del base[key]
    arms = {"plain": {"twin": "plain"}, "learned": {}}
    comparison = ls.comparison.ComparisonConfig(base=base, arms=arms, seeds=[0], match="none")
    table = ls.comparison.compare(comparison, tmp_path / "compared")
    assert sorted(table.arm) == ["learned", "plain"] and list(table.state.unique()) == ["finished"]
    space = SearchSpace(parameters={"optimiser.lr": Range(low=1e-4, high=1e-3)})
    journal = f"journal:{tmp_path / 'study.log'}"
    study = open_study("tiny", journal, tiny(method), space, locks_for(journal, tmp_path / "tuned", "tiny"))
    tune(study, 1, tmp_path / "tuned")
    assert (tmp_path / "tuned" / "best" / "config.yaml").is_file()


def test_choosers_that_no_method_works_with_do_not_exist():
    assert set(choosers.registry) == {chooser for _, chooser in WORKING}


@pytest.mark.parametrize("method", registry)
def test_every_method_says_what_a_table_needs(method):
    kind = registry[method]
    assert kind.__module__ == f"learnsym.methods.{method}" and kind.name == method
    assert kind.title and kind.papers and kind.place in ("data", "weights", "loss") and kind.nets and kind.twins
