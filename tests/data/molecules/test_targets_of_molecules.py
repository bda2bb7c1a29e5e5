"""Energies beside forces as targets: per atom, less the mean of the training examples, with all their digits."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointVectors
from learnsym.data import DataConfig, load_splits
from learnsym.data.molecules import SOURCES

pytest.importorskip("ase")  # the extra `molecules`

COUNT, ATOMS = 20, ("O", "H", "H")


def energy(number):
    """In eV, with more digits than float32 has."""
    return -17617.0 + 1e-4 * number


def frames(about="energy={energy!r}", box='pbc="F F F"'):
    """Water at many places, forces along x."""
    text = ""
    for number in range(COUNT):
        rows = [f"{name} {number} {i} 0 {i} 0 0" for i, name in enumerate(ATOMS)]
        comment = f"{about.format(energy=energy(number))} {box} Properties=species:S:1:pos:R:3:forces:R:3"
        text += "\n".join([str(len(ATOMS)), comment, *rows]) + "\n"
    return text


def config(folder, text=None, **more):
    path = folder / "water.xyz"
    path.write_text(frames() if text is None else text, encoding="utf8")
    return DataConfig(name=str(path), energies=True, train=8, val=4, **more)


def test_energies_are_per_atom_less_the_mean_of_training(tmp_path):
    splits = load_splits(config(tmp_path))
    assert splits.train.on_output == PointVectors(vectors=1, scalars=1)
    of_training = splits.train.y[:, 0, 3].double()
    assert abs(of_training.mean()) < 1e-12
    for part in (splits.train, splits.val, splits.test):
        assert part.y.shape == (len(part), 3, 4)
        assert part.energy_reference == splits.train.energy_reference
        number = part.x[:, 0, 0].double()  # the place of the first atom
        total = 3 * (part.y[..., 3].double() + part.energy_reference)
        torch.testing.assert_close(total, energy(number)[:, None].expand(-1, 3), atol=1e-8, rtol=0)
        torch.testing.assert_close(part.y[:, 2, :3], torch.tensor([2.0, 0, 0]).expand(len(part), 3))
    assert f"less {splits.train.energy_reference:.6f} eV" in " ".join(splits.train.notes)


def test_units_reach_energies_too(tmp_path):
    plain = load_splits(config(tmp_path)).train.y
    milli = load_splits(config(tmp_path, units="meV/Angstrom")).train.y
    torch.testing.assert_close(1000 * milli, plain, atol=1e-6, rtol=1e-5)


def test_forces_alone_are_what_is_read_otherwise(tmp_path):
    asked = config(tmp_path)
    train = load_splits(DataConfig(name=asked.name)).train
    assert train.y.shape[1:] == (3, 3) and train.energy_reference is None


def test_centred_clouds(tmp_path):
    moved, lying = load_splits(config(tmp_path, centred=True)), load_splits(config(tmp_path))
    positions = moved.train.x[..., :3]
    assert positions.mean(1).abs().max() < 1e-6
    torch.testing.assert_close(positions[:, 1] - positions[:, 0], (lying.train.x[:, 1] - lying.train.x[:, 0])[..., :3])
    assert torch.equal(moved.train.x[..., 3:], lying.train.x[..., 3:])


@pytest.mark.skipif(not all(source.present for source in SOURCES), reason="set LEARNSYM_DATA")
def test_published_molecules_have_energies():
    splits = load_splits(DataConfig(name="ethanol", energies=True, train=50, val=10, test=10))
    molecules = ls.data.molecules.load_molecules("ethanol")
    assert splits.train.energy_reference == pytest.approx(float(molecules.energies.mean()) / 9, abs=0.02)
    assert splits.test.y.shape == (10, 9, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (frames(about=""), "data.energies: there are none; say under which key they are by data.energy"),
        (frames(box='Lattice="4 0 0 0 4 0 0 0 4" pbc="T T T"'), "crystals are read by read_structures, and trained on"),
    ],
)
def test_what_has_no_energies_or_is_periodic_is_refused(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load_splits(config(tmp_path, text))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "digits", "energies": True}, "data.energies: got True, but the data set digits has no use for it"),
        ({"name": "d.npz", "energies": True}, "data.energies: got True, but npz data has no use for it"),
        ({"name": "digits", "centred": True}, "data.centred: got true for digits, takes clouds of points"),
        ({"name": "gravity4", "centred": True}, "data.centred: got true for gravity4, takes clouds of points whose"),
    ],
)
def test_data_without_energies_or_points_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        load_splits(DataConfig(**settings))
