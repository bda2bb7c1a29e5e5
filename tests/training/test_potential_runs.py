"""Runs on energies and forces: every twin, where forces come from, records and page; crystals in Python."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.cli import main
from learnsym.data import DataConfig
from learnsym.measure import AnalysisConfig
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.nets.points import ConservativePotential, DirectPotential
from learnsym.objectives import LossConfig, choosers
from learnsym.training import Run, RunConfig, TrainConfig, build, members, train_member

pytest.importorskip("ase")  # the extra `molecules`

TWINS = ("learned", "plain", "fixed", "exact")
ERRORS = {"energy_mae_meV_per_atom", "force_mae_meV_per_angstrom"}
METHODS = {
    "remul": registry["remul"](symmetries=["o3"]),
    "remul, anchored": registry["remul"](symmetries=["o3", "so2_z"], mode="anchored", fraction=0.5),
    "fixed_inputs": registry["fixed_inputs"](symmetry="o3"),
    "absolute_coordinates": registry["absolute_coordinates"](),
    "fixed_and_absolute": registry["fixed_and_absolute"](symmetry="o3"),
}
every_kind = pytest.mark.parametrize("forces", ["direct", "conservative"])


def springs(x):
    """Energies of five atoms that are bound to each other, and their forces."""
    apart = x[:, :, None] - x[:, None]
    distance = apart.norm(dim=-1) + torch.eye(5)
    return 0.25 * (distance - 1).square().sum((1, 2)), -((1 - 1 / distance)[..., None] * apart).sum(2)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A small run on a file of one's own."""
    x = torch.randn(40, 5, 3, generator=torch.Generator().manual_seed(0))
    energies, forces = springs(x)
    text = ""
    for at, energy, force in zip(x.tolist(), energies.tolist(), forces.tolist(), strict=True):
        rows = [" ".join(map(str, [name, *p, *f])) for name, p, f in zip("CHOHH", at, force, strict=True)]
        text += "\n".join(["5", f"energy={energy} Properties=species:S:1:pos:R:3:forces:R:3", *rows]) + "\n"
    path = tmp_path_factory.mktemp("springs") / "springs.xyz"
    path.write_text(text, encoding="utf8")
    return RunConfig(
        data=DataConfig(name=str(path), energies=True, train=20, val=10, test=10),
        net=NetConfig(name="transformer", width=16, depth=1, exact="egnn"),
        loss=LossConfig(name="potential", energy_weight=100.0),
        method=METHODS["remul"],
        train=TrainConfig(steps=10, batch_size=10, checkpoint_every=5),
        analysis=AnalysisConfig(equivariance_samples=2, equivariance_examples=10, bootstrap=20, workers=1),
    )


def with_forces(config, forces, **more):
    return replace(config, net=replace(config.net, forces=forces), **more)


@every_kind
@pytest.mark.parametrize("method", METHODS)
def test_every_twin_of_every_method_trains(method, forces, config, tmp_path):
    asked = with_forces(config, forces, method=METHODS[method], twins=list(TWINS))
    for member, folder in members(asked, tmp_path):
        run = train_member(member, folder)
        assert run.is_finished
        scored = [record for record in run.metrics() if record["split"] in ("val", "test")]
        assert {record["split"] for record in scored} == {"val", "test"}
        assert all(record.keys() >= ERRORS | {"task"} for record in scored)


@every_kind
def test_what_the_twins_are(forces, config):
    kind = {"direct": DirectPotential, "conservative": ConservativePotential}[forces]
    built = {name: build(with_forces(config, forces, twin=name))[0] for name in TWINS}
    assert all(type(net) is kind for net in built.values())
    sizes = {name: ls.nets.parameter_count(net) for name, net in built.items()}
    assert sizes["exact"] == pytest.approx(sizes["plain"], rel=0.15)
    splits = ls.data.load_splits(config.data)
    symmetry = splits.test.signature.symmetry("o3")
    error = {
        name: ls.measure.equivariance_error(net, splits.test.inputs, symmetry, samples=2).mean
        for name, net in built.items()
    }
    assert error["exact"] < 1e-4 < 0.05 < error["plain"]


def test_forces_are_direct_where_nothing_is_said(config):
    assert isinstance(build(replace(config, twin="plain"))[0], DirectPotential)


@pytest.mark.parametrize(("numbers", "fits"), [(4, True), (3, False)])
def test_a_network_of_ones_own_gives_forces_and_energies_itself(numbers, fits, config, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(f"from torch import nn\ndef make(in_shape):\n    return nn.Linear(in_shape[-1], {numbers})\n")
    asked = replace(config, net=NetConfig(name=f"{path}:make"), twin="learned" if fits else "plain")
    if fits:
        assert train_member(asked, tmp_path / "run").is_finished
    else:
        with pytest.raises(ValueError, match=r"outputs: got shape \(10, 5, 3\) for targets \(10, 5, 4\)"):
            train_member(asked, tmp_path / "run")


def test_scores_are_the_loss_and_the_errors_of_the_test_split(config, tmp_path):
    run = train_member(replace(config, twin="plain"), tmp_path)
    record = next(record for record in run.metrics() if record["split"] == "test")
    model, test = run.model(), run.splits().test
    error = ls.training.predict(model, test.inputs) - test.y
    assert record["force_mae_meV_per_angstrom"] == pytest.approx(1000 * float(error[..., :3].abs().mean()), rel=1e-5)
    assert record["energy_mae_meV_per_atom"] == pytest.approx(1000 * float(error[:, 0, 3].abs().mean()), rel=1e-5)
    loss = error[..., :3].square().mean() + 100 * error[:, 0, 3].square().mean()
    assert record["task"] == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("chooser", ["validation", "gradnorm", "dual"])
def test_every_chooser_takes_conservative_forces(chooser, config, tmp_path):
    asked = with_forces(config, "conservative", chooser=choosers.registry[chooser]())
    assert len(train_member(asked, tmp_path).degrees()) == 1


@every_kind
def test_an_ensemble_of_potentials_is_its_members(forces, config, tmp_path):
    from learnsym.training.stacked_members import can_stack, train_stacked

    two = [with_forces(config, forces, twin="plain", seeds=[seed]) for seed in (0, 1)]
    assert can_stack(two)
    train_stacked([(one, tmp_path / f"stacked-{i}") for i, one in enumerate(two)])
    for i, one in enumerate(two):
        runs = train_member(one, tmp_path / f"alone-{i}"), Run(tmp_path / f"stacked-{i}")
        alone, stacked = (run.metrics()[-1] for run in runs)
        assert alone["split"] == stacked["split"] == "test"
        assert all(stacked[name] == pytest.approx(alone[name], rel=1e-4) for name in ERRORS | {"task"})


def test_the_page_shows_errors_with_units(config, tmp_path):
    from learnsym.report import analyze

    for member, folder in members(replace(config, twins=["plain", "exact"]), tmp_path):
        train_member(member, folder)
    found = analyze(tmp_path, progress=False)
    page = found.report.read_text(encoding="utf8")
    assert "Potential loss on test examples" in page
    for name in ("energy MAE, meV/atom", "force MAE, meV/Å"):
        assert f">{name}</th>" in page
    record = next(record for record in Run(tmp_path / "plain-0").metrics() if record["split"] == "test")
    plain = found.data[0].twin("plain")
    assert plain is not None
    assert plain.also["force MAE, meV/Å"].estimate == pytest.approx(record["force_mae_meV_per_angstrom"], rel=1e-4)
    assert plain.accuracy.estimate == pytest.approx(record["task"], rel=1e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "--loss.name mse --loss.energy_weight null",
            "loss.name: got 'mse' with data.energies true; take loss.name potential",
        ),
        ("--loss.name mse", "loss.energy_weight: got 100.0 with the loss mse"),
        ("--data.energies false", "loss.name: got 'potential' with data.energies false; take data.energies true"),
        (
            "--data.energies false --loss.name mse --loss.energy_weight null --net.forces direct",
            "net.forces: got 'direct' with the loss mse",
        ),
        ("--train.compile true --net.forces conservative", "train.compile: got true with net.forces conservative"),
        ("--method.name augerino --net.name cnn", "loss.name: got 'potential' with the method augerino"),
        ("--net.forces gradient", "net.forces: got gradient"),
        ("--loss.energy_weight -1", "loss.energy_weight: got -1"),
    ],
)
def test_what_does_not_fit_is_refused(words, message, config, tmp_path, capsys):
    from learnsym.training import dump_config

    (tmp_path / "c.yaml").write_text(dump_config(config), encoding="utf8")
    assert main(["train", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "run"), *words.split()]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


class OfCell(nn.Module):
    """A plain network of the energy of a crystal: of distances to atoms of neighbouring cells, along fixed axes."""

    def __init__(self):
        super().__init__()
        self.read = nn.Sequential(nn.Linear(3, 16), nn.SiLU(), nn.Linear(16, 1))

    def forward(self, crystal):
        shifts = torch.cartesian_prod(*[torch.arange(-1.0, 2.0)] * 3)
        images = crystal["x"][:, None] + (shifts @ crystal["cell"])[:, :, None]
        apart = crystal["x"][:, :, None, None] - images[:, None]
        return (self.read(apart) * torch.exp(-apart.square().sum(-1, keepdim=True))).mean((1, 2, 3, 4))


def test_crystals_are_trained_in_python(tmp_path):
    """What the sentence about periodic files names: cells move with their atoms in penalties and augmentation."""
    build_crystal, emt = pytest.importorskip("ase.build").bulk, pytest.importorskip("ase.calculators.emt").EMT
    from ase.io import write

    frames = []
    for seed in range(12):
        crystal = build_crystal("Cu", cubic=True)
        crystal.rattle(0.1, seed=seed)
        crystal.calc = emt()
        crystal.get_forces()
        frames.append(crystal)
    write(tmp_path / "copper.xyz", frames, format="extxyz")
    read = ls.data.molecules.read_structures(tmp_path / "copper.xyz")
    assert read.cells is not None and read.energies is not None
    x = {"x": read.atoms.x.float(), "cell": read.cells.float()}
    y = (read.energies - read.energies.mean()).float()
    actions = ls.actions
    crystals = actions.Jointly((actions.On("x", actions.PointCloud()), actions.On("cell", actions.Cell())))
    bank = ls.objectives.bank({"o3": ls.Symmetry(ls.groups.O3(), crystals)}, "anchored")
    penalised = ls.objectives.Remul(ls.objectives.mse, bank, ls.objectives.ConstantWeights(["o3"]))
    torch.manual_seed(0)
    net = OfCell()
    before = penalised(net.train(), (x, y)).total.item()
    batches = ls.data.Batches(ls.data.Dataset(x, y, "copper"), 12, 0)
    ls.training.fit(net, penalised, batches, steps=30, seed=0)
    assert penalised(net.train(), (x, y)).total.item() < before


def test_the_guide_trains_on_a_file_of_ones_own(tmp_path, monkeypatch):
    """The command as it is written, with a few steps of small networks."""
    guide = (Path(__file__).parents[2] / "docs" / "molecules.md").read_text(encoding="utf8")
    (command,) = re.findall(r"^learnsym (train molecules/3bpa --data.name trajectory.xyz .*)$", guide, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    frames = [_frame(0.1 * torch.randn(3, 3), float(torch.randn(()))) for _ in range(40)]
    Path("trajectory.xyz").write_text("".join(frames))
    few = "--train.steps 2 --train.batch_size 4 --net.width 8 --net.depth 1 --net.exact egnn --seeds [0]"
    assert main([*command.split(), *few.split()]) == 0
    assert (tmp_path / "runs" / "mine" / "learned-0" / "metrics.jsonl").exists()


def _frame(positions, energy):
    atoms = zip(("O", "H", "H"), positions.tolist(), (-positions).tolist(), strict=True)
    lines = [f"{name} {' '.join(map(str, place))} {' '.join(map(str, force))}" for name, place, force in atoms]
    return f"3\nProperties=species:S:1:pos:R:3:forces:R:3 energy={energy}\n" + "\n".join(lines) + "\n"
