"""Extended xyz as people have it: each layout is read, or refused in one sentence that names the key."""

import logging

import pytest
import torch

from learnsym.data.molecules import read_atoms, read_extxyz, read_structures

pytest.importorskip("ase")  # the extra `molecules`

ROWS = ["O 0.0 0.0 0.1 1.0 2.0 3.0", "H 0.0 0.8 -0.5 -1.0 0.0 -3.0", "H 0.0 -0.8 -0.5 0.0 -2.0 0.0"]
POSITIONS = [[0.0, 0.0, 0.1], [0.0, 0.8, -0.5], [0.0, -0.8, -0.5]]
FORCES = [[1.0, 2.0, 3.0], [-1.0, 0.0, -3.0], [0.0, -2.0, 0.0]]
BOTH = "Properties=species:S:1:pos:R:3:forces:R:3"


def frame(comment, rows=ROWS):
    return "\n".join([str(len(rows)), comment, *rows]) + "\n"


def cut(words):
    return [" ".join(row.split()[:words]) for row in ROWS]


def reordered():
    words = [row.split() for row in ROWS]
    number = {"O": "8", "H": "1"}
    return [" ".join([*w[4:], number[w[0]], "0.5", *w[1:4]]) for w in words]


HELIUM = frame("Properties=species:S:1:pos:R:3:forces:R:3 energy=-3", ["He 0 0 0 0 0 0"])
CELL = 'Lattice="4 0 0 1 4 0 0 0 5" pbc="T T T"'
LAYOUTS = {
    "as ASE writes it": frame(f'{BOTH} energy=-10.5 pbc="F F F"'),
    "dft_energy": frame("Properties=species:S:1:pos:R:3:dft_forces:R:3 dft_energy=-10.5"),
    "REF_energy": frame("Properties=species:S:1:pos:R:3:REF_forces:R:3 REF_energy=-10.5 config_type=md"),
    "Energy and force": frame("Properties=species:S:1:pos:R:3:force:R:3 Energy=-10.5"),
    "no energies": frame(BOTH),
    "no forces": frame("Properties=species:S:1:pos:R:3 energy=-10.5", cut(4)),
    "plain xyz": frame("water from nowhere", cut(4)),
    "a cell": frame(f"{BOTH} energy=-10.5 {CELL}"),
    "charges": frame(f"{BOTH} energy=-10.5 charge=-1 total_spin=1"),
    "several compositions": frame(f"{BOTH} energy=-10.5") + HELIUM,
    "blank lines at the end": frame(f"{BOTH} energy=-10.5") + "\n   \n\n",
    "quoted keys": frame('Properties="species:S:1:pos:R:3:forces:R:3" "energy"="-10.5" config_type="liquid water"'),
    "columns in any order": frame("energy=-10.5 Properties=forces:R:3:Z:I:1:charge:R:1:pos:R:3", reordered()),
    "kcal/mol": frame(f'{BOTH} energy=-10.5 units="kcal/mol, Angstrom"'),
}
MISSING = {"no energies": {"energies"}, "no forces": {"forces"}, "plain xyz": {"energies", "forces"}}


def write(folder, text):
    path = folder / "wild.xyz"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path, name):
    units = "kcal/mol/Angstrom" if name == "kcal/mol" else None
    factor = 0.0433641 if units else 1.0
    found = read_structures(write(tmp_path, LAYOUTS[name]), units=units)
    assert found.atoms.clouds()[0].tolist() == POSITIONS and found.atoms.numbers[0, :3].tolist() == [8, 1, 1]
    missing = MISSING.get(name, set())
    assert (found.energies is None) == ("energies" in missing) and (found.forces is None) == ("forces" in missing)
    if found.energies is not None:
        assert found.energies[0].item() == pytest.approx(-10.5 * factor, rel=1e-5)
    if found.forces is not None:
        torch.testing.assert_close(found.forces.clouds()[0], factor * torch.tensor(FORCES).double(), rtol=1e-5, atol=0)
    assert (found.cells is None) == (name != "a cell") and (found.charges is None) == (name != "charges")
    assert len(found) == 1 + (name == "several compositions")
    if name == "a cell":
        assert found.cells[0].tolist() == [[4, 0, 0], [1, 4, 0], [0, 0, 5]]


@pytest.mark.parametrize(
    "name", [name for name in LAYOUTS if name not in ("a cell", "several compositions", "kcal/mol")]
)
def test_layouts_of_one_molecule(tmp_path, name):
    found = read_extxyz(write(tmp_path, LAYOUTS[name]))
    assert found.positions[0].tolist() == POSITIONS and found.numbers.tolist() == [8, 1, 1]


def test_a_guess_is_said(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "learnsym"):
        read_structures(write(tmp_path, LAYOUTS["REF_energy"]))
    assert "REF_energy is read as energy" in caplog.text and "REF_forces is read as forces" in caplog.text


def test_atoms_of_ase(tmp_path):
    crystal = read_atoms(write(tmp_path, LAYOUTS["a cell"]))[0]
    assert crystal.pbc.all() and crystal.cell.volume == pytest.approx(80) and crystal.calc is None
    assert read_atoms(write(tmp_path, REFUSED["two energies"][0]))[0].positions.tolist() == POSITIONS


REFUSED = {
    "two energies": (
        frame(f"{BOTH} energy=-10.5 REF_energy=-11"),
        r"wild\.xyz: has energy and REF_energy; say which is meant, by energy='REF_energy' \(data\.energy\)",
    ),
    "two forces": (
        frame("Properties=species:S:1:pos:R:3:forces:R:3:dft_forces:R:3", [f"{row} 0 0 0" for row in ROWS]),
        r"has forces and dft_forces; say which is meant, by forces='dft_forces'",
    ),
    "energy of some": (frame(f"{BOTH} energy=-10.5") + frame(BOTH), "line 7: .*`energy=` and a number, in every frame"),
    "forces of some": (
        frame(BOTH) + frame("Properties=species:S:1:pos:R:3", cut(4)),
        "line 7: .*`Properties=` with forces:R:3, in every frame; it has species, pos",
    ),
    "units that are not ours": (LAYOUTS["kcal/mol"], "line 2: .*units eV and Angstrom, not units=kcal/mol"),
    "columns without names": (frame("energy=-10.5"), "line 2: .*`Properties=` with the names of the 7 columns"),
    "no elements": (frame("Properties=pos:R:3:forces:R:3:id:I:1"), "line 2: .*species:S:1 or Z:I:1, and pos:R:3"),
    "charge": (frame(f"{BOTH} charge=high"), "line 2: .*`charge=` and a number, not high"),
    "cell": (frame(f'{BOTH} Lattice="4 0 0 4"'), "line 2: .*pairs key=value .*3x3 matrix"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(tmp_path, name):
    text, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as caught:
        read_structures(write(tmp_path, text))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_names_that_are_said(tmp_path):
    both = write(tmp_path, REFUSED["two energies"][0])
    assert read_structures(both, energy="REF_energy").energies.tolist() == [-11]
    with pytest.raises(ValueError, match=r"line 2: .*`pbe=` and a number, in every frame; it has energy, REF_energy"):
        read_structures(both, energy="pbe")
    with pytest.raises(ValueError, match="units: got 'furlong', must be one of eV, meV, Hartree"):
        read_structures(both, energy="energy", units="furlong")
