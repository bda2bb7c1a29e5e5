"""Learned sharing: blocks are found as exhaustive search finds them, and each shortcut agrees with the obvious way."""

import copy
import itertools
import math
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.relax.sharing import (
    Assignment,
    FixedAssignment,
    LinearProblem,
    SharedLinear,
    SharedWeight,
    column_norms,
    learn_sharing,
    nuclear_norm,
    row_entropy,
    shared_fit,
    sharing_penalty,
    soft_means,
)
from learnsym.statistics.partition import canonical, partition_distance, random_partition, set_partitions


def hard(labels, columns=None):
    return nn.functional.one_hot(torch.as_tensor(labels), columns or len(labels)).double()


def gaussian(items, blocks, trials, seed, examples=100):
    """Means 3 apart of items in blocks, seen with noise of 1."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.stack([random_partition(items, blocks, generator) for _ in range(trials)])
    means = 3.0 * labels.double()
    x = means[:, None] + torch.randn(trials, examples, items, generator=generator, dtype=torch.float64)
    design = torch.eye(items, dtype=torch.float64)
    problems = [LinearProblem(design.expand(*part.shape, items), part) for part in x.split([30, examples - 30], 1)]
    return labels, means, *problems


def test_norms_of_hard_blocks_are_roots_of_their_sizes():
    for labels in set_partitions(5):
        expected = sum(labels.count(block) ** 0.5 for block in set(labels))
        assert float(column_norms(hard(labels))) == pytest.approx(expected)
        assert float(nuclear_norm(hard(labels))) == pytest.approx(expected)
        assert float(row_entropy(hard(labels))) == pytest.approx(0, abs=1e-5)


def test_flat_rows_are_rewarded_by_the_nuclear_norm_alone():
    flat = torch.full((6, 6), 1 / 6, dtype=torch.float64)
    assert float(nuclear_norm(flat)) == pytest.approx(1)
    assert float(column_norms(flat)) == pytest.approx(6**0.5)
    assert float(row_entropy(flat)) == pytest.approx(math.log(6), abs=1e-4)


def test_penalties_have_gradients_where_a_column_is_empty():
    logits = torch.zeros(3, 4, dtype=torch.float64).index_fill(1, torch.tensor([3]), -800.0).requires_grad_()
    sharing_penalty(logits.softmax(-1), "columns", 1.0).backward()
    assert bool(logits.grad.isfinite().all())


def test_soft_means_are_least_squares_where_the_assignment_is_hard():
    for labels in set_partitions(4):
        A, w = hard(labels), torch.randn(4, 2, dtype=torch.float64)
        torch.testing.assert_close(soft_means(A, w), torch.linalg.pinv(A) @ w)


def test_least_squares_tell_nothing_of_an_invertible_assignment():
    """The lower level of the text: `A ψ*` is `w` whatever the logits, so that their gradient vanishes."""
    logits = torch.randn(5, 5, dtype=torch.float64, requires_grad=True)
    w, held_out = torch.randn(2, 5, 1, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((fit_of(logits, w) - held_out).square().sum(), logits)
    smoothed = logits.softmax(-1) @ soft_means(logits.softmax(-1), w)
    (ours,) = torch.autograd.grad((smoothed - held_out).square().sum(), logits)
    assert float(gradient.abs().max()) < 1e-9 < 1e-3 < float(ours.abs().max())


def fit_of(logits, w):
    A = logits.softmax(-1)
    return A @ torch.linalg.pinv(A) @ w


def test_the_fit_under_a_partition_is_that_of_a_dense_solver():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(20, 3, 6, generator=generator, dtype=torch.float64)
    y = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    for labels in ([0, 1, 0, 2, 1, 1], [0] * 6, list(range(6))):
        A = hard(labels)
        psi = torch.linalg.lstsq((x @ A).flatten(0, 1), y.flatten()[:, None], driver="gelsd").solution
        torch.testing.assert_close(shared_fit(LinearProblem(x, y), torch.tensor(labels)), (A @ psi)[:, 0])


def test_moments_give_the_loss():
    problem = LinearProblem(torch.randn(7, 3, 4).double(), torch.randn(7, 3).double())
    w = torch.randn(4).double()
    curvature, slope, constant = problem.moments()
    loss = (problem.targets - problem.design @ w).square().mean()
    torch.testing.assert_close(w @ curvature @ w - 2 * slope @ w + constant, loss)


@pytest.mark.parametrize(("items", "blocks"), [(3, 3), (5, 1), (5, 3), (6, 2)])
def test_the_search_is_as_good_as_all_partitions(items, blocks):
    """The objective of hard assignments, over all partitions; and the error, paired over trials."""
    labels, means, train, held_out = gaussian(items, blocks, trials=60, seed=items)
    found = learn_sharing(train, held_out, steps=400)
    every = torch.tensor(list(set_partitions(items)))
    A = hard(every.flatten(), items).view(*every.shape, items)
    fits = train.solution()[:, None, :, None].expand(-1, len(every), -1, 1)
    w = (A @ soft_means(A.expand(60, *A.shape), fits))[..., 0]
    loss = (w - held_out.targets.mean(1)[:, None]).square().mean(-1)
    # brute force of the paper: the held-out loss alone
    exhaustive = every[loss.argmin(1)]
    error = [(shared_fit(train.joined(held_out), each) - means).square().mean(1) for each in (found.labels, exhaustive)]
    difference = error[0] - error[1]
    assert float(difference.mean()) <= 1.65 * float(difference.std()) / 60**0.5 + 1e-12
    distance = [partition_distance(a, b) for a, b in zip(labels, found.labels, strict=True)]
    assert sum(distance) / 60 <= 0.3
    # with the penalty, the best of all partitions is found
    penalised = loss + 0.02 * column_norms(A)
    index = [int((every == each).all(1).nonzero()) for each in found.labels]
    own = penalised[torch.arange(60), torch.tensor(index)]
    assert float((own - penalised.min(1).values).mean()) < 2e-3


def test_problems_of_a_batch_do_not_know_of_each_other():
    _, _, train, held_out = gaussian(4, 2, trials=3, seed=0)
    together = learn_sharing(train, held_out, steps=50)
    # the noise at the start is drawn for the whole batch, so the last problems may not change the first
    other = LinearProblem(train.design, train.targets * torch.tensor([1.0, -1.0, 2.0])[:, None, None])
    changed = learn_sharing(other, held_out, steps=50)
    assert torch.equal(together.matrix[0], changed.matrix[0])
    assert not torch.equal(together.matrix[2], changed.matrix[2])


@pytest.mark.parametrize("blocks", [None, 2])
def test_relabelling_items_relabels_what_is_found(blocks):
    labels, _, train, held_out = gaussian(6, 2, trials=1, seed=3)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    moved = [LinearProblem(p.design, p.targets[..., order]) for p in (train, held_out)]
    found = [learn_sharing(*pair, blocks=blocks, steps=400).labels[0] for pair in ((train, held_out), moved)]
    assert torch.equal(canonical(found[0][order]), found[1]) and partition_distance(found[0], labels[0]) == 0


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"norm": "frobenius"}, "norm"), ({"weight": -1.0}, "weight"), ({"entropy": -1.0}, "entropy")]
    + [({name: 0}, name) for name in ("restarts", "steps", "blocks")],
)
def test_bad_settings_are_one_sentence(settings, name):
    _, _, train, held_out = gaussian(3, 1, trials=1, seed=0)
    with pytest.raises(ValueError, match=f"^{name}: got"):
        learn_sharing(train, held_out, **settings)


def test_problems_of_other_weights_are_refused():
    _, _, train, _ = gaussian(3, 1, trials=1, seed=0)
    _, _, _, held_out = gaussian(4, 1, trials=1, seed=0)
    with pytest.raises(ValueError, match=r"^held_out: is about weights"):
        learn_sharing(train, held_out)
    with pytest.raises(ValueError, match=r"^targets: got shape"):
        LinearProblem(torch.rand(5, 2, 3), torch.rand(5, 3))


def test_a_hardened_map_is_symmetric_under_its_group():
    layer = SharedLinear(3, 2).double()
    twin = layer.hardened()
    w, group = twin.weight().flatten(), twin.shared.assignment.group()
    assert all(torch.equal(g.double() @ w, w) for g in group.components)
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(twin.plain()(x), twin(x))
    torch.testing.assert_close(layer.plain()(x), layer(x))
    assert type(twin.plain()) is nn.Linear


def test_hardening_keeps_the_means_of_blocks():
    weight = SharedWeight(Assignment(5, 3), (2,)).double()
    means = weight.hardened()()
    for block in weight.hardened().assignment.blocks():
        torch.testing.assert_close(means[block], weight()[block].mean(0).expand(len(block), 2))


def test_degrees_count_pairs_in_one_block():
    for labels in set_partitions(4):
        pairs = [labels[i] == labels[j] for i, j in itertools.combinations(range(4), 2)]
        (degree,) = FixedAssignment(torch.tensor(labels)).degrees("input")
        assert degree.estimate == pytest.approx(sum(pairs) / 6) and degree.group == "S_4"
    assert Assignment(1).degrees("input")[0].estimate == 1


def test_copies_pickles_and_the_walk():
    net = nn.Sequential(nn.Linear(2, 4), SharedLinear(4, 3))
    x = torch.randn(2, 2)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(other(x), net(x))
    assert [degree.site for degree in ls.degrees(net)] == ["layer:1.shared.assignment"]
    net(x).square().sum().backward()
    assert all(bool(p.grad.any()) for p in net.parameters())
    twin = net[1].hardened()
    assert list(twin.state_dict()) == ["shared.psi", "shared.assignment.index"]


def test_bad_layers_are_one_sentence():
    with pytest.raises(ValueError, match=r"^items: got 0"):
        Assignment(0)
    with pytest.raises(ValueError, match=r"^labels: got none"):
        FixedAssignment(torch.tensor([], dtype=torch.long))
    with pytest.raises(ValueError, match=r"^assignment: got one of 4 items"):
        SharedLinear(3, 2, Assignment(4))
