"""Permutations of some positions only: of sets, of graphs, and of clouds with a mask."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import Invariant, Jointly, Nodes, On, Pairs, Set
from learnsym.groups import Permutation, YoungSubgroup

CLASSES = [[0, 1, 2], [3, 4]]
WITHIN = YoungSubgroup(5, CLASSES)
WEIGHTS = torch.tensor([1.0, 1.0, 1.0, -2.0, -2.0], dtype=torch.float64)


def _weighted(x):
    """A sum over members in which the classes have weights of their own."""
    return (WEIGHTS[:, None] * x.sin()).sum(1)


def _graphs(count=12):
    edges = torch.rand(count, 5, 5, dtype=torch.float64).round()
    return {"x": torch.randn(count, 5, 2, dtype=torch.float64), "edges": edges}


def _molecules(count=12):
    mask = torch.rand(count, 5) < 0.6
    mask[:, 0] = True
    return ls.data.Ragged(torch.randn(count, 5, 2, dtype=torch.float64), mask, torch.randint(1, 9, (count, 5)))


def test_of_some_positions_only():
    x = torch.randn(20, 5, 3, dtype=torch.float64)
    of_classes = ls.measure.equivariance_error(_weighted, x, ls.Symmetry(WITHIN, Set()))
    of_all = ls.measure.equivariance_error(_weighted, x, ls.Symmetry(Permutation(5), Set()))
    assert of_classes.mean < 1e-12 and of_all.mean > 0.1


def test_of_graphs():
    def messages(graph):
        return torch.einsum("bij,bjf->bif", graph["edges"], WEIGHTS[:, None] * graph["x"])

    move = Jointly((On("x", Set()), On("edges", Pairs())))
    assert ls.measure.equivariance_error(messages, _graphs(), ls.Symmetry(WITHIN, move, Set())).mean < 1e-12
    assert ls.measure.equivariance_error(messages, _graphs(), ls.Symmetry(Permutation(5), move, Set())).mean > 0.1
    nodes_alone = ls.Symmetry(WITHIN, On("x", Set()), Set())
    assert ls.measure.equivariance_error(messages, _graphs(), nodes_alone).mean > 0.1


def test_nodes_take_their_mask_along():
    def masked(clouds):
        return (WEIGHTS[:, None] * clouds.present * clouds.mask.unsqueeze(-1)).sum(1) / clouds.numbers[:, :1].log1p()

    def of_numbers(clouds):
        return (WEIGHTS[:, None] * clouds.present * clouds.numbers.unsqueeze(-1)).sum(1)

    x = _molecules()
    for action in (Set(), Nodes()):
        assert ls.measure.equivariance_error(of_numbers, x, ls.Symmetry(WITHIN, action)).mean < 1e-12
        assert ls.measure.equivariance_error(masked, x, ls.Symmetry(WITHIN, action)).mean > 0.01


@pytest.mark.parametrize("mode", ["functional", "twirl"])
def test_penalties_ask_about_some_positions_only(mode):
    class Weighted(torch.nn.Linear):
        def forward(self, x):
            return _weighted(super().forward(x))

    net = Weighted(3, 3).double()
    x = torch.randn(20, 5, 3, dtype=torch.float64)
    parts = {}
    for name, group in {"classes": WITHIN, "all": Permutation(5)}.items():
        candidate = ls.objectives.bank({name: ls.Symmetry(group, Set(), Invariant())}, mode)
        parts |= ls.objectives.Remul(ls.objectives.mse, candidate)(net, (x, x[:, 0])).parts
    assert float(parts["penalty/classes"]) < 1e-20 and float(parts["penalty/all"]) > 0.01


def test_nodes_do_not_move_without_their_mask():
    symmetry = ls.Symmetry(WITHIN, On("x", Set()))
    with pytest.raises(ValueError, match=r"moves x of nodes without their mask; take the action Nodes\(\)"):
        ls.measure.equivariance_error(lambda clouds: clouds.present.sum(1), _molecules(), symmetry)


@pytest.mark.parametrize(
    ("action", "x", "message"),
    [
        (Nodes(), {"x": torch.rand(2, 5, 3)}, "must be clouds with a mask, data.Ragged; take the action Set"),
        (Nodes(), ls.data.Ragged.of([torch.rand(3, 2)]), r"x: got shape \(1, 3, 2\), must be \(B, 5, ...\)"),
        (Pairs(), torch.rand(2, 5, 3), r"x: got shape \(2, 5, 3\), must be \(B, 5, 5, ...\)"),
        (Pairs(), torch.rand(0, 5, 5), r"x: got shape \(0, 5, 5\), must be"),
    ],
)
def test_what_does_not_fit(action, x, message):
    with pytest.raises(ValueError, match=message):
        action.check_data(WITHIN, x)


def test_no_one_tensor_moves_with_a_mask():
    with pytest.raises(ValueError, match="moves nodes together with their mask, and one tensor moves here"):
        Nodes().within  # noqa: B018
    with pytest.raises(ValueError, match="Nodes needs a group that acts on 'index'"):
        Nodes().check(ls.groups.SO3())
