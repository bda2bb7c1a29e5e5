"""Networks of escnn as they are: measured by what their types say, or by a name."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

import learnsym as ls
from learnsym import _escnn
from tests.relax.escnn_networks import c4_regular

pytestmark = [pytest.mark.filterwarnings("ignore")]
if importlib.util.find_spec("escnn") is None:
    pytestmark.append(pytest.mark.skip(reason="escnn is not installed: pip install learnsym[steerable]"))

PLANE = {
    "C_4": ("rot2dOnR2", 4, [(1,), (2,)]),
    "D_4": ("flipRot2dOnR2", 4, [(1, 1), (1, 0)]),
    "D_3": ("flipRot2dOnR2", 3, [(1, 1), (1, 0)]),
    "SO(2)": ("rot2dOnR2", -1, [(1,), (3,)]),
    "O(2)": ("flipRot2dOnR2", -1, [(1, 1), (1, 2), (1, 0)]),
}


@pytest.fixture(autouse=True, scope="module")
def numerical_coefficients():
    with _escnn.numerical_coefficients():
        yield


def convolution(name):
    from escnn import gspaces
    from escnn import nn as enn

    torch.manual_seed(0)
    if name in ("SO(3)", "O(3)"):
        space = gspaces.rot3dOnR3() if name == "SO(3)" else gspaces.flipRot3dOnR3()
        irreps, conv = ([(1,), (2,)] if name == "SO(3)" else [(1, 1), (0, 1)]), enn.R3Conv
    else:
        make, count, irreps = PLANE[name]
        space, conv = getattr(gspaces, make)(count, **({"maximum_frequency": 3} if count < 0 else {})), enn.R2Conv
    image, fields = (enn.FieldType(space, found) for found in ([space.trivial_repr], [space.irrep(*i) for i in irreps]))
    return conv(image, fields, 5, padding=2)


@pytest.mark.parametrize("name", [*PLANE, "SO(3)", "O(3)"])
def test_fields_move_as_escnn_says(name):
    """Under elements that map pixels to pixels: exactly those of the plane, and of space its signed permutations."""
    net = convolution(name)
    symmetry = ls.equivariant.escnn_symmetry(net)
    assert symmetry.name == name
    space = symmetry.group.space == "space"
    lattice = ls.groups.Octahedral().components if space else ls.groups.Dihedral(4).components
    elements = lattice[symmetry.group.contains(lattice)].float()
    x = torch.randn(len(elements), 1, *((5, 5, 5) if space else (7, 7)))
    both = _escnn.OnTensors(net)
    moved, expected = both(symmetry.on_input(elements, x)), symmetry.on_output(elements, both(x))
    assert torch.allclose(moved, expected, atol=1e-5)
    assert len(elements) > 1


def test_a_network_of_escnn_is_measured_as_it_is():
    torch.manual_seed(0)
    net = c4_regular().train()
    names, x = list(net.state_dict()), torch.randn(8, 1, 9, 9)
    claimed = ls.equivariant.escnn_symmetry(net)
    assert ls.measure.equivariance_error(net, x, claimed).mean < 1e-5
    assert list(net.state_dict()) == names
    assert net.training
    learned = ls.relax.from_escnn(net, layer="residual")
    with torch.no_grad():
        learned[1].free.normal_(std=0.3)
    assert ls.measure.equivariance_error(learned, x, claimed).mean > 0.01
    scores = ls.measure.layer_scores(_escnn.OnTensors(learned), x, "quarter_turns2d", layers=["net.2", "net.3"])
    assert list(scores.scores) == ["net.2", "net.3"]


def test_the_command_takes_a_factory_of_escnn(tmp_path, capsys):
    from learnsym.cli import main

    (tmp_path / "mine.py").write_text(FACTORY)
    np.savez(tmp_path / "images.npz", x=torch.rand(8, 1, 9, 9).numpy(), y=[0, 1] * 4)
    command = ["measure", f"{tmp_path / 'mine.py'}:make", "--data", f"{tmp_path / 'images.npz'}"]
    options = ["--symmetry", "quarter_turns2d", "--no-layers", "--samples", "2"]
    assert main([*command, *options, "--out", f"{tmp_path / 'card'}"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "predictions that stay" in line)
    assert "100.0%" in row


FACTORY = """
import torch
from escnn import gspaces, nn as enn


def make():
    space = gspaces.rot2dOnR2(4)
    image, fields = enn.FieldType(space, [space.trivial_repr]), enn.FieldType(space, 2 * [space.regular_repr])
    conv = enn.R2Conv(image, fields, 9)
    return enn.SequentialModule(conv, enn.ELU(fields), enn.GroupPooling(fields))
"""


def test_representations_are_those_of_escnn():
    fields = ls.equivariant.field_type_of(c4_regular()[1].out_type)
    assert (fields.size, fields.fields, fields.is_permutation, fields.is_invariant) == (8, 2, True, False)
    (regular, _), g = fields.parts[0], fields.group.components
    products = regular(g[:, None] @ g)
    assert torch.allclose(products, regular(g)[:, None] @ regular(g), atol=1e-6)


def test_what_has_no_types_is_refused():
    with pytest.raises(ValueError, match="net: got a Linear without in_type and out_type of escnn"):
        ls.equivariant.escnn_symmetry(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="fields: got a str, must be a FieldType of escnn"):
        ls.equivariant.field_type_of("regular")
    with pytest.raises(ValueError, match="x: got 3 channels, must have the 1 of"):
        _escnn.OnTensors(c4_regular())(torch.zeros(1, 3, 9, 9))


def test_a_card_moves_outputs_as_the_fields_that_escnn_says():
    from learnsym.report.card import CardSettings

    net, x = c4_regular()[1], torch.rand(4, 1, 9, 9)
    settings = CardSettings(layers=False, samples=2)
    exact = ls.measure.card(net, x, "quarter_turns2d", settings=settings)
    assert next(row.value for row in exact.rows if row.measure == "equivariance error") < 1e-5
    other = ls.measure.card(net, x, "flip2d", settings=settings)
    assert any("fields of C_4 for escnn" in note and "D_1 says nothing" in note for note in other.notes)
