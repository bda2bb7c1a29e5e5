"""FLOPs of networks: laws, and agreement with the counter of torch."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import learnsym as ls
from learnsym.actions import PointCloud
from learnsym.nets import matched_width, parameter_count
from learnsym.nets.cost import flops
from learnsym.nets.points import EGNN, GNN, ClofNet, Energy, GATr, PointTransformer

CLOUD = PointCloud(1, 1)
CLOUDS = {
    "gatr": GATr(CLOUD, PointCloud(), blocks=1, channels=4, scalars=8, heads=2),
    "transformer": PointTransformer(CLOUD, PointCloud(), width=16, blocks=1, heads=2),
    "egnn": EGNN(CLOUD, PointCloud(), hidden=8, layers=2),
    "clofnet": ClofNet(CLOUD, PointCloud(), hidden=8, layers=2),
    "gnn": GNN(CLOUD, PointCloud(), hidden=8, layers=2),
}
IMAGES = {
    "cnn": ls.nets.CNN(1, 10, width=4, size=16, depth=2),
    "steerable": ls.nets.SteerableCNN(ls.groups.Cyclic(4), 1, 10, 2, None, 17),
    "p4": ls.nets.P4CNN(1, 10, width=2),
    "mlp": ls.nets.MLP(256, 10, width=8),
}
SIZES = {"cnn": 16, "steerable": 17, "p4": 28, "mlp": 16}
ROTATIONS = ls.symmetry_by_name("rotation2d")


def example(name, batch=2):
    return torch.rand(batch, 4, CLOUD.features) if name in CLOUDS else torch.rand(batch, 1, SIZES[name], SIZES[name])


NETS = CLOUDS | IMAGES


@pytest.mark.parametrize("name", NETS)
def test_a_batch_changes_nothing_but_shared_work(name):
    one, many = (flops(NETS[name], example(name, batch), batch_size=8) for batch in (2, 6))
    assert one.training == pytest.approx(many.training)
    assert one.inference == pytest.approx(many.inference)
    assert one.nominal == pytest.approx(many.nominal)


@pytest.mark.parametrize("name", ["cnn", "mlp", "egnn", "gnn", "clofnet"])
def test_the_total_is_that_of_torch(name):
    x = example(name)
    with FlopCounterMode(display=False) as counter:
        NETS[name](x).square().sum().backward()
    NETS[name].zero_grad(set_to_none=True)
    cost = flops(NETS[name], x)
    assert cost.training == counter.get_total_flops() / 2


def test_layers_of_a_sum_of_networks_add_up():
    first, second = copy.deepcopy(IMAGES["cnn"]), nn.Sequential(nn.Linear(10, 7), nn.GELU(), nn.Linear(7, 3))
    x = example("cnn")
    both, parts = flops(nn.Sequential(first, second), x), [flops(first, x), flops(second, torch.rand(2, 10))]
    assert both.nominal == sum(part.nominal for part in parts)
    assert both.inference == sum(part.inference for part in parts)
    # the second now has a gradient of its input
    assert both.training == sum(part.training for part in parts) + 2 * 70


@pytest.mark.parametrize("name", ["gatr", "steerable"])
def test_work_shared_by_a_batch_is_shared(name):
    few, many = (flops(NETS[name], example(name), batch_size=size) for size in (1, 64))
    shared = sum(row.per_batch for row in few.rows)
    assert shared > 0
    assert few.training - many.training == pytest.approx(shared * (1 - 1 / 64))
    assert few.nominal == many.nominal


def test_transformed_copies_count():
    net, x = IMAGES["cnn"], example("cnn")
    model = ls.augment.Augmented(net, ROTATIONS, copies=3, test_copies=5)
    plain, cost = flops(net, x), flops(model, x)
    assert cost.nominal == 3 * plain.nominal
    sampled = 8 * 16 * 16
    assert cost.inference == pytest.approx(5 * (plain.inference + sampled), rel=0.02)
    assert cost.training >= 3 * (plain.training + sampled)


def test_turned_clouds_count_no_weights_of_the_distribution():
    symmetry = ls.Symmetry(ls.groups.SO3(), CLOUD)
    model = ls.augment.Augmented(CLOUDS["gnn"], symmetry, copies=2)
    assert flops(model, example("gnn")).nominal == 2 * flops(CLOUDS["gnn"], example("gnn")).nominal


def test_a_layer_used_twice_counts_twice():
    shared = nn.Linear(4, 4)
    cost = flops(nn.Sequential(shared, nn.ReLU(), shared), torch.rand(2, 4))
    assert cost.nominal == 2 * 6 * 16 and len(cost.rows) == 1


def test_forces_use_weights_in_both_directions():
    net = EGNN(CLOUD, PointCloud(0, 1), hidden=8, layers=1)
    energy, x = Energy(net), example("egnn")

    def loss(model, x):
        x = x.requires_grad_()
        return torch.autograd.grad(model(x).sum(), x, create_graph=True)[0].square().sum()

    once, twice = flops(energy, x), flops(energy, x, loss=loss)
    assert 1.5 * once.nominal < twice.nominal <= 2 * once.nominal
    assert twice.training > 2 * once.training


def test_functional_ensembles_count_every_member():
    nets = [nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2)) for _ in range(3)]
    x = torch.rand(2, 4)

    class Ensemble(nn.Module):
        def __init__(self):
            super().__init__()
            weights, _ = torch.func.stack_module_state(nets)
            self.weights = nn.ParameterDict({name.replace(".", "-"): nn.Parameter(w) for name, w in weights.items()})

        def forward(self, x):
            weights = {name.replace("-", "."): w for name, w in self.weights.items()}
            return torch.vmap(lambda w: torch.func.functional_call(nets[0], w, (x,)))(weights)

    assert flops(Ensemble(), x).nominal == 3 * flops(nets[0], x).nominal
    assert flops(Ensemble(), x).training == 3 * flops(nets[0], x).training


def test_the_network_is_left_as_found():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(2 * 36, 2))
    net[1].eval()
    net[4].weight.grad = torch.ones_like(net[4].weight)
    x, before = torch.rand(3, 1, 8, 8), copy.deepcopy(net.state_dict())
    state = torch.random.get_rng_state()
    flops(net, x)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training and not net[1].training and net[0].weight.grad is None
    assert torch.equal(net[4].weight.grad, torch.ones_like(net[4].weight))
    assert torch.equal(state, torch.random.get_rng_state())
    assert not net[0]._forward_hooks and not net[0]._forward_pre_hooks


def test_the_published_geometric_transformer_shares_weights_five_times():
    net = GATr(CLOUD, PointCloud(), blocks=2)
    per_parameter = flops(net, example("gatr")).nominal / 4 / parameter_count(net)
    assert 20 < per_parameter < 40


def test_widths_are_matched_by_flops_too():
    x = torch.rand(2, 16)
    width = matched_width(lambda w: nn.Linear(16, w), 6 * 16 * 10, size=lambda net: flops(net, x).nominal)
    assert width == 10


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="inputs: got 1"):
        flops(nn.Linear(2, 2), torch.rand(0, 2))
    with pytest.raises(ValueError, match="inputs: got 0"):
        flops(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="batch_size: got 0"):
        flops(nn.Linear(2, 2), torch.rand(1, 2), batch_size=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_counts_the_same():
    net, x = copy.deepcopy(CLOUDS["transformer"]), example("transformer")
    here, there = flops(net, x), flops(net.cuda(), x)
    assert there.nominal == here.nominal and there.inference == here.inference
