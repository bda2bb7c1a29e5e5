"""Merging: transformed copies, followed channels, matched permutations, repaired moments, barriers."""

import itertools
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call

import learnsym as ls
from learnsym.measure.merging import merge_barrier, merge_barrier_between
from learnsym.measure.merging.channels import follow
from learnsym.measure.merging.line import Moments, connect, corrections_for
from learnsym.measure.merging.matching import by_activations, matchings, permuted_state
from learnsym.measure.merging.merge import moved_state
from learnsym.measure.merging.network import run, trace

FLIP = ls.groups.Dihedral(1).components[1]
TURN = ls.groups.Cyclic(4).components[1]
SQUARE = list(ls.groups.Dihedral(4).components)


class Residual(nn.Module):
    """Two blocks on one stream, one of them gated, a projection to a second stream, a global average."""

    def __init__(self):
        super().__init__()
        self.register_buffer("centre", torch.rand(2, 1, 1))
        self.stem = nn.Conv2d(2, 5, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.inner = nn.Conv2d(5, 7, 3, padding=1)
        self.back = nn.Conv2d(7, 5, 1)
        self.squeeze = nn.Linear(5, 3)
        self.excite = nn.Linear(3, 5)
        self.shortcut = nn.Conv2d(5, 6, 1)
        self.wide = nn.Conv2d(5, 6, 3, padding=1)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem((x - self.centre) / 0.5)))
        x = x + self.back(torch.relu_(self.inner(x)))
        gate = torch.sigmoid(self.excite(torch.tanh(self.squeeze(x.mean((2, 3))))))
        x = x * gate[:, :, None, None]
        x = nn.functional.avg_pool2d(torch.relu(x), 2)
        x = torch.relu(self.shortcut(x) + self.wide(x))
        return self.head(x.mean([-2, -1]))


class Dense(nn.Module):
    """Concatenated features, a depthwise convolution, and a linear layer on what was flattened."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.second = nn.Conv2d(5, 4, 3, padding=1)
        self.depthwise = nn.Conv2d(9, 9, 3, padding=1, groups=9)
        self.norm = nn.BatchNorm1d(9 * 16)
        self.hidden = nn.Linear(9 * 16, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.cat([x, nn.functional.gelu(self.first(x))], 1)
        x = torch.cat([x, nn.functional.silu(self.second(x))], 1)
        x = nn.functional.max_pool2d(self.depthwise(x), 2)
        return self.head(self.hidden(self.norm(x.flatten(1)).relu()).relu()).log_softmax(-1)


def plain():
    layers = [nn.Conv2d(2, 6, 3, padding="same"), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), nn.Dropout()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4))


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(128, 6), nn.Tanh(), nn.Linear(6, 4))


def cnn():
    return ls.nets.CNN(2, 4, width=3, size=8, norm="batch")


NETS = {"residual": Residual, "dense": Dense, "plain": plain, "perceptron": perceptron, "cnn": cnn}


def network(make, seed=0):
    """A network in float64 whose normalisations have statistics of their own and leave no channel dead."""
    torch.manual_seed(seed)
    model = make().double()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                for value in (module.weight, module.bias, module.running_var):
                    value.uniform_(0.5, 1.5)
                module.running_mean.uniform_(-0.5, 0.5)
    return model.eval()


def images(count=40):
    return torch.rand(count, 2, 8, 8, dtype=torch.float64)


def line_between(a, b, x):
    """The repaired line between two networks."""
    first, second = trace(a, x), trace(b, x)
    return connect(first, follow(first), second.state, x, by_activations, True, 7)


def half_way(line):
    first, second = line.ends
    return {name: a.lerp(second[name], 0.5) if a.is_floating_point() else a for name, a in first.items()}


def shuffled(channels):
    return {space: torch.randperm(size) for space, size in channels.sizes.items()}


def close(actual, expected, atol=1e-12):
    torch.testing.assert_close(actual, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_the_graph_computes_the_model(make):
    model, x = network(make), images(5)
    traced = trace(model, x)
    with torch.no_grad():
        parts = run(traced, [traced.state] * 2, x.split(3))
        close(torch.cat(parts), model(x))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_reordered_channels_leave_the_function(make):
    model, x = network(make), images(5)
    traced = trace(model, x)
    channels = follow(traced)
    state = permuted_state(traced.state, channels, shuffled(channels))
    assert any(not torch.equal(state[name], value) for name, value in traced.state.items())
    close(functional_call(model, state, x), model(x))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_the_transformed_copy_sees_transformed_images(make):
    model, x = network(make), images(5)
    traced = trace(model, x)
    for element in SQUARE:
        moved = ls.actions.Image()(element.double().expand(len(x), -1, -1), x)
        state = moved_state(traced.state, follow(traced), element)
        close(functional_call(model, state, moved), model(x))


def test_a_residual_stream_is_one_space():
    sizes = follow(trace(network(Residual), images(2))).sizes
    assert sorted(sizes.values()) == [3, 5, 6, 7]
    assert sorted(follow(trace(network(Dense), images(2))).sizes.values()) == [3, 4, 6]


@pytest.mark.parametrize("matching", matchings)
@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_a_network_with_reordered_channels_is_recovered(make, matching):
    model, x = network(make), images()
    traced = trace(model, x)
    channels = follow(traced)
    orders = shuffled(channels)
    other = network(make)
    other.load_state_dict(permuted_state(traced.state, channels, orders))
    found = merge_barrier_between(model, other, x, matching=matching, points=3)
    assert {space: order.tolist() for space, order in found.permutations.items()} == {
        space: order.argsort().tolist() for space, order in orders.items()
    }
    assert found.barrier.mean == 0
    close(found.loss_barrier.per_sample, torch.zeros(len(x), dtype=torch.float64))


@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_the_identity_has_no_barrier(make, repair):
    found = merge_barrier(network(make), images(), torch.eye(2), repair=repair, points=5)
    assert found.barrier.mean == found.barrier.stderr == found.loss_barrier.mean == 0
    assert len({str(accuracy) for accuracy in found.accuracy}) == 1
    assert all(torch.equal(order, torch.arange(len(order))) for order in found.permutations.values())


def orbit_tied(move, order):
    """Filters in orbits: channel `(c, s)` is channel `(c, 0)` moved by `g^s`, in what it reads and in its kernels."""

    def times(s, kernels):
        return kernels if s == 0 else times(s - 1, move(kernels))

    first, second = torch.randn(2, 2, 3, 3), torch.randn(1, 2, order, 3, 3)
    model = nn.Sequential(
        *(nn.Conv2d(2, 2 * order, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2 * order, order, 3), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(order, 4)),
    ).double()
    weights = {
        "0.weight": torch.stack([times(s, first) for s in range(order)], 1).flatten(0, 1),
        "0.bias": torch.randn(2).repeat_interleave(order),
        "3.weight": torch.stack([times(s, second).roll(s, 2).flatten(1, 2) for s in range(order)], 1).flatten(0, 1),
        "3.bias": torch.randn(1).repeat_interleave(order),
        "7.weight": torch.randn(4, 1).repeat_interleave(order, 1),
        "7.bias": torch.randn(4),
    }
    model.load_state_dict(weights)
    return model


ORBITS = {"flip": (FLIP, lambda k: k.flip(-1), 2), "quarter turn": (TURN, lambda k: k.rot90(1, (-2, -1)), 4)}


@pytest.mark.parametrize("matching", matchings)
@pytest.mark.parametrize(("element", "move", "order"), ORBITS.values(), ids=ORBITS)
def test_filters_in_orbits_have_no_barrier_and_are_found(element, move, order, matching):
    model, x = orbit_tied(move, order), images()
    close(model(move(x)), model(x))
    found = merge_barrier(model, x, element, matching=matching)
    for permutation in found.permutations.values():
        # channel (c, s) is what the moved channel (c, s - 1) became
        assert torch.equal(permutation, torch.arange(len(permutation)).reshape(-1, order).roll(1, 1).flatten())
    assert found.barrier.mean == 0
    for loss in found.loss:
        close(loss.per_sample, found.loss[0].per_sample)


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_the_midpoint_of_an_untied_network_is_another_function(make):
    assert merge_barrier(network(make), images(), FLIP, points=3).loss_barrier.per_sample.abs().max() > 1e-3


def test_matching_by_activations_is_the_best_of_all_permutations():
    a, b, x = network(perceptron), network(perceptron, seed=1), images()
    traced, other = trace(a, x), trace(b, x)
    found = by_activations(traced, follow(traced), traced.state, other.state, x, 7)["1"]
    features = torch.cat([a[:3](x), b[:3](x)], 1)
    scores = features.detach().T.corrcoef()[:6, 6:]
    best = max(itertools.permutations(range(6)), key=lambda order: float(scores[range(6), list(order)].sum()))
    assert found.tolist() == list(best)


def test_matching_by_weights_is_the_nearest_of_all_permutations():
    a, b, x = network(perceptron), network(perceptron, seed=1), images(2)
    found = merge_barrier_between(a, b, x, matching="weights", points=3).permutations["1"]
    rows = [torch.cat([m[1].weight, m[1].bias[:, None], m[3].weight.T], 1) for m in (a, b)]
    best = min(itertools.permutations(range(6)), key=lambda order: (rows[0] - rows[1][list(order)]).norm().item())
    assert found.tolist() == list(best)


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_repair_restores_means_and_spreads(make):
    line = line_between(network(make), network(make, seed=1), images())
    wanted = {node: first.lerp(line.moments[1][node], 0.5) for node, first in line.moments[0].items()}
    corrections = corrections_for(line.network, half_way(line), wanted, line.images, 7)
    seen = {}

    def corrected(node, values):
        values = corrections[node](values)
        seen[node] = Moments.of(values)
        return values

    with torch.no_grad():
        run(line.network, [half_way(line)], [line.images], {node: partial(corrected, node) for node in wanted})
    assert wanted and seen.keys() == wanted.keys()
    for node, moments in wanted.items():
        close(seen[node].mean, moments.mean)
        close(seen[node].std, moments.std)


def normalised(x, seed):
    """A network whose batch normalisation holds the statistics of its own inputs."""
    layers = nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6, eps=0), nn.ReLU(), nn.Flatten(), nn.Linear(216, 4)
    return settled(network(lambda: nn.Sequential(*layers), seed), x)


@torch.no_grad()
def settled(model, x):
    values = model[0](x)
    model[1].running_mean.copy_(values.mean((0, 2, 3)))
    model[1].running_var.copy_(values.var((0, 2, 3), correction=0))
    return model


def test_repair_is_the_reset_of_batch_normalisation():
    """For end points in their own statistics and positive scales."""
    x = images()
    line = line_between(normalised(x, 0), normalised(x, 1), x)
    merged = normalised(x, 0)
    merged.load_state_dict(half_way(line))
    with torch.no_grad():
        before = merged(x)
        close(line.outputs(0.5, x), settled(merged, x)(x))
    assert (before - merged(x)).abs().max() > 0.01


def test_end_points_are_the_two_networks():
    a, b, x = network(plain), network(plain, seed=1), images()
    line = line_between(a, b, x)
    with torch.no_grad():
        close(line.outputs(0.0, x), a(x))
        close(line.outputs(1.0, x), b(x))


def test_the_barrier_is_the_relative_drop_with_the_error_of_a_ratio():
    x = images(300)
    y = torch.arange(300) % 4
    found = merge_barrier(network(plain), x, TURN, y, points=3)
    ends, middle = (found.accuracy[0].per_sample + found.accuracy[2].per_sample) / 2, found.accuracy[1].per_sample
    assert found.barrier.mean == pytest.approx(1 - float(middle.mean() / ends.mean()), abs=1e-12)
    draws = torch.randint(300, (4000, 300))
    spread = (1 - middle[draws].mean(1) / ends[draws].mean(1)).std()
    assert found.barrier.stderr == pytest.approx(float(spread), rel=0.15)
    losses = [loss.mean for loss in found.loss]
    assert found.loss_barrier.mean == pytest.approx(losses[1] - (losses[0] + losses[2]) / 2)
    assert found.accuracy[0].mean == float((network(plain)(x).argmax(1) == y).double().mean())


def test_without_targets_it_is_agreement_with_the_original():
    model, x = network(plain), images()
    found = merge_barrier(model, x, FLIP, points=3)
    assert found.accuracy[0].mean == 1
    assert found.accuracy[2].mean == float((model(x).argmax(1) == model(x.flip(-1)).argmax(1)).double().mean())


@pytest.mark.parametrize("batch_size", [1, 7])
def test_batch_size_does_not_change_the_result(batch_size):
    model, x, extra = network(Residual), images(9), images(12)
    whole, parts = (merge_barrier(model, x, TURN, calibration=extra, points=3, batch_size=b) for b in (64, batch_size))
    for a, b in zip(whole.loss, parts.loss, strict=True):
        close(a.per_sample, b.per_sample)


def test_outputs_are_chosen_and_label_maps_measured():
    class Maps(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 3, 3, padding=1))

        def forward(self, x):
            return {"logits": self.net(x), "loss": 0.0}

    x = images(6)
    found = merge_barrier(network(Maps), x, torch.eye(2), output=lambda out: out["logits"], points=3)
    assert found.accuracy[1].mean == 1 and found.accuracy[1].per_sample.shape == (6,)


@pytest.mark.parametrize("element", [TURN, torch.tensor([[0.6, -0.8], [0.8, 0.6]])])
def test_the_model_is_left_as_it_was_found(element):
    model, x = network(plain).train(), images(6)
    model[8].eval()
    model[0].register_forward_hook(lambda *_: None)
    before, kept = {name: value.clone() for name, value in model.state_dict().items()}, x.clone()
    with (
        nullcontext() if element is TURN else pytest.raises(ValueError, match=r"does not map the 3x3 grid of 0\.weight")
    ):
        merge_barrier(model, x, element, points=3)
    assert [module.training for module in model] == [index != 8 for index in range(len(model))]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert len(model[0]._forward_hooks) == 1 and torch.equal(x, kept)


def conv(*layers, channels=4):
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3)
    ).double()


class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, 1, size, size))

    def forward(self, x):
        return x * self.scale


class Halved(nn.Module):
    def forward(self, x):
        return x.view(x.size(0), 8, 3, 6)


class ByValue(nn.Module):
    def forward(self, x):
        return x if x.mean() > 0 else -x


def weight_normalised(model):
    nn.utils.parametrizations.weight_norm(model[0])
    return model


UNSUPPORTED = {
    "the operation group_norm in 1 is none": lambda: conv(nn.GroupNorm(2, 4)),
    "the operation conv2d in 1 has groups of several channels": lambda: conv(nn.Conv2d(4, 4, 3, groups=2)),
    "the operation layer_norm in 1 is none": lambda: conv(nn.LayerNorm(6)),
    "the operation linear in 1 acts on the last axis": lambda: conv(nn.Linear(6, 6)),
    "the operation mul in 1 has a weight that differs between positions": lambda: conv(Scaled(6)),
    "the operation view in 1 changes .* which mixes channels": lambda: conv(Halved(), channels=8),
    "the operation conv2d in 0 has a weight that is computed": lambda: weight_normalised(conv()),
    "torch.export cannot trace it": lambda: conv(ByValue()),
}


@pytest.mark.parametrize(("message", "make"), UNSUPPORTED.items(), ids=range(len(UNSUPPORTED)))
def test_what_cannot_be_followed_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        merge_barrier(make(), images(4), FLIP)


def test_refusals_name_what_is_wrong():
    model, x = network(plain), images(4)
    with pytest.raises(ValueError, match=r"must be an nn\.Module"):
        merge_barrier(lambda x: x.mean((-2, -1)), x, FLIP)
    with pytest.raises(ValueError, match="matching: got 'names', must be one of activations, weights"):
        merge_barrier(model, x, FLIP, matching="names")
    with pytest.raises(ValueError, match="points: got 4, must be odd"):
        merge_barrier(model, x, FLIP, points=4)
    with pytest.raises(ValueError, match=r"y: got shape \(3,\)"):
        merge_barrier(model, x, FLIP, torch.zeros(3, dtype=torch.long))
    with pytest.raises(ValueError, match="y: has classes from 0 to 4"):
        merge_barrier(model, x, FLIP, torch.tensor([0, 1, 2, 4]))
    with pytest.raises(ValueError, match="logits of K >= 2 classes"):
        merge_barrier(nn.Sequential(nn.Flatten(), nn.Linear(128, 1)).double(), x, FLIP)
    with pytest.raises(ValueError, match="calibration: got shape"):
        merge_barrier(model, x, FLIP, calibration=x[:, :1])
    with pytest.raises(ValueError, match=r"model_b: its 0\.weight has shape"):
        merge_barrier_between(model, network(conv), x)
    with pytest.raises(ValueError, match="model_b: runs other operations"):
        merge_barrier_between(model, nn.Sequential(*model[:6], nn.ReLU(), *model[7:]), x)
    narrow = nn.Sequential(nn.Conv2d(2, 4, (1, 3)), nn.Flatten(), nn.Linear(192, 3)).double()
    with pytest.raises(ValueError, match=r"does not map the 1x3 grid of 0\.weight"):
        merge_barrier(narrow, x, TURN)
