"""Exactness: verdicts against operations and networks with symmetric filters, turned and flipped in float64."""

import itertools
import logging
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from learnsym.measure.exactness import exact_sizes, next_exact_size, pad_to_exact, strided_is_exact


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Residual(nn.Module):
    """A block of a residual network: two 3×3 convolutions and a shortcut."""

    def __init__(self, shortcut, stride, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.shortcut = shortcut

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))


def residual(stride, channels=2):
    return Residual(nn.Conv2d(channels, channels, 1, stride) if stride > 1 else nn.Identity(), stride, channels)


def moves(x):
    """The eight turns and flips of images."""
    return [turned for flipped in (x, x.flip(-1)) for turned in (flipped.rot90(k, (-2, -1)) for k in range(4))]


def symmetric(model):
    """The model in float64 with every square filter averaged over the turns and flips."""
    model = model.double().eval()
    for weight in model.parameters():
        if weight.ndim == 4:
            weight.data = torch.stack(moves(weight.data)).mean(0)
    return model


TURN, FLIP = (lambda x: x.rot90(1, (-2, -1))), (lambda x: x.flip(-1))


@torch.no_grad()
def commutes(model, x):
    """Whether a model commutes with the two elements that generate the symmetries of the square."""
    out = model(x)
    pairs = [(model(move(x)), move(out)) for move in (TURN, FLIP)]
    return all(a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=1e-9) for a, b in pairs)


def images(rows, columns=None, channels=1, count=16):
    return torch.randn(count, channels, rows, columns or rows, dtype=torch.float64)


def exact_at(model, sizes):
    return exact_sizes(model, sizes, channels=1).exact


def symmetric_kernel(side):
    return torch.stack(moves(torch.randn(1, 1, side, side, dtype=torch.float64))).mean(0)


def test_the_rule_is_right_for_every_convolution():
    wrong = count = 0
    for k, s, p in itertools.product(range(1, 8), range(1, 5), range(4)):
        kernel = symmetric_kernel(k)
        for side in range(max(5, k - 2 * p), 41):
            convolved = partial(F.conv2d, weight=kernel, stride=s, padding=p)
            wrong += commutes(convolved, images(side, count=1)) != strided_is_exact(side, k, s, p)
            count += 1
    # all 4032 but those with k > i + 2p
    assert (count, wrong) == (4020, 0)


def test_the_rule_is_right_for_lifting_convolutions():
    """Filters of a bank that is closed under turns need not be symmetric themselves."""
    for k, s, p, side in itertools.product((2, 3, 4), (2, 3), (0, 1), range(5, 13)):
        kernel = torch.randn(1, 1, k, k, dtype=torch.float64)
        bank = torch.cat([kernel.rot90(turn, (-2, -1)) for turn in range(4)])
        lifted = partial(F.conv2d, weight=bank, stride=s, padding=p)
        x = images(side)
        # a turn of the input turns the maps and passes them on to the next filter
        exact = torch.allclose(lifted(TURN(x)), TURN(lifted(x)).roll(1, 1), rtol=0, atol=1e-9)
        assert exact == strided_is_exact(side, k, s, p)


def test_dilation_enters_the_rule():
    for k, s, p, d, side in itertools.product((2, 3, 4), (2, 3), (0, 2), (2, 3), range(10, 20)):
        dilated = partial(F.conv2d, weight=symmetric_kernel(k), stride=s, padding=p, dilation=d)
        assert commutes(dilated, images(side)) == strided_is_exact(side, k, s, p, d)


def test_the_rule_refuses_what_has_no_windows():
    with pytest.raises(ValueError, match="side: got 2, must be >= 3 for kernel 5, padding 1 and dilation 1"):
        strided_is_exact(2, kernel=5, padding=1)
    with pytest.raises(ValueError, match="stride: got 0, must be >= 1 pixel"):
        strided_is_exact(8, kernel=2, stride=0)


def folded(x, **options):
    columns = F.unfold(x, **options).sum(1, keepdim=True)
    side = round(columns.shape[-1] ** 0.5)
    return columns.view(len(x), 1, side, side)


def quarters(x):
    """The four half-size maps of every second row and column."""
    return x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]


OPERATIONS = {
    "conv": nn.Conv2d(1, 1, 3, 2, 1),
    "even kernel": nn.Conv2d(1, 1, 4, 2, 1),
    "patches": nn.Conv2d(1, 1, 4, 4),
    "circular": nn.Conv2d(1, 1, 3, 2, 1, padding_mode="circular"),
    "reflect": nn.Conv2d(1, 1, 5, 3, 2, padding_mode="reflect"),
    "same, odd": nn.Conv2d(1, 1, 3, padding="same"),
    "same, even": nn.Conv2d(1, 1, 4, padding="same"),
    "same, even, circular": nn.Conv2d(1, 1, 2, padding="same", padding_mode="circular"),
    "valid": nn.Conv2d(1, 1, 3, 2, padding="valid"),
    "stride of rows": nn.Conv2d(1, 1, 3, (2, 1), 1),
    "padding of rows": nn.Conv2d(1, 1, 3, 1, (1, 0)),
    "max": nn.MaxPool2d(2),
    "max, padded": nn.MaxPool2d(3, 2, 1),
    "max, ceil": nn.MaxPool2d(2, ceil_mode=True),
    "max, dilated": nn.MaxPool2d(2, 3, dilation=2),
    "max, indices": Apply(lambda x: F.max_pool2d(x, 2, return_indices=True)[0]),
    "torch.max_pool2d": Apply(lambda x: torch.max_pool2d(x, 3, 2)),
    "mean": nn.AvgPool2d(2),
    "mean, padded": nn.AvgPool2d(3, 2, 1),
    "mean, ceil": nn.AvgPool2d(3, 2, ceil_mode=True),
    "mean, ceil, padded": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
    "mean, ceil, padded more": nn.AvgPool2d(5, 2, 2, ceil_mode=True),
    "mean, ceil, padding left out": nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
    "norm": nn.LPPool2d(2, 3, 2),
    "adaptive mean": nn.AdaptiveAvgPool2d(3),
    "adaptive max": nn.AdaptiveMaxPool2d((4, 4)),
    "adaptive, oblong": nn.AdaptiveAvgPool2d((2, 3)),
    "transposed": nn.ConvTranspose2d(1, 1, 3, 2, 1),
    "transposed, output padding": nn.ConvTranspose2d(1, 1, 3, 2, 1, output_padding=1),
    "nearest up": nn.Upsample(scale_factor=2),
    "nearest to 9": nn.Upsample(size=9),
    "nearest-exact to 9": nn.Upsample(size=9, mode="nearest-exact"),
    "bilinear to 7": nn.Upsample(size=7, mode="bilinear"),
    "bilinear by 0.6": nn.Upsample(scale_factor=0.6, mode="bilinear"),
    "bilinear by 0.6 of what it makes": nn.Upsample(scale_factor=0.6, mode="bilinear", recompute_scale_factor=True),
    "bilinear, corners": nn.Upsample(size=7, mode="bilinear", align_corners=True),
    "bicubic, oblong": nn.Upsample(size=(7, 9), mode="bicubic"),
    "area": Apply(lambda x: F.interpolate(x, size=5, mode="area")),
    "unfold": Apply(lambda x: folded(x, kernel_size=3, stride=2, padding=1)),
    "space to depth": Apply(lambda x: F.pixel_unshuffle(x, 2).sum(1, keepdim=True)),
    "padding": nn.ZeroPad2d(1),
    "uneven padding": nn.ZeroPad2d((0, 1, 0, 1)),
    "uneven padding, read": nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 3, 2)),
    "uneven padding, left unread": nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 2, 2)),
    "uneven reflection, pooled": nn.Sequential(nn.ReflectionPad2d((1, 2, 1, 2)), nn.AvgPool2d(4, 2)),
    "uneven padding, evened out": nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.MaxPool2d(2, 2, 1)),
    "every second": Apply(lambda x: x[:, :, ::2, ::2]),
    "all quarters": Apply(quarters),
    "crop": Apply(lambda x: x[..., 1:-1, 1:-1]),
    "uneven crop": Apply(lambda x: x[..., 1:, 1:]),
    "oblong crop": Apply(lambda x: x[..., 1:-1, 2:-2]),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_verdicts_on_single_operations(name):
    operation = symmetric(OPERATIONS[name])
    ran = [v for v in exact_sizes(operation, range(1, 17), channels=1).verdicts if v.error is None]
    assert len(ran) >= 8
    for verdict in ran:
        truth = commutes(operation, images(verdict.size))
        # some windows see all of a map of up to 3 pixels wherever they lie
        assert verdict.exact == truth or (verdict.size <= 3 and truth), verdict


def test_pools_are_decided_on_the_smallest_maps_too():
    wrong = 0
    options = itertools.product(range(1, 8), range(1, 5), range(4), (1, 2), (False, True))
    for k, s, p, d, ceil in ((k, s, p, d, ceil) for k, s, p, d, ceil in options if p <= k // 2):
        pool = nn.MaxPool2d(k, s, p, d, ceil_mode=ceil)
        ran = [v for v in exact_sizes(pool, range(1, 12), channels=1).verdicts if v.error is None]
        wrong += sum(v.exact != commutes(pool, images(v.size, count=64)) for v in ran)
    assert wrong == 0


@pytest.mark.parametrize("rows, columns", [(9, 9), (9, 13), (9, 12), (8, 12)])
def test_rows_and_columns_are_decided_together(rows, columns):
    net = symmetric(nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.MaxPool2d(3, 2, 1)))
    found = exact_sizes(net, [(rows, columns)], channels=1).verdicts[0]
    assert found.exact == commutes(net, images(rows, columns)) == ((rows, columns) in {(9, 9), (9, 13)})


def p4cnn(pooled, last):
    """Seven 3×3 convolutions, maximum over 2×2 pixels after those in `pooled`, the last one without padding."""
    layers = []
    for layer in range(1, 8):
        layers += [nn.Conv2d(1, 1, last, padding=0) if layer == 7 else nn.Conv2d(1, 1, 3, padding=1), nn.Tanh()]
        layers += [nn.MaxPool2d(2)] if layer in pooled else []
    return nn.Sequential(*layers)


def resnet(strides, stem=None):
    stem = stem or [nn.Conv2d(1, 2, 3, 1, 1)]
    blocks = [block for stride in strides for block in (residual(stride), residual(1))]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1))


NETWORKS = {
    "P4CNN": (lambda: p4cnn({2}, 4), range(20, 41), 2, 0),
    "P4CNN, two pools": (lambda: p4cnn({2, 4}, 4), range(24, 41), 4, 0),
    "ResNet-44": (lambda: resnet([1, 2, 2]), range(24, 58), 4, 1),
    "ResNet-18": (lambda: resnet([1, 2, 2, 2]), range(24, 58), 8, 1),
    "ImageNet ResNet-18": (
        lambda: resnet([1, 2, 2, 2], [nn.Conv2d(1, 2, 7, 2, 3), nn.MaxPool2d(3, 2, 1)]),
        range(190, 260),
        32,
        1,
    ),
    "WRN10-4": (lambda: resnet([1, 2, 2]), range(24, 58), 4, 1),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_table_of_networks(name):
    build, sizes, modulus, remainder = NETWORKS[name]
    assert exact_at(build(), sizes) == tuple(size for size in sizes if size % modulus == remainder)


def option_a(x):
    """The shortcut without weights of the first residual networks."""
    return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 0))


SYMMETRIC_NETWORKS = {
    "P4CNN, two pools": lambda: p4cnn({2, 4}, 4),
    "ResNet-44": lambda: resnet([1, 2, 2]),
    "average shortcuts": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, 1, 1), Residual(Apply(lambda x: F.avg_pool2d(x, 3, 2, 1)), 2, 2), residual(2)
    ),
    "sliced shortcuts": lambda: nn.Sequential(nn.Conv2d(1, 2, 3, 1, 1), Residual(Apply(option_a), 2, 2), residual(2)),
    "blurred pools": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, 1, 1),
        nn.MaxPool2d(2, 1),
        nn.ReflectionPad2d(1),
        nn.Conv2d(2, 2, 3, 2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    ),
    "padded unevenly": lambda: nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 2, 3, 2), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 3)
    ),
}


@pytest.mark.parametrize("name", SYMMETRIC_NETWORKS)
def test_networks_with_symmetric_filters_are_exact_at_the_exact_sizes_only(name):
    net, sizes = symmetric(SYMMETRIC_NETWORKS[name]()), range(16, 28)
    assert exact_at(net, sizes) == tuple(size for size in sizes if commutes(net, images(size, count=2)))


def test_the_first_layer_that_breaks_is_named():
    found = exact_sizes(resnet([1, 2, 2]), [31, 32, 33], channels=1)
    assert [str(verdict).partition(",")[0] for verdict in found.verdicts] == [
        "31 broken by 5.conv1: conv2d",
        "32 broken by 3.conv1: conv2d",
        "33 exact",
    ]
    # the two convolutions of the first stride break it, and those of the second
    assert [broken.layer for broken in found.verdicts[1].breaks] == ["3.conv1", "3.shortcut", "5.conv1", "5.shortcut"]


def test_functional_operations_and_plain_callables_are_named():
    shortcut = Residual(Apply(lambda x: F.avg_pool2d(x, 2, ceil_mode=True)), 2, 1)
    assert [b.layer for b in exact_sizes(shortcut, [9], channels=1).verdicts[0].breaks] == ["shortcut"]
    found = exact_sizes(lambda x: F.max_pool2d(F.relu(F.max_pool2d(x, 1)), 2), [9], channels=1)
    assert str(found).startswith("9 broken by operation 2: max_pool2d, 2×2 windows at stride 2×2 on 9×9 pixels")


def test_sizes_at_which_the_network_cannot_run_are_reported():
    net = nn.Sequential(nn.Conv2d(1, 1, 5), nn.Flatten(), nn.Linear(16, 2))
    found = exact_sizes(net, [3, 8, 9], channels=1)
    assert [verdict.error is None for verdict in found.verdicts] == [False, True, False]
    assert found.exact == (8,)
    assert "3 cannot run: RuntimeError: Calculated padded input size per channel: (3 x 3)" in str(found)
    assert "9 cannot run: RuntimeError: mat1 and mat2 shapes cannot be multiplied" in str(found)


def test_networks_that_refuse_an_empty_batch_are_run_on_an_image():
    strided = nn.Conv2d(1, 1, 3, 2, 1)

    def reads_pixels(x):
        return strided(x).view(len(x), -1) * (1 if x.max() < 1 else 2)

    assert exact_at(reads_pixels, range(5, 12)) == (5, 7, 9, 11)


def test_control_flow_is_followed():
    pool = nn.MaxPool2d(2)

    def shrinks(x):
        return shrinks(pool(x)) if x.shape[-1] > 4 else x

    assert exact_at(shrinks, range(3, 26)) == (3, 4, 6, 8, 12, 16, 24)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_networks_are_watched_or_refused():
    assert exact_at(torch.compile(nn.Conv2d(1, 1, 3, 2)), range(5, 9)) == (5, 7)
    scripted = torch.jit.script(nn.Conv2d(1, 1, 3, 2))
    with pytest.raises(ValueError, match="model: is TorchScript"):
        exact_sizes(scripted, [5], channels=1)


def test_padding_of_tokens_and_signals_is_no_business_of_maps():
    assert exact_at(lambda x: F.pad(x.flatten(2), (0, 1)), [4]) == (4,)
    assert exact_at(lambda x: F.pad(x.sum((0, 1, 2)), (1, 0)), [4]) == (4,)


def test_what_samples_elsewhere_is_never_called_exact():
    grid = torch.zeros(1, 4, 4, 2)
    assert exact_at(lambda x: F.grid_sample(x, grid.expand(len(x), -1, -1, -1), align_corners=False), [4]) == ()
    assert exact_at(nn.FractionalMaxPool2d(2, output_size=3), [6]) == ()


def test_the_model_is_left_as_found():
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3, 2), nn.Dropout(), Apply(lambda x: 1 / 0)).train()
    net[2].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert exact_sizes(net, [5], channels=1).verdicts[0].error == "ZeroDivisionError: division by zero"
    assert [module.training for module in net] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in net.modules())
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize(
    "sizes, channels, message", [([], 3, "sizes"), ([4, (5, 0)], 3, "sizes"), ([4], 0, "channels")]
)
def test_bad_input(sizes, channels, message):
    with pytest.raises(ValueError, match=f"^{message}: got "):
        exact_sizes(nn.Identity(), sizes, channels=channels)


@pytest.mark.parametrize("rows, columns", [(9, 9), (11, 7), (10, 13), (8, 11)])
def test_padding_and_network_together_commute(rows, columns):
    net, x = symmetric(nn.Conv2d(1, 1, 3, 3, 1)), images(rows, columns)
    padded = pad_to_exact(net, x)
    above, left = (padded.shape[-2] - rows) // 2, (padded.shape[-1] - columns) // 2
    assert torch.equal(padded[..., above : above + rows, left : left + columns], x)
    assert padded.count_nonzero() == x.numel()
    assert commutes(lambda x: net(pad_to_exact(net, x)), x)


def test_images_of_exact_size_are_returned_themselves():
    x = images(9)
    assert pad_to_exact(nn.Conv2d(1, 1, 3, 2), x) is x


def test_an_odd_distance_goes_below_and_to_the_right(caplog):
    net, x = symmetric(resnet([1, 2, 2])), images(32, count=2)
    with caplog.at_level(logging.WARNING):
        padded = pad_to_exact(net, x)
    assert torch.equal(padded, F.pad(x, (0, 1, 0, 1)))
    assert commutes(net, padded)
    assert "32×32 images padded unevenly to 33×33: turn them after padding" in caplog.text


def test_next_exact_size():
    assert next_exact_size(resnet([1, 2, 2]), 30, channels=1) == (33, 33)
    assert next_exact_size(resnet([1, 2, 2]), (31, 37), channels=1) == (33, 37)
    with pytest.raises(ValueError, match=r"limit: got 3, no side from 34 on .* \(34 broken by 3\.conv1"):
        next_exact_size(resnet([1, 2, 2, 2]), 34, channels=1, limit=3)
    with pytest.raises(ValueError, match=r"size: got \(9, 11\), but"):
        next_exact_size(Apply(lambda x: x @ x), (9, 11), channels=1)


def test_timm_networks():
    timm = pytest.importorskip("timm")
    found = exact_sizes(timm.create_model("resnet18").eval(), [224, 225])
    assert str(found).startswith("224 broken by conv1: conv2d, 7×7 windows")
    assert found.exact == (225,)
    patches = timm.create_model("vit_tiny_patch16_224", dynamic_img_size=True)
    assert exact_sizes(patches, [64, 70, 80]).exact == (64, 80)


def test_channels_are_those_of_the_first_convolution():
    for channels in (1, 2, 3):
        net = nn.Sequential(nn.Conv2d(channels, 2, 3, 2), nn.ReLU())
        assert exact_sizes(net, range(5, 9)).exact == (5, 7)
    assert exact_sizes(lambda x: F.max_pool2d(x, 2), [8]).exact == (8,)
    with pytest.raises(ValueError, match="channels: got None, read as 3, with which the network runs at none"):
        exact_sizes(lambda x: F.conv2d(x, torch.ones(1, 1, 3, 3)), [8])
