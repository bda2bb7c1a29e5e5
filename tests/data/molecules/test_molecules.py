"""Published molecules: sizes, energies that rigid motions do not change, no configuration in two splits."""

import functools

import pytest
import torch

from learnsym.actions import PointVectors
from learnsym.data.molecules import SOURCES, Molecules, check_invariance, load_molecules, net_load
from learnsym.data.molecules.botnet import FILES
from learnsym.groups import SO3

pytest.importorskip("ase")  # the extra `molecules`

present = pytest.mark.skipif(not all(source.present for source in SOURCES), reason="set LEARNSYM_DATA")
SPLITS = [(name, split) for name, files in FILES.items() for split in files]
read = functools.cache(load_molecules)  # takes seconds
LENGTHS = {"3bpa": (500, 469), "acac": (500, 650, 650), "ethanol": (1000, 1000)}


def pair(k=3.0, length=1.0):
    """Atoms on springs: `E = k/2 sum_{i<j} (|x_i - x_j| - length)^2`."""
    x = torch.randn(6, 4, 3, dtype=torch.float64, requires_grad=True)
    i, j = torch.triu_indices(4, 4, 1)
    energies = 0.5 * k * ((x[:, i] - x[:, j]).norm(dim=-1) - length).square().sum(-1)
    (gradient,) = torch.autograd.grad(energies.sum(), x)
    return Molecules(torch.tensor([6, 1, 8, 1]), x.detach(), energies.detach(), -gradient)


def test_cloud_and_subset():
    molecules = pair()
    assert molecules.species == (1, 6, 8)
    positions, vectors, scalars = molecules.layout.split(molecules.cloud())
    assert torch.equal(positions, molecules.positions) and vectors.shape == (6, 4, 0, 3)
    assert scalars[2].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]
    few = molecules.subset(torch.tensor([4, 1]))
    assert len(few) == 2 and torch.equal(few.energies, molecules.energies[[4, 1]])


def test_no_net_load_without_an_outside_field():
    molecules = pair()
    load = net_load(molecules)
    assert load.force.max() < 1e-12 and load.torque.max() < 1e-12
    check_invariance(molecules)


@pytest.mark.parametrize(("outside", "message"), [((0.0, 0.0, 0.2), "net force of 0.8 eV"), (None, "net torque")])
def test_outside_fields_are_noticed(outside, message):
    molecules = pair()
    if outside is None:  # a field that turns the molecule about z
        centred = molecules.positions - molecules.positions.mean(1, keepdim=True)
        extra = torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand_as(centred), centred)
    else:
        extra = torch.tensor(outside, dtype=torch.float64).expand_as(molecules.forces)
    pushed = Molecules(molecules.numbers, molecules.positions, molecules.energies, molecules.forces + extra)
    with pytest.raises(ValueError, match=rf"forces: configuration \d has a {message}"):
        check_invariance(pushed)


def test_unknown_names():
    with pytest.raises(ValueError, match="name: got 'water', must be one of 3bpa, acac, ethanol"):
        load_molecules("water")
    with pytest.raises(ValueError, match="split: got 'val', must be one of train, test, test_600K"):
        load_molecules("acac", "val")


def test_missing_files_tell_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.delenv("LEARNSYM_DATA", raising=False)
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="the files of acac are missing; run `learnsym data fetch acac`"):
        load_molecules("acac")


@pytest.mark.data
@present
@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_energies_do_not_change_under_rigid_motions(name, split):
    molecules = read(name, split)
    assert len(molecules) == LENGTHS[name][list(FILES[name]).index(split)]
    x, F = molecules.positions, molecules.forces
    assert F.sum(1).abs().max() < 2e-7
    assert torch.linalg.cross(x, F).sum(1).abs().max() < 0.022
    check_invariance(molecules, force=2e-7 * 3**0.5, torque=0.03)


@pytest.mark.data
@present
@pytest.mark.parametrize("name", FILES)
def test_no_configuration_is_in_two_splits(name):
    pools = [read(name, split).positions for split in FILES[name]]
    everything = torch.cat(pools)
    assert len(everything.unique(dim=0)) == len(everything)


@pytest.mark.slow
@pytest.mark.data
@present
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_pools(source):
    pools = source.read(source.sizes, 0)
    molecules = read(source.name)
    for pool in pools.values():
        assert pool.x.shape == (len(pool), len(molecules.numbers), molecules.layout.features)
        assert pool.y.shape == (*pool.x.shape[:2], 3) and pool.x.dtype == torch.float32
    assert source.sizes.train + source.sizes.val == len(pools["train"])
    assert source.sizes.test == len(pools["test"])
    g = SO3().haar(len(molecules))
    molecules.layout.check_data(SO3(), pools["train"].x)
    assert PointVectors()(g, pools["train"].y).shape == pools["train"].y.shape
    with pytest.raises(ValueError, match=f"data.size: got 28, {source.name} holds points"):
        source.resize(pools["train"], 28)
