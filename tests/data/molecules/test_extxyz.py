"""Extended xyz: what is read, and that every malformed line is named."""

import gzip
import sys

import pytest
import torch

from learnsym.data.molecules import read_extxyz

pytest.importorskip("ase")  # the extra `molecules`

WATER = """3
Properties=species:S:1:pos:R:3:forces:R:3 energy=-10.5 pbc="F F F"
O 0.0 0.0 0.1 1.0 2.0 3.0
H 0.0 0.8 -0.5 -1.0 0.0 -3.0
H 0.0 -0.8 -0.5 0.0 -2.0 0.0
3
Properties=species:S:1:pos:R:3:forces:R:3 energy=-11 pbc="F F F" units="eV, Angstrom"
O 0.0 0.0 0.2 0.0 0.0 0.0
H 0.0 0.7 -0.5 0.0 0.0 0.0
H 0.0 -0.7 -0.5 0.0 0.0 0.0
"""


def write(folder, text):
    path = folder / "water.xyz"
    path.write_text(text)
    return path


def test_reads_in_order_and_double_precision(tmp_path):
    water = read_extxyz(write(tmp_path, WATER))
    assert water.numbers.tolist() == [8, 1, 1] and len(water) == 2
    assert water.energies.tolist() == [-10.5, -11.0] and water.energies.dtype == torch.float64
    assert water.positions[0, 1].tolist() == [0.0, 0.8, -0.5]
    assert water.forces[0].tolist() == [[1, 2, 3], [-1, 0, -3], [0, -2, 0]]


def test_compressed_and_with_blank_lines_at_the_end(tmp_path):
    path = tmp_path / "water.xyz.gz"
    path.write_bytes(gzip.compress((WATER + "\n \n").encode()))
    assert len(read_extxyz(path)) == 2


def test_other_columns_are_let_through(tmp_path):
    more = WATER.replace("forces:R:3", "forces:R:3:charge:R:1:tag:I:1")
    rows = [line + " 0.5 1" if line[0] in "OH" else line for line in more.splitlines()]
    assert torch.equal(read_extxyz(write(tmp_path, "\n".join(rows))).forces, read_extxyz(write(tmp_path, WATER)).forces)


@pytest.mark.parametrize(("mask", "values"), [("L:1", "F"), ("L:3", "F F F"), ("L:3", "T F T")])
def test_forces_of_fixed_atoms(tmp_path, mask, values):
    fixed = WATER.replace("forces:R:3", f"forces:R:3:move_mask:{mask}")
    rows = [f"{line} {values}" if line[0] in "OH" else line for line in fixed.splitlines()]
    assert torch.equal(read_extxyz(write(tmp_path, "\n".join(rows))).forces, read_extxyz(write(tmp_path, WATER)).forces)


CELL = 'Lattice="3 0 0 0 3 0 0 0 3"'


@pytest.mark.parametrize("cell", [f'{CELL} pbc="T T T"', f'{CELL} pbc="F F T"', CELL, 'pbc="T T F"', f"{CELL} pbc=T"])
def test_periodic_frames_are_refused(tmp_path, cell):
    with pytest.raises(ValueError, match=r"water\.xyz, line 7: .*a molecule on its own.*by read_structures"):
        read_extxyz(write(tmp_path, WATER.replace('energy=-11 pbc="F F F"', f"energy=-11 {cell}")))


def test_a_cell_that_does_not_repeat_is_let_through(tmp_path):
    assert len(read_extxyz(write(tmp_path, WATER.replace('pbc="F F F"', f'{CELL} pbc="F F F"')))) == 2


MALFORMED = {
    "count": ("3\nProp", "three\nProp", r"line 1: got 'three', expected the number of atoms"),
    "zero": ("3\nProp", "0\nProp", r"line 1: .*an integer >= 1"),
    "too large count": ("3\nProp", "4\nProp", r"line 6: got '3', expected 7 columns"),
    "too few lines": ("H 0.0 -0.7 -0.5 0.0 0.0 0.0\n", "", r"line 6: got '3', expected .* the file ends 1 short"),
    "column": ("H 0.0 0.8 -0.5 -1.0 0.0 -3.0", "H 0.0 0.8 -0.5 -1.0 0.0", r"line 4: .*7 columns .*, not 6"),
    "number": ("H 0.0 0.8", "H 0.0 0,8", r"line 4: .*finite numbers"),
    "nan": ("H 0.0 0.8", "H 0.0 nan", r"line 4: .*finite numbers"),
    "element": ("H 0.0 0.8", "Hx 0.0 0.8", r"line 4: .*the symbol of an element, not 'Hx'"),
    "ghost": ("H 0.0 0.8", "X 0.0 0.8", r"line 4: .*the symbol of an element, not 'X'"),
    "no energy": ("energy=-10.5 ", "", r"line 2: .*`energy=` and a number"),
    "energy": ("energy=-10.5", "energy=low", r"line 2: .*`energy=` and a number"),
    "infinite energy": ("energy=-10.5", "energy=inf", r"line 2: .*`energy=` and a number"),
    "no forces": ("pos:R:3:forces:R:3 energy=-10.5", "pos:R:3 energy=-10.5", r"line 3: .*expected 4 columns"),
    "forces twice": ("forces:R:3 energy=-10.5", "forces:R:3:forces:R:3 energy=-10.5", r"line 2: .*once"),
    "forces type": ("forces:R:3 energy=-10.5", "forces:S:3 energy=-10.5", r"line 2: .*with forces:R:3"),
    "properties": ("forces:R:3 energy=-10.5", "forces:R energy=-10.5", r"line 2: .*triples name:type:columns"),
    "no properties": (
        "Properties=species:S:1:pos:R:3:forces:R:3 energy=-10.5",
        "energy=-10.5",
        r"line 2: .*`Properties=",
    ),
    "units": ('pbc="F F F"\nO 0.0 0.0 0.1', "energy_unit=Hartree\nO 0.0 0.0 0.1", r"line 2: .*units eV and Angstrom"),
    "mixed units": ("eV, Angstrom", "kcal/mol, Angstrom", r"line 7: .*units eV and Angstrom, not units=kcal/mol"),
    "other species": ("H 0.0 0.7 -0.5", "O 0.0 0.7 -0.5", r"line 9: .*'H' as in the first frame; split the file"),
    "other columns": (
        "forces:R:3 energy=-11",
        "forces:R:3:extra:R:0 energy=-11",
        r"line 7: .*triples name:type:columns",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_lines_are_named(tmp_path, case):
    old, new, message = MALFORMED[case]
    assert old in WATER
    with pytest.raises(ValueError, match=r"water\.xyz, " + message):
        read_extxyz(write(tmp_path, WATER.replace(old, new, 1)))


def test_molecules_of_other_sizes(tmp_path):
    hydrogen = "1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1\nH 0 0 0 0 0 0\n"
    with pytest.raises(ValueError, match=r"line 11: got '1', expected 3 atoms as in the first frame; split the file"):
        read_extxyz(write(tmp_path, WATER + hydrogen))


def test_empty(tmp_path):
    with pytest.raises(ValueError, match=r"water\.xyz: holds no frames"):
        read_extxyz(write(tmp_path, "\n"))


def test_without_ase(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "ase"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ase", None)
    with pytest.raises(ValueError, match=r"pip install learnsym\[molecules\]"):
        read_extxyz(write(tmp_path, WATER))
