"""Which loss outputs and targets suggest: labels as files store them, and a sentence where they fit none."""

import pytest
import torch
import torch.nn.functional as F

from learnsym.report.card.targets import supervision

OUTPUTS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 0, 1, 2])
PIXELS = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))
MAP = torch.randint(3, (4, 5, 5), generator=torch.Generator().manual_seed(2))


def losses(outputs, y):
    found = supervision(outputs, y)
    return found.loss(outputs[found.chosen].double(), found.y)


@pytest.mark.parametrize("y", [Y, Y[:, None], Y.float(), Y[:, None].double(), Y.to(torch.uint8)])
def test_labels_of_any_shape_and_kind(y):
    torch.testing.assert_close(losses(OUTPUTS, y), F.cross_entropy(OUTPUTS.double(), Y, reduction="none"))


@pytest.mark.parametrize("mark", [-1, -100, 255])
def test_examples_without_a_label_are_left_out(mark):
    marked = torch.where(Y == 1, mark, Y)
    found = supervision(OUTPUTS, marked)
    assert found.chosen.tolist() == [0, 2, 3, 5]
    expected = F.cross_entropy(OUTPUTS.double(), Y, reduction="none")[found.chosen]
    torch.testing.assert_close(losses(OUTPUTS, marked), expected)


@pytest.mark.parametrize("y", [MAP, MAP[:, None], MAP.float()])
def test_label_maps(y):
    expected = F.cross_entropy(PIXELS.double(), MAP, reduction="none").mean((1, 2))
    torch.testing.assert_close(losses(PIXELS, y), expected)


def test_pixels_without_a_label_are_left_out():
    marked = MAP.clone()
    marked[0, :3], marked[2] = 255, 255
    found = supervision(PIXELS, marked)
    assert found.chosen.tolist() == [0, 1, 3]
    rest = F.cross_entropy(PIXELS[:1, :, 3:].double(), MAP[:1, 3:])
    torch.testing.assert_close(losses(PIXELS, marked)[0], rest)


def test_255_is_a_class_where_there_are_256():
    outputs = torch.randn(2, 256, generator=torch.Generator().manual_seed(3))
    assert supervision(outputs, torch.tensor([255, 3])).chosen.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("outputs", "y"), [((6, 1), (6,)), ((6,), (6, 1)), ((6, 2, 1), (6, 2)), ((6, 4, 4), (6, 4, 4))]
)
def test_real_targets(outputs, y):
    f, y = torch.zeros(outputs), torch.full(y, 0.5)
    torch.testing.assert_close(losses(f, y), torch.full((6,), 0.25, dtype=torch.float64))


@pytest.mark.parametrize(
    ("outputs", "y", "message"),
    [
        (OUTPUTS, Y + 1, "labels lie in .1, 3., and the model tells 3 classes apart; number the classes from 0"),
        (OUTPUTS, Y - 7, "labels lie in .-7, -5.*that the model was made for"),
        (OUTPUTS, torch.full((6,), -1), "no example has a label"),
        (OUTPUTS, Y + 0.5, "fits no loss"),
        (OUTPUTS[:, :1], Y, "fits no loss"),
        (OUTPUTS, F.one_hot(Y), "fits no loss"),
        (PIXELS, PIXELS.movedim(1, -1), "fits no loss"),
        (OUTPUTS.argmax(1), Y, "must be floating"),
    ],
)
def test_what_fits_no_loss_is_refused(outputs, y, message):
    with pytest.raises(ValueError, match=message):
        supervision(outputs, y)
