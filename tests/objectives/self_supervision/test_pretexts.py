"""Laws of pretext tasks: labels move as the views do, equivariant heads follow, naive ones cannot."""

import math

import pytest
import torch
import torch.nn.functional as F

import learnsym as ls
from learnsym.actions import Image
from learnsym.objectives import EquivariantHead, Jigsaw, NaiveHead, PretextPrediction, RelativePosition, RotationLabel
from learnsym.objectives.self_supervision import closed_permutations, label_fields, spread_permutations
from learnsym.objectives.self_supervision.tiles import PLACES, cut, place_moves

C4, D4, D1, C1 = ls.groups.Cyclic(4), ls.groups.Dihedral(4), ls.groups.Dihedral(1), ls.groups.Cyclic(1)
TASKS = {
    "rotation": RotationLabel,
    "position": lambda group: RelativePosition(group, 4),
    "jigsaw": lambda group: Jigsaw(group, 4, spread_permutations(group, 3)),
}
PAIRS = [(name, group) for name in TASKS for group in (C4, D4)]


def pictures(count=6, size=16):
    return torch.rand(count, 1, size, size, dtype=torch.float64)


def moved(g, x):
    return Image()(g.expand(len(x), 2, 2), x)


@pytest.mark.parametrize(("name", "group"), PAIRS)
def test_moved_views_are_the_views_of_the_moved_label(name, group):
    task, x = TASKS[name](group), pictures()
    views, label = task.draw(x)
    for g in group.components:
        # the same picture, one that is mirrored and counts as upright, or the moved one
        upright = [x, moved(D1.components[1], x), moved(g, x)]
        made = [task.make(picture, task.moved_labels(g, label)) for picture in upright]
        errors = [(each - task.moved_views(g, views)).abs().max() for each in made]
        assert min(errors[:2] if name == "rotation" else errors[2:]) < 1e-12


@pytest.mark.parametrize(("name", "group"), PAIRS)
def test_labels_are_an_action(name, group):
    task = TASKS[name](group)
    label = torch.arange(task.labels.size)
    table = torch.stack([task.moved_labels(g, label) for g in group.components])
    products = ls.groups.cayley_table(group)
    assert torch.equal(table[0], label)
    assert all(torch.equal(table[g][table[h]], table[products[g, h]]) for g in range(4) for h in range(4))


@pytest.mark.parametrize(("name", "group"), PAIRS)
@pytest.mark.parametrize("hidden", [0, 2])
def test_the_loss_of_an_equivariant_head_is_that_of_the_moved_example(name, group, hidden):
    task = TASKS[name](group)
    encoder = ls.nets.RegularEncoder(group, 1, fields=2, depth=2, pools=1).double()
    head = EquivariantHead(task, encoder.out_type, hidden).double()
    views, label = task.draw(pictures())

    def loss(views, label):
        z = encoder(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        return F.cross_entropy(head(z), label)

    for g in group.components:
        here = loss(task.moved_views(g, views), task.moved_labels(g, label))
        torch.testing.assert_close(here, loss(views, label), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("group", [C4, D4, ls.groups.Cyclic(2)])
def test_invariants_of_an_exact_encoder_leave_the_rotation_label_at_chance(group):
    task, x = RotationLabel(group), pictures()
    encoder = ls.nets.RegularEncoder(group, 1, fields=2, depth=2, pools=1).double()
    head = NaiveHead(task, encoder.out_type, hidden=2).double()
    # each picture with every label: what the draw is on average
    labels = torch.arange(task.labels.size)
    losses = [
        F.cross_entropy(head(encoder(task.make(x, label.expand(len(x))).flatten(0, 1)).unsqueeze(1)), label.expand(6))
        for label in labels
    ]
    logits = head(encoder(x).unsqueeze(1))
    at_best = -logits.log_softmax(1).mean(1).mean()
    torch.testing.assert_close(torch.stack(losses).mean(), at_best, rtol=1e-10, atol=1e-10)
    assert at_best >= math.log(len(labels))
    with torch.no_grad():
        head.read[-1].weight.zero_()
        head.read[-1].bias.zero_()
    torch.testing.assert_close(
        -head(encoder(x).unsqueeze(1)).log_softmax(1).mean(), torch.tensor(math.log(len(labels))).double()
    )


def test_training_cannot_bring_a_naive_rotation_head_below_log_4_but_an_equivariant_one():
    task, x = RotationLabel(C4), torch.linspace(0, 1, 16 * 16).view(1, 1, 16, 16).expand(32, -1, -1, -1)
    x = x * torch.rand(32, 1, 1, 1)
    found = {}
    for kind in (NaiveHead, EquivariantHead):
        torch.manual_seed(0)
        net = ls.nets.OrbitClassifier(ls.nets.RegularEncoder(C4, 1, fields=2, depth=2), classes=2)
        objective = PretextPrediction(task, kind(task, net.encoder.out_type))
        batches = ls.data.Batches(ls.data.Dataset(x, torch.arange(32) % 2, classes=2), 32)
        ls.training.fit(net, objective, batches, steps=30, optimiser=ls.training.OptimiserConfig(lr=0.02))
        z = net.encoder(torch.cat([task.make(x, torch.full((32,), k)).flatten(0, 1) for k in range(4)]))
        label = torch.arange(4).repeat_interleave(32)
        found[kind] = F.cross_entropy(objective.head(z.unsqueeze(1)), label).item()
    assert found[NaiveHead] >= math.log(4) - 1e-5
    assert found[EquivariantHead] < 0.5


@pytest.mark.parametrize("group", [C4, D4])
def test_tiles_of_a_moved_picture_are_moved_tiles_at_moved_places(group):
    x = pictures()
    for g, places in zip(group.components, place_moves(group), strict=True):
        tiles = cut(x, 4)
        ours = torch.stack([moved(g, tiles[:, place]) for place in range(PLACES)], 1)
        torch.testing.assert_close(cut(moved(g, x), 4)[:, places], ours)


def test_positions_are_two_orbits():
    assert RelativePosition(C4, 4).labels == ls.equivariant.FieldType.regular(C4, 2)
    kinds = RelativePosition(D4, 4).labels.parts
    assert [(kind.size, count) for kind, count in kinds] == [(4, 1), (4, 1)] and kinds[0][0] != kinds[1][0]


def test_label_fields_permute_as_the_labels_do():
    moves = torch.stack([torch.arange(5), torch.tensor([1, 0, 2, 4, 3])])
    fields, order = label_fields(ls.groups.Cyclic(2), moves)
    for g, move in zip(ls.groups.Cyclic(2).components, moves, strict=True):
        channels = fields.mix(g.expand(5, 2, 2), torch.eye(5).double()).argmax(1)
        assert [order[c] for c in channels] == move[order].tolist()


def test_spread_permutations_are_closed_and_far_apart():
    chosen = spread_permutations(D4, 4)
    assert len(set(chosen)) == 32 and set(closed_permutations(D4, chosen)) == set(chosen)
    chosen = torch.tensor(chosen)
    distance = (chosen[:, None] != chosen).sum(-1) + 9 * torch.eye(32).long()
    assert int(distance.min()) >= 5


def test_a_set_that_is_not_closed_is_one_sentence():
    with pytest.raises(ValueError, match=r"^permutations: the set contradicts C_4, .* closed_permutations") as error:
        Jigsaw(C4, 4, [(1, 0, 2, 3, 4, 5, 6, 7, 8)])
    assert "\n" not in str(error.value)
    Jigsaw(C1, 4, [(1, 0, 2, 3, 4, 5, 6, 7, 8)])  # which no group contradicts


@pytest.mark.parametrize(
    ("make", "start"),
    [
        (lambda: RotationLabel(D1), "group: got D_1 for the rotation label"),
        (lambda: RotationLabel(ls.groups.SO2()), "group: got SO\\(2\\)"),
        (lambda: RelativePosition(ls.groups.Cyclic(8), 4), ""),
        (lambda: Jigsaw(C4, 4, [(0, 1, 2)]), "permutations: got \\(0, 1, 2\\)"),
        (lambda: Jigsaw(C4, 4, []), "permutations: got 0"),
        (lambda: spread_permutations(C4, 0), "orbits: got 0"),
        (lambda: RelativePosition(C4, 5).draw(pictures()), "x: got pictures of 16 x 16"),
        (lambda: RelativePosition(C4, 4).draw(pictures()[..., 2:]), "x: got pictures of 16 x 14"),
        (lambda: ls.groups.Subgroup(C4, [0, 1]), "members: got \\[0, 1\\].*add 2"),
        (lambda: ls.groups.Subgroup(C4, [1]), "members: got \\[1\\], must hold 0"),
    ],
)
def test_bad_input_is_one_sentence(make, start):
    with pytest.raises(ValueError, match=f"^{start}") as error:
        make()
    assert "\n" not in str(error.value)


def test_targets_are_not_looked_at():
    net = ls.nets.OrbitClassifier(ls.nets.RegularEncoder(C4, 1, fields=2, depth=2), classes=2)
    task = RotationLabel(C4)
    objective = PretextPrediction(task, EquivariantHead(task, net.encoder.out_type))
    x, found = torch.rand(8, 1, 16, 16), []
    for y in (torch.zeros(8, 0), torch.ones(8, dtype=torch.long)):
        torch.manual_seed(1)
        net.zero_grad()
        objective(net, (x, y)).total.backward()
        found.append([p.grad.clone() for p in net.encoder.parameters()])
        assert net.head.weight.grad is None
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
