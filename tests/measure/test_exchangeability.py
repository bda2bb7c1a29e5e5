"""Exchangeability: the right partition where one is planted, masks, intervals that cover, and what is refused."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import Jointly, Nodes, On, Pairs, Set
from learnsym.groups import Permutation, YoungSubgroup
from learnsym.measure import exchangeability
from learnsym.symmetry import permutation
from tests.planted_nodes import CLASSES, NODES, egnn, planted, trained

WEIGHTS = torch.tensor([1.0, 1.0, 1.0, -2.0, -2.0], dtype=torch.float64)


def _sets(count=60, nodes=5):
    return torch.randn(count, nodes, 2, dtype=torch.float64)


def _weighted(x):
    return (WEIGHTS[:, None] * x).sum(1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", CLASSES)
def test_planted_classes_are_found_by_what_was_learned_of_masked_sets(kind, seed):
    x, _ = planted(kind, 256, seed + 100)
    found = exchangeability(trained(kind, seed), x, NODES)
    assert found.classes == CLASSES[kind] and not found.undecided and not found.conflicts
    assert found.group == YoungSubgroup(5, CLASSES[kind])


def test_an_exact_network_tells_none_apart():
    found = exchangeability(egnn(ls.actions.PointCloud()), planted("none", 100, 0)[0], NODES)
    assert found.classes == [[0, 1, 2, 3, 4]] and float(found.high.nan_to_num().max()) < 1e-4


def test_effects_are_those_of_a_brute_force_loop():
    x, w = _sets(nodes=3), torch.tensor([1.0, 1.5, -0.5], dtype=torch.float64)
    nodes = lambda x: torch.tanh(x * w[:, None] + x.mean(1, keepdim=True))  # noqa: E731
    found = exchangeability(nodes, x, ls.Symmetry(Permutation(3), Set(), Set()), batch_size=7)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        order = [0, 1, 2]
        order[i], order[j] = j, i
        square = sum((nodes(x[b : b + 1, order]) - nodes(x[b : b + 1])[:, order]).square().sum() for b in range(len(x)))
        unit = 2 * sum(nodes(x)[:, k].var(0).sum() for k in (i, j))
        assert float(found.effects[i, j]) == pytest.approx(float((square / len(x) / unit).sqrt()), rel=1e-10)
        assert found.effects[i, j] == found.effects[j, i]


def test_of_whole_outputs_and_of_graphs_with_masks():
    found = exchangeability(_weighted, _sets(), permutation(5))
    assert found.classes == [[0, 1, 2], [3, 4]]
    assert str(found) == "exchangeable: {0, 1, 2} {3, 4} (effect of an exchange below 0.1 at 90%)"
    mask = torch.rand(120, 5) < 0.7
    edges = (torch.rand(120, 5, 5, dtype=torch.float64) < 0.5) * mask[:, None] * mask[:, :, None]
    graphs = {"x": _sets(120), "edges": edges.double()}

    def messages(graph):
        return torch.einsum("bij,bjf->bif", graph["edges"], WEIGHTS[:, None] * graph["x"])

    together = Jointly((On("x", Set()), On("edges", Pairs())))
    found = exchangeability(messages, graphs, ls.Symmetry(Permutation(5), together, Set()), mask=mask)
    assert found.classes == [[0, 1, 2], [3, 4]]
    assert int(found.counts[0, 4]) == int((mask[:, 0] & mask[:, 4]).sum()) < 120
    # nodes without their edges are other graphs
    assert exchangeability(messages, graphs, ls.Symmetry(Permutation(5), On("x", Set()), Set())).classes[0] == [0]


def test_what_stands_in_padding_changes_nothing():
    net, (x, _) = trained("some", 0, steps=20), planted("some", 80, 5)
    other = ls.data.Ragged(torch.where(x.mask.unsqueeze(-1), x.x, 100.0), x.mask)
    effects = [exchangeability(net, clouds, NODES).effects for clouds in (x, other)]
    torch.testing.assert_close(*effects, equal_nan=True)
    nodes = ls.Symmetry(Permutation(5), Nodes(), Set())
    torch.testing.assert_close(exchangeability(net, x, nodes).effects, effects[0], equal_nan=True)


def test_of_a_held_out_loss():
    x = _sets(300)
    y = _weighted(x) + 0.1 * torch.randn(300, 2, dtype=torch.float64)
    losses = lambda batch: (_weighted(batch["x"]) - batch["y"]).square().sum(1)  # noqa: E731
    found = exchangeability(losses, {"x": x, "y": y}, ls.Symmetry(Permutation(5), On("x", Set())))
    assert found.classes == [[0, 1, 2], [3, 4]]


def test_some_positions_only_are_asked_about():
    found = exchangeability(_weighted, _sets(), ls.Symmetry(YoungSubgroup(5, [[1, 2, 3]]), Set()))
    assert found.classes == [[0], [1, 2], [3], [4]] and found.undecided == []
    assert int(found.counts[0, 1]) == -1 and bool(found.effects[0, 1].isnan())
    assert found.verdict(0, 1) == "told apart" and found.verdict(1, 2) == "exchangeable"


def test_few_examples_decide_nothing():
    x = _sets(12)
    found = exchangeability(lambda x: (WEIGHTS[:, None] * x).sum((1, 2)) + 0.7 * x[:, 0, 0], x, permutation(5))
    assert found.verdict(0, 1) == "undecided" and (0, 1) in found.undecided
    assert "; undecided: 0-1, 0-2" in str(found)
    mask = torch.ones(30, 5, dtype=torch.bool)
    mask[5:, 4] = False
    found = exchangeability(_weighted, _sets(30), permutation(5), mask=mask)
    assert found.verdict(3, 4) == "undecided" and int(found.counts[3, 4]) == 5


def test_small_effects_that_add_up_are_conflicts():
    w = 1 + torch.tensor([0.0, 0.15, 0.3], dtype=torch.float64)
    found = exchangeability(lambda x: (w[:, None] * x).sum(1), _sets(3000, 3), permutation(3))
    assert found.classes == [[0, 1, 2]] and found.conflicts == [(0, 2)]


def test_intervals_cover_the_true_effect():
    """Of `Σ_i w_i x_i` with independent normal `x_i`: `r = |w_0 - w_1| / |w|`; binomial tolerance of 400 draws."""
    w = torch.tensor([1.0, 1.15], dtype=torch.float64)
    true = float((w[0] - w[1]).abs() / w.norm())
    torch.manual_seed(0)
    inside = 0
    for _ in range(400):
        found = exchangeability(lambda x: (w[:, None] * x).sum(1), _sets(50, 2), permutation(2))
        inside += float(found.low[0, 1]) <= true <= float(found.high[0, 1])
    assert 0.85 <= inside / 400 <= 0.95


def test_all_verdicts_hold_at_once():
    """Of pairs on both sides of the margin: in 10 % of the draws at most, with binomial tolerance, one is wrong."""
    w = torch.tensor([1.0, 1.0, 1.19, 1.4, 2.0], dtype=torch.float64)
    small = (w[:, None] - w).abs() / w.norm() <= 0.1
    torch.manual_seed(0)
    wrong = 0
    for _ in range(60):
        found = exchangeability(lambda x: (w[:, None] * x).sum(1), _sets(20), permutation(5))
        wrong += bool((found.exchangeable & ~small | (found.low > found.margin) & small).any())
    assert wrong / 60 <= 0.1 + 3 * (0.1 * 0.9 / 60) ** 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symmetry": ls.symmetry.so3()}, r"symmetry: got SO\(3\), must be of permutations"),
        ({"symmetry": ls.Symmetry(YoungSubgroup(5, []), Set())}, "symmetry: got trivial, which exchanges no two"),
        ({"symmetry": permutation(4)}, r"x: got shape \(60, 5, 2\), must be \(B, 4, ...\)"),
        ({"margin": 0.0}, "margin: got 0.0, must be positive"),
        ({"level": 90.0}, "level: got 90.0, must lie between 0 and 1"),
        (
            {"mask": torch.ones(60, 4, dtype=torch.bool)},
            r"mask: got \(60, 4\) of torch.bool, must be \(60, 5\) of bool",
        ),
        (
            {"model": lambda x: torch.ones(len(x))},
            "model: its output at positions 0 and 1 is the same for all examples",
        ),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        exchangeability(**{"model": _weighted, "x": _sets(), "symmetry": permutation(5)} | change)
