"""One place that calls models: what it protects, what it names, what it takes."""

import functools
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from learnsym import measure, symmetry
from learnsym.measure._probe import check_examples
from learnsym.measure._reader import batch_limits, outputs_of, reading

TURNS, ROTATION = symmetry.quarter_turns2d(), symmetry.rotation2d()


class Made(nn.Module):
    """A network whose forward is a function of the network and the images."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(3))
        self.kept = {}
        self.made = forward

    def forward(self, x):
        return self.made(self, x)


def plain(self, x):
    return self.net(2 * x)


def in_place(self, x):
    return self.net(x.mul_(2))


def counting(self, x):
    self.count += 1
    self.mean = self.mean + 1
    return self.net(2 * x)


def same_buffer(self, x):
    y = self.net(2 * x)
    return self.kept.setdefault(y.shape, torch.empty_like(y)).copy_(y)


def images(count=6):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def targets():
    return torch.arange(6) % 3


MEASURES = {
    "equivariance_error": lambda f, x: measure.equivariance_error(f, x, TURNS, batch_size=2),
    "error_curve": lambda f, x: measure.error_curve(f, x, TURNS, batch_size=2).average,
    "effective_invariance": lambda f, x: measure.effective_invariance(f, x, TURNS, batch_size=2).divergence,
    "transform": lambda f, x: measure.effective_invariance(f, x, lambda x: x.mul_(0.5), batch_size=2).divergence,
    "exactness_test": lambda f, x: measure.exactness_test(f, x, TURNS, batch_size=2).excess,
    "twirl": lambda f, x: measure.twirl(f, x, targets(), TURNS, "cross_entropy", batch_size=2).percent,
    "g_eed": lambda f, x: measure.g_eed(f, x, TURNS, batch_size=2).euclidean,
    "remul_errors": lambda f, x: measure.remul_errors(f, x, TURNS, batch_size=2).deviation,
    "local": lambda f, x: measure.local_equivariance_error(f, x, ROTATION, batch_size=2).rows[0].relative,
    "attribute": lambda f, x: measure.attribute(f, x, ROTATION, batch_size=2).rows[-2].share,
    "merge_barrier": lambda f, x: measure.merge_barrier(f, x, -torch.eye(2), points=3, batch_size=2).loss_barrier,
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("forward", [in_place, counting, same_buffer])
def test_models_that_overwrite_are_measured_as_those_that_do_not(name, forward):
    if name == "merge_barrier" and forward is not in_place:
        pytest.skip("its graph is traced, which refuses such models in a sentence")
    x, model = images(), Made(forward).train()
    right, found = MEASURES[name](Made(plain), images()), MEASURES[name](model, x)
    torch.testing.assert_close(found.per_sample, right.per_sample, rtol=1e-4, atol=1e-6)
    assert torch.equal(x, images())
    assert int(model.count) == 0 and not model.mean.any() and model.training


def test_buffers_stay_after_layers_and_sizes_too():
    model, x = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), Made(counting)), images()
    model[1].net = nn.Identity()
    measure.layer_scores(model, x, TURNS)
    measure.exact_sizes(model, [8])
    assert int(model[1].count) == 0 and not model[1].mean.any()


RANDOM = {
    "dropout": lambda self, x: F.dropout(self.net(x), 0.5),
    "noise of a batch": lambda self, x: self.net(x) * torch.rand(()),
}
MATES = {
    "batch statistics": lambda self, x: self.net(x) - self.net(x).mean(0),
    "attention": lambda self, x: (self.net(x) @ self.net(x).mT).softmax(1) @ self.net(x),
    "place in the batch": lambda self, x: self.net(x) * torch.arange(1.0, 1 + len(x))[:, None],
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_outputs_are_named(name):
    with pytest.warns(UserWarning, match="gives other outputs when the same examples are read again"):
        measure.equivariance_error(Made(RANDOM[name]), images(), TURNS)


@pytest.mark.parametrize("name", MATES)
def test_outputs_that_depend_on_the_batch_are_named_and_read_alone(name):
    model, x = Made(MATES[name]), images()
    with pytest.warns(UserWarning, match="depends on the other examples of the batch"):
        found = outputs_of(model, x)
    torch.testing.assert_close(found, torch.cat([model(one) for one in x.split(1)]))


def test_batch_normalisation_that_takes_no_single_example_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64, track_running_stats=False))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="give batch normalisation its running statistics"):
        measure.equivariance_error(model, images(), TURNS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rounding_is_no_dependence(dtype):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.GELU(), nn.Conv2d(16, 8, 3)]
    model, calls = nn.Sequential(*layers, nn.Flatten()).to(dtype), []
    model.register_forward_hook(lambda module, args, out: calls.append(len(out)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs_of(model, images(64).to(dtype))
    assert sum(calls) <= 64 + 8


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x.flatten(1)


def exported(**sizes):
    shapes = ({0: torch.export.Dim("batch", **sizes)},) if sizes else None
    return torch.export.export(Doubled(), (torch.rand(4, 1, 8, 8),), dynamic_shapes=shapes).module()


@pytest.mark.parametrize(("sizes", "limits"), [({}, (4, 4)), ({"min": 2, "max": 5}, (1, 5))])
def test_programs_of_torch_export_get_batches_that_they_take(sizes, limits):
    program, x = exported(**sizes), images(7)
    assert batch_limits(program) == limits
    assert torch.equal(outputs_of(program, x), 2 * x.flatten(1))
    with pytest.raises(ValueError, match=r"program of torch\.export"):
        measure.layer_scores(program, x, TURNS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("make", [torch.jit.script, lambda net: torch.jit.freeze(torch.jit.script(net))])
def test_torchscript_is_measured_by_its_output_alone(make):
    net, x = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.ReLU(inplace=True)).eval(), images()
    script = make(net)
    for measured in (MEASURES["equivariance_error"], MEASURES["local"]):
        torch.testing.assert_close(measured(script, x).per_sample, measured(net, x).per_sample)
    for measured in (measure.layer_scores, measure.attribute):
        with pytest.raises(ValueError, match="TorchScript"):
            measured(script, x, ROTATION)


def test_modules_behind_functions_are_put_into_evaluation_mode():
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3)).train()
    wanted = outputs_of(net, images())
    for model in (net.forward, functools.partial(net), functools.partial(net.forward)):
        assert torch.equal(outputs_of(model, images()), wanted)
    assert all(module.training for module in net.modules())


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda y: y > 0.5, torch.float32),
        (lambda y: (y * 100).to(torch.uint8), torch.float32),
        (lambda y: (y * 100).long(), torch.float64),
        (lambda y: y.half(), torch.float32),
        (lambda y: y.to_sparse(), torch.float32),
        (lambda y: torch.quantize_per_tensor(y, 0.1, 0, torch.qint8), torch.float32),
    ],
)
def test_outputs_of_any_kind_are_compared_as_numbers(convert, dtype):
    x = images()
    found = outputs_of(lambda x: convert(x.flatten(1)), x)
    expected = convert(x.flatten(1))
    expected = expected.dequantize() if expected.is_quantized else expected.to_dense()
    assert found.dtype == dtype and torch.equal(found, expected.to(dtype))


def test_masks_and_label_maps_do_not_wrap_round():
    x = images()
    labels = measure.equivariance_error(lambda x: (x.flatten(1) * 200).to(torch.uint8), x, TURNS)
    numbers = measure.equivariance_error(lambda x: (x.flatten(1) * 200).to(torch.uint8).double(), x, TURNS)
    torch.testing.assert_close(labels.per_sample, numbers.per_sample)
    assert measure.g_eed(lambda x: x.mean((1, 2, 3)) > 0.5, x, TURNS).euclidean.mean == 0.0


def test_what_cannot_be_measured_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"got torch\.complex64, must be real"):
        measure.equivariance_error(lambda x: torch.complex(x, x).flatten(1), images(), TURNS)
    with pytest.raises(ValueError, match=r"x: got a ndarray, must be a tensor or hold some; pass torch\.as_tensor"):
        check_examples(images().numpy())
    with pytest.raises(ValueError, match=r"must be dense; pass x\.to_dense"):
        check_examples(images().to_sparse())


def test_the_same_in_inference_mode():
    model, x = Made(plain), images()
    wanted = outputs_of(model, x)
    with torch.inference_mode():
        assert torch.equal(outputs_of(model, images()), wanted)
        with reading(model, images()) as read:
            assert torch.equal(read.moved(TURNS.on_input, torch.eye(2).expand(6, 2, 2), images()), wanted)
