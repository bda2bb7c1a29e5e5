"""Laws of layouts: rearranging a tensor and its layout alike leaves the grid where it is."""

import pytest
import torch

from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.rearrange import (
    joined,
    mixed,
    moved,
    permuted,
    reduced,
    reshaped,
    resized,
    rolled,
    sliced,
    transposed,
)

B, C, H, W = 2, 6, 4, 8


def image():
    return torch.arange(float(B * C * H * W)).reshape(B, C, H, W)


def start():
    return Layout.of("BCHW", (B, C, H, W))


def tokens(prefix=1):
    t = torch.cat([torch.zeros(B, prefix, C), image().flatten(2).mT], 1)
    return t, Layout.parse(f"B ({prefix} + H W) C", t.shape, grid=(H, W))


REARRANGED = {
    "channels last": (lambda t: t.permute(0, 2, 3, 1), lambda layout: permuted(layout, (0, 2, 3, 1))),
    "moved": (lambda t: t.movedim(1, -1), lambda layout: moved(layout, 1, -1)),
    "flattened": (lambda t: t.flatten(2), lambda layout: reshaped(layout, (B, C, H * W))),
    "tokens": (lambda t: t.flatten(2).mT, lambda layout: transposed(reshaped(layout, (B, C, H * W)), 1, 2)),
    "vector": (lambda t: t.flatten(1), lambda layout: reshaped(layout, (B, C * H * W))),
    "heads": (lambda t: t.reshape(B, 2, 3, H, W), lambda layout: reshaped(layout, (B, 2, 3, H, W))),
    "expanded": (lambda t: t[:, None], lambda layout: sliced(layout, (slice(None), None), (B, 1, C, H, W))),
    "windows": (
        lambda t: t.reshape(B, C, 2, 2, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(B * 4, 8, C),
        lambda layout: reshaped(permuted(reshaped(layout, (B, C, 2, 2, 2, 4)), (0, 2, 4, 3, 5, 1)), (B * 4, 8, C)),
    ),
    "rolled": (lambda t: t.roll((1, -3), (2, 3)), lambda layout: rolled(layout, (1, -3), (2, 3))),
}


@pytest.mark.parametrize("name", REARRANGED)
def test_grid_stays_where_it_is(name):
    move, track = REARRANGED[name]
    t, layout = move(image()), track(start())
    assert layout.shape == tuple(t.shape)
    assert torch.equal(layout.to_grid(t).reshape(image().shape), image())
    assert torch.equal(layout.from_grid(layout.to_grid(t)), t)


@pytest.mark.parametrize("name", REARRANGED)
def test_one_row_per_example(name):
    move, track = REARRANGED[name]
    rows = track(start()).by_example(move(image()))
    assert torch.equal(rows.sum(1), image().flatten(1).sum(1))


def test_tokens_in_front_do_not_move():
    t, layout = tokens(prefix=2)
    assert torch.equal(layout.to_grid(t), image())
    assert torch.equal(layout.from_grid(layout.to_grid(t) + 1), t + (torch.arange(t.shape[1]) >= 2)[:, None])
    assert sliced(layout, (slice(None), slice(2, None)), (B, H * W, C)) == Layout.parse(
        "B (H W) C", (B, H * W, C), grid=(H, W)
    )
    assert not sliced(layout, (slice(None), 0), (B, C)).has_grid
    assert joined([None, sliced(layout, (slice(None), slice(2, None)), (B, H * W, C))], [2, H * W], 1) == layout


def test_patches_merged_into_channels_leave_the_coarse_grid():
    """Space to depth, then a linear layer over the channels and what was inside a patch."""
    t = image().permute(0, 2, 3, 1).reshape(B, 2, 2, 4, 2, C)
    layout = reshaped(permuted(start(), (0, 2, 3, 1)), t.shape)
    merged = reshaped(permuted(layout, (0, 1, 3, 4, 2, 5)), (B, 2, 4, 4 * C))
    assert torch.equal(merged.to_grid(t.permute(0, 1, 3, 4, 2, 5).reshape(B, 2, 4, 4 * C)), image())
    coarse = mixed(merged, 5)
    assert coarse.to_grid(torch.zeros(B, 2, 4, 5)).shape == (B, 5, 2, 4)


def test_what_does_not_follow_is_unknown():
    assert reshaped(start(), (B, C // 3, 3 * H, W)) is not None
    assert reshaped(start(), (B, C * H * W // 5, 5)) is None
    assert sliced(start(), (slice(None), slice(None), slice(0, 2)), (B, C, 2, W)) is None
    assert sliced(start(), (slice(None), slice(None), 0), (B, C, W)) is None
    assert resized(reshaped(start(), (B, C, H * W)), (B, C, 16)) is None


def test_reductions_and_parts():
    assert not reduced(start(), (2, 3), keepdim=False).has_grid
    assert reduced(start(), (1,), keepdim=True).shape == (B, 1, H, W)
    assert joined([start(), start()], [C, C], 1) == Layout.of("BCHW", (B, 2 * C, H, W))
    assert joined([start(), None], [C, C], 1) is None


def test_bad_patterns_are_named():
    with pytest.raises(ValueError, match="must have one word per axis"):
        Layout.parse("B C", (2, 3, 4))
    with pytest.raises(ValueError, match="got the word 'X'"):
        Layout.parse("B X", (2, 3))
    with pytest.raises(ValueError, match="describes shape"):
        Layout.parse("B (1 + H W) C", (2, 8, 3))
