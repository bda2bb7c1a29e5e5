"""What a comparison does grows as its cells do: counts of operations at two sizes, and the slow twins of its grid."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest
import torch

from benchmarks.made_comparison import finished_comparison
from learnsym._keys import COMPARISON
from learnsym._settings import check_settings
from learnsym.comparison import ComparisonConfig, Plan, cells, compare, dump_comparison, work
from learnsym.comparison.cost import _update, costs, seconds_per_step
from learnsym.comparison.units import Unit
from learnsym.comparison.verdicts import best_arms, recommend, regret
from learnsym.files import read_json
from learnsym.methods import registry as methods
from learnsym.objectives.choosers import registry as choosers
from learnsym.training import OptimiserConfig, RunConfig
from learnsym.training.config_file import config_hash, config_of, config_parser
from learnsym.training.optimiser import make_optimiser
from learnsym.workers import FolderLocks
from tests.reference import comparison_grid as slow

WAYS = [{"name": name, "chooser": chooser} for name, method in methods.items() for chooser in method.choosers]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way['name']}-{way['chooser']}")
def test_hashes_are_those_of_all_keys_written_out(way):
    net = {"name": methods[way["name"]].nets[0]}
    own = {"symmetries": ["rotation2d"]} if way["name"] == "remul" else {}  # for images
    values = {"method": {"name": way["name"], **own}, "chooser": {"name": way["chooser"]}, "net": net}
    loss = {"loss": {"name": methods[way["name"]].losses[0]}} if methods[way["name"]].losses[0] != "potential" else {}
    config = config_of({**values, **loss})
    for one in (config, replace(config, seeds=[7]), replace(config, train=replace(config.train, steps=3, workers=2))):
        assert config_hash(one) == slow.hash_of(one)


def test_hashes_of_mappings_and_lists_are_those_of_all_keys_written_out():
    given = [
        {"method": {"fixed": {"rotation": 30, "scale": 0.5}}, "twin": "fixed"},
        {"twins": ["plain", "learned"], "twin_steps": {"plain": 960}},
        {"data": {"plant": {"law": "atoms", "angles": [0, 90]}, "label": "mine"}, "train": {"device": "cpu"}},
    ]
    found = [(config_hash(config), slow.hash_of(config)) for config in map(config_of, given)]
    assert all(fast == plain for fast, plain in found) and len({fast for fast, _ in found}) == 3


@pytest.mark.parametrize("redraw", [True, False])
@pytest.mark.parametrize("lengths", [{"steps": [3, 6]}, {"epochs": [1.0, 2.5]}, {}])
def test_cells_are_those_made_one_by_one(small, with_values, redraw, lengths):
    config = with_values(small, sizes=[4, 8], lrs=[1e-3, 1e-2], redraw=redraw, **lengths)
    widths = {key: 3 + k for k, key in enumerate(product(config.arms, config.sizes))}
    found = [(cell.arm, cell.size, cell.config) for cell in cells(config, widths)]
    assert found == slow.configs(config, widths)


def test_keys_that_are_refused_early_are_those_of_a_comparison():
    assert set(COMPARISON) == set(ComparisonConfig.__dataclass_fields__)


class Counted:
    """A function that counts its calls by a key of their first argument."""

    def __init__(self, function, key=lambda *given: None):
        self.function, self.key, self.calls = function, key, Counter()

    def __call__(self, *given, **named):
        self.calls[self.key(*given)] += 1
        return self.function(*given, **named)


def checked(monkeypatch, config):
    """How many settings are checked for the cells of a comparison, by their class."""
    count = Counted(check_settings, lambda settings, *_: type(settings).__name__)
    for module in ("learnsym.training.config", "learnsym.data.config", "learnsym.nets.config"):
        monkeypatch.setattr(f"{module}.check_settings", count)
    _ = config.arm_configs
    count.calls.clear()
    cells(config)
    return count.calls


def test_each_section_is_checked_once_for_all_cells_that_share_it(small, with_values, monkeypatch):
    rates = [10**-k for k in range(1, 9)]
    few, many = (checked(monkeypatch, with_values(small, lrs=rates[:count])) for count in (4, 8))
    assert many["OptimiserConfig"] - few["OptimiserConfig"] == 4 * len(small.arms)
    assert many["RunConfig"] - few["RunConfig"] == 4 * 8  # one for each cell
    assert many["DataConfig"] == few["DataConfig"] and many["TrainConfig"] == few["TrainConfig"]


def test_keys_of_cells_look_once_at_each_section_that_they_share(small, with_values, monkeypatch):
    from learnsym.training import config_file

    looks = []
    for seeds in (2, 8):
        config_file._counted.cache_clear()
        count = Counted(config_file._changed, lambda key, *_: key)
        monkeypatch.setattr(config_file, "_changed", count)
        grid = cells(with_values(small, seeds=list(range(seeds)), redraw=False))
        keys = {cell.key for cell in grid}
        assert len(keys) == len(grid)
        looks.append(Counter({key: calls for key, calls in count.calls.items() if "." not in key}))
        monkeypatch.undo()
    few, many = looks
    assert few["train"] == many["train"] and few["net"] == many["net"] and few["optimiser"] == many["optimiser"]


def test_a_plan_needs_no_compiler(small, tmp_path):
    """The compiler of torch takes longer to import than all else that a plan does."""
    base = {**small.base, "train": {**small.base["train"], "steps": 100}}  # nothing is dropped in the steps timed
    (tmp_path / "c.yaml").write_text(dump_comparison(replace(small, base=base)))
    command = ["compare", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "out"), "--dry-run"]
    script = f"import sys; from learnsym.cli import main; print(main({command}), 'torch._dynamo' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "0 False"


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_the_timed_update_is_that_of_the_optimiser(name):
    config = OptimiserConfig(name=name, lr=0.1)
    ours, theirs = (torch.nn.Linear(3, 2, dtype=torch.float64) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimiser, x = make_optimiser(theirs, config), torch.rand(4, 3, dtype=torch.float64)
    update = _update(config, list(ours.parameters()))
    for _ in range(3):
        for net, step in ((ours, update), (theirs, optimiser.step)):
            net.zero_grad()
            net(x).square().sum().backward()
            step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_arms_of_one_method_share_a_parser(small, with_values, monkeypatch):
    from learnsym.training import config_file

    count = Counted(config_parser)
    monkeypatch.setattr(config_file, "config_parser", count)
    config_file._reader.cache_clear()
    arms = {f"arm {k}": {"optimiser": {"weight_decay": 10.0**-k}} for k in range(1, 6)}
    config = with_values(small, arms=arms)
    assert len(cells(config)) == 5 * 4 and len(cells(config)) == 5 * 4
    assert count.calls.total() == 1


def test_data_that_networks_share_are_loaded_once(small, with_values, monkeypatch):
    from learnsym.data import splits

    loads = []
    for sizes in ([4], [4, 6, 8]):
        plan = Plan.of(with_values(small, sizes=sizes, train_sizes=[32], seeds=[0], lrs=[]))
        count = Counted(splits.load_splits)
        monkeypatch.setattr(splits, "load_splits", count)
        assert len(seconds_per_step(plan)) == 2 * len(sizes)
        loads.append(count.calls.total())
        monkeypatch.undo()
    assert loads == [1, 1]


@pytest.mark.parametrize("seeds", [3, 6])
def test_finished_cells_are_read_three_times_and_not_trained(small, with_values, tmp_path, monkeypatch, seeds):
    pytest.importorskip("pyarrow")
    config = with_values(small, seeds=list(range(seeds)))
    plan, _ = finished_comparison(config, tmp_path)
    reads = Counted(read_json, lambda path, *_: path.parent.name)
    monkeypatch.setattr("learnsym.comparison.rows.read_json", reads)
    monkeypatch.setattr(Unit, "train", lambda *_: pytest.fail("trained again"))
    assert len(compare(config, tmp_path)) == len(plan.cells) == 4 * seeds
    assert reads.calls == {"rows": 3 * len(plan.cells)}  # before work, for the file, and for what is returned


@pytest.mark.parametrize("seeds", [3, 6])
def test_the_folder_is_looked_at_a_few_times_however_many_cells_end(small, with_values, tmp_path, monkeypatch, seeds):
    module = import_module("learnsym.comparison.work")
    plan = Plan.of(with_values(small, seeds=list(range(seeds)), stack_below=0.0))
    looks, shown = Counted(module.ended_cells), []
    monkeypatch.setattr(module, "ended_cells", looks)
    monkeypatch.setattr(module, "PAUSE", float("inf"))
    monkeypatch.setattr(Unit, "train", lambda unit, folder: unit.fail(folder, "made up"))
    work(plan, tmp_path, FolderLocks(tmp_path), shown.append)
    assert looks.calls.total() == 3 and shown == [4 * seeds, 0]
    assert len(list((tmp_path / "rows").iterdir())) == 4 * seeds


def calls_of(function):
    """How many functions of Python one call runs."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def grows(small_one, large_one):
    """Warm calls of the larger over those of the smaller."""
    for function in (small_one, large_one):
        function()
    return calls_of(large_one) / calls_of(small_one)


@pytest.mark.parametrize(
    "verdict",
    [
        lambda rows: best_arms(rows),
        lambda rows: recommend(rows, "plain"),
        lambda rows: regret(rows, "learned", ["plain", "exact"]),
    ],
    ids=["best arms", "recommendation", "regret"],
)
def test_verdicts_of_four_times_the_places_take_four_times_the_calls(verdict):
    from tests.comparison.tables import table

    few, many = (table(train=tuple(range(100, 100 + 10 * count, 10)), seeds=(0, 1)) for count in (30, 120))
    assert grows(lambda: verdict(few), lambda: verdict(many)) < 4.5


def test_costs_of_four_times_the_networks_take_four_times_the_calls(small, with_values):
    made = []
    for count in (4, 16):
        config = with_values(small, sizes=list(range(4, 4 + count)), match="none")
        networks = Plan.of(with_values(small, sizes=[4], match="none")).networks
        plan = Plan(config, [replace(network, size=size, width=size) for size in config.sizes for network in networks])
        assert len(plan.cells) == 8 * count
        made.append(plan)
    few, many = made
    assert grows(lambda: costs(few, Path("none")), lambda: costs(many, Path("none"))) < 4.5


def test_the_defaults_are_shared_and_hashes_do_not_change_them():
    before = repr(RunConfig())
    config_hash(config_of({"chooser": {"name": next(iter(choosers))}, "method": {"name": "augerino"}}))
    assert repr(RunConfig()) == before
