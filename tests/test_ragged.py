"""Clouds of different sizes: both forms, and what does not fit."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.data import Ragged
from learnsym.parts import chosen, examples, repeated

CLOUDS = [torch.rand(size, 4) for size in (3, 1, 5)]
NUMBERS = [torch.arange(1, size + 1) for size in (3, 1, 5)]


def test_padded_flat_and_one_by_one_are_the_same():
    ragged = Ragged.of(CLOUDS, NUMBERS)
    assert ragged.x.shape == (3, 5, 4) and ragged.sizes.tolist() == [3, 1, 5]
    again = Ragged.of_flat(ragged.flat(), ragged.index, ragged.flat(ragged.numbers))
    for part in ("x", "mask", "numbers"):
        assert torch.equal(getattr(again, part), getattr(ragged, part))
    assert all(torch.equal(a, b) for a, b in zip(ragged.clouds(), CLOUDS, strict=True))
    torch.testing.assert_close(ragged.mean(ragged.x), torch.stack([cloud.mean(0) for cloud in CLOUDS]))


def test_it_is_structured_data():
    ragged = Ragged.of(CLOUDS, NUMBERS)
    assert examples(ragged) == 3 and repeated(ragged, 2).numbers.shape == (6, 5)
    assert chosen(ragged, slice(1, 3)).sizes.tolist() == [1, 5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ragged(torch.rand(2, 3, 4), torch.ones(2, 3)), "mask: got torch.float32, must be bool"),
        (lambda: Ragged(torch.rand(2, 3, 4), torch.ones(2, 4).bool()), r"mask: got shape \(2, 4\), must begin with"),
        (lambda: Ragged(torch.rand(2, 3, 4), torch.ones(3, 3).bool()), r"mask: got shape \(3, 3\), must begin with"),
        (lambda: Ragged(torch.rand(2, 3, 4), torch.tensor([[1, 1, 0], [0, 0, 0]]).bool()), "cloud 1 has no points"),
        (lambda: Ragged(torch.rand(1, 2, 3), torch.ones(1, 2).bool(), torch.ones(1, 3).long()), "numbers: got shape"),
        (lambda: Ragged.of([]), "clouds: got none"),
        (lambda: Ragged.of(CLOUDS, NUMBERS[:2]), r"numbers: got \[3, 1\] for clouds of \[3, 1, 5\] points"),
        (lambda: Ragged.of_flat(torch.rand(3, 3), torch.tensor([0, 2, 2])), "index: must be 0 for the points of the"),
        (lambda: Ragged.of_flat(torch.rand(3, 3), torch.tensor([0, 1, 0])), "index: must be 0 for the points of the"),
        (lambda: Ragged.of_flat(torch.rand(3, 3), torch.tensor([0, 1])), r"index: got shape \(2,\) for 3 points"),
        (lambda: Ragged.of(CLOUDS).flat(torch.rand(2, 5)), "y: got shape"),
    ],
)
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_losses_are_over_the_points_that_there_are():
    targets = Ragged.of(CLOUDS)
    outputs = targets.x + torch.where(targets.mask, 1.0, 100.0).unsqueeze(-1)
    identity = nn.Identity()
    loss = ls.objectives.Supervised(ls.objectives.losses["mse"])(identity, (outputs, targets)).total
    torch.testing.assert_close(loss, torch.tensor(1.0))


def test_measures_and_moved_examples_take_them():
    cloud = ls.actions.PointCloud(scalars=1)
    symmetry = ls.Symmetry(ls.groups.O3(), cloud, ls.actions.PointVectors())
    net = ls.nets.points.EGNN(cloud, ls.actions.PointVectors(), hidden=8, layers=1)
    x = Ragged.of(CLOUDS)
    assert ls.measure.equivariance_error(net, x, symmetry).mean < 1e-5
    assert ls.measure.local_equivariance_error(net, x, symmetry).rows[0].relative.mean < 1e-4
    targets = x.carrying(net(x).detach())
    objective = ls.objectives.MovedExamples(ls.objectives.losses["mse"], symmetry.at(input="x"))
    loss = objective(net.train(), (x, targets)).total
    assert float(loss) < 1e-10 and loss.requires_grad
    plain = ls.nets.points.GNN(cloud, ls.actions.PointVectors(), hidden=8, layers=1)
    assert ls.measure.equivariance_error(plain, x, symmetry).mean > 0.01


def _egnn(inputs, outputs=None):
    return ls.nets.points.EGNN(inputs, outputs or ls.actions.PointVectors(0, 1), hidden=8, layers=1)


def _with_identifiers(net):
    torch.nn.init.normal_(net.identifiers)
    return net


WRAPPED = {
    "absolute coordinates": lambda types: ls.relax.points.AbsoluteCoordinates(_egnn, types, start=0.5),
    "fixed inputs": lambda types: ls.relax.points.FixedInputs(_egnn, types, start=0.5),
    "fixed inputs, exact": lambda types: ls.relax.points.FixedInputs(_egnn, types).exact(),
    "node identifiers": lambda types: _with_identifiers(ls.relax.points.NodeIdentifiers(_egnn, types, 5)),
    "one-hot identifiers": lambda types: ls.relax.points.OneHotIdentifiers(_egnn, types, 5),
    "energy": lambda types: ls.nets.points.Energy(_egnn(types)),
    "elements": lambda types: ls.nets.points.Elements(_egnn, types),
    "energy of elements": lambda types: ls.nets.points.Energy(ls.nets.points.Elements(_egnn, types)),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_networks_give_each_cloud_what_they_give_it_alone(name):
    net = WRAPPED[name](ls.actions.PointCloud(scalars=1)).double()
    numbers = NUMBERS if "elements" in name else None
    ragged = Ragged.of([cloud.double() for cloud in CLOUDS], numbers)
    outputs = net(ragged)
    for k, cloud in enumerate(ragged.clouds()):
        alone = net(Ragged.of([cloud], numbers and numbers[k : k + 1]))
        of_batch = outputs[k : k + 1, : alone.shape[1]] if alone.ndim > 1 else outputs[k : k + 1]
        torch.testing.assert_close(of_batch, alone, rtol=1e-12, atol=1e-12)
    if hasattr(net, "forces"):
        assert not net.forces(ragged)[~ragged.mask].any()
        alone = net.forces(Ragged.of(ragged.clouds()[:1], numbers and numbers[:1]))
        torch.testing.assert_close(net.forces(ragged)[0, :3], alone[0], rtol=1e-10, atol=1e-10)


def test_what_is_seen_in_training_leaves_padding_out():
    net = ls.relax.points.FixedInputs(_egnn, ls.actions.PointCloud(scalars=1)).double().train()
    clouds = [cloud.double() for cloud in (CLOUDS[0], CLOUDS[2])]
    net(Ragged.of(clouds))
    lengths = torch.cat([(cloud[:, :3] - cloud[:, :3].mean(0)).square().sum(1) for cloud in clouds])
    torch.testing.assert_close(net.seen.value.double(), lengths.mean())


def test_elements_need_numbers_of_elements():
    net = ls.nets.points.Elements(_egnn, ls.actions.PointCloud(scalars=1))
    with pytest.raises(ValueError, match="numbers: got none, must be the atomic number of each atom"):
        net(Ragged.of(CLOUDS))
    with pytest.raises(ValueError, match="numbers: got 200, must be those of elements"):
        net(Ragged.of(CLOUDS[:1], [torch.tensor([1, 200, 6])]))


def test_batches_of_pytorch_geometric():
    data = pytest.importorskip("torch_geometric.data")
    graphs = [data.Data(x=numbers, pos=cloud) for cloud, numbers in zip(CLOUDS, NUMBERS, strict=True)]
    batch = data.Batch.from_data_list(graphs)
    ragged = Ragged.of_flat(batch.pos, batch.batch, batch.x)
    assert torch.equal(ragged.flat(), batch.pos) and torch.equal(ragged.index, batch.batch)
    assert torch.equal(ragged.flat(ragged.numbers), batch.x)


@pytest.mark.parametrize("mode", ["anchored", "functional", "twirl"])
def test_penalties_take_them(mode):
    """They are 0 for an exact network that is right."""
    cloud, vectors = ls.actions.PointCloud(scalars=1), ls.actions.PointVectors()
    symmetry = ls.Symmetry(ls.groups.O3(), cloud, vectors).at(input="x")
    net = ls.nets.points.EGNN(cloud, vectors, hidden=8, layers=1).double()
    x = Ragged.of([each.double() for each in CLOUDS])
    remul = ls.objectives.Remul(ls.objectives.losses["mse"], ls.objectives.bank({"o3": symmetry}, mode))
    batch = x, x.carrying(net(x).detach())
    assert float(remul(net.train(), batch).total.detach()) < 1e-20
    plain = ls.nets.points.GNN(cloud, vectors, hidden=8, layers=1).double().train()
    assert float(remul(plain, batch).parts["penalty/o3"]) > 1e-6


def test_training():
    cloud, vectors = ls.actions.PointCloud(scalars=1), ls.actions.PointVectors()
    net = ls.nets.points.EGNN(cloud, vectors, hidden=8, layers=1)
    x = Ragged.of(CLOUDS)
    loader = [(x, x.carrying(x.x[..., :3]))]
    before = [weight.detach().clone() for weight in net.parameters()]
    ls.training.fit(net, ls.objectives.Supervised(ls.objectives.losses["mse"]), loader, steps=3)
    assert any(not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_augmented_networks_take_them():
    cloud = ls.actions.PointCloud(scalars=1)
    symmetry = ls.Symmetry(ls.groups.SO3(), cloud).at(input="x")
    energy = ls.nets.points.Energy(_egnn(cloud)).double()
    model = ls.augment.Augmented(energy, symmetry).double().eval()
    x = Ragged.of([each.double() for each in CLOUDS])
    torch.testing.assert_close(model(x), energy(x), rtol=1e-10, atol=1e-10)


def test_positions_of_padding_move_with_the_others():
    cloud = ls.actions.PointCloud(scalars=1)
    net = ls.nets.points.EGNN(cloud, ls.actions.PointCloud(), hidden=8, layers=1).double()
    x = Ragged.of([each.double() for each in CLOUDS])
    motions = ls.distributions.LieBox(ls.groups.E3(), torch.ones(6, dtype=torch.float64))
    symmetry = ls.Symmetry(ls.groups.E3(), cloud, ls.actions.PointCloud())
    assert ls.measure.equivariance_error(net, x, symmetry, distribution=motions).mean < 1e-10
