"""The answer of a card on networks whose symmetry is known."""

from __future__ import annotations

import pytest
import torch
from known import CLASSES, Constant, Pooled, Sectors, convolution, noise, random_net, sectors, spots
from torch import nn

from learnsym.report import card
from learnsym.report.card.extent import extent
from learnsym.report.card.row import EXACT, EXTENT, LOSS

X, Y = sectors()
QUICK = card.CardSettings(samples=4, layers=False)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Measures without a page."""
    from learnsym.report.card import measuring

    monkeypatch.setattr(measuring, "write_page", lambda card: None)

    def measure(model, *symmetries, x=X, y=Y, settings=QUICK, **how):
        subject, examples = card.Subject(name="net", model=model), card.Examples(name="spots", x=x, y=y)
        return card.measure_model(subject, examples, symmetries, tmp_path, settings, progress=False, **how)

    return measure


def test_the_limit_of_turns_is_found(measured):
    found = measured(Sectors(), "orthogonal2d")
    (limit,) = found.of("orthogonal2d", EXTENT)
    assert limit.low == pytest.approx(limit.high, abs=5) and 20 <= limit.value <= 24  # 22.5 between points of the grid
    accuracy, turns = card.verdict(found)
    assert accuracy.startswith("Accuracy 100.0%")
    assert turns.startswith("Invariant to turns up to 2") and ", not beyond; mirror images are told apart (25%" in turns


def test_an_invariant_network_is_exactly_so(measured):
    net, x = Pooled(random_net()), noise()
    found = measured(net, "quarter_turns2d", "rotation2d", x=x, y=net(x).argmax(1))
    assert found.is_exact("quarter_turns2d") and not found.is_exact("rotation2d")
    assert "Exactly invariant to quarter turns." in card.verdict(found)
    assert "again at 90° and 180°" in card.verdict(found)[-1]


@pytest.mark.parametrize("seed", range(3))
def test_a_random_network_predicts_at_chance_and_nothing_is_said_of_exactness(measured, seed):
    found = measured(random_net(seed), "rotation2d", "flip2d", x=noise(seed=seed), y=torch.arange(64) % CLASSES)
    assert found.doubt.startswith("Predicts at chance")
    assert not [row for row in found.rows if row.measure in (EXACT, EXTENT, LOSS)]
    said = " ".join(card.verdict(found)).lower()
    assert "predicts at chance" in said and "exact" not in said and "interpolation" not in said
    assert "exact" not in found.text.lower() and "% of the loss" not in found.text


def test_a_regression_at_chance(measured):
    y = torch.rand(len(X), generator=torch.Generator().manual_seed(0))

    class Sum(nn.Module):
        def forward(self, x):
            return x[:, 0, :2].sum((1, 2))[:, None]

    assert "no smaller than with the targets of other examples" in measured(Sum(), "flip2d", y=y).doubt
    right = X[:, 0, :2].sum((1, 2))
    assert not measured(Sum(), "flip2d", y=right + 0.01 * y).doubt


def test_a_constant_network_is_named(measured):
    x = noise()
    assert measured(Constant(), "flip2d", x=x, y=None).doubt == "Answers class 1 for 100% of all examples."
    assert "Predicts at chance" in measured(Constant(), "flip2d", x=x, y=Y % 3).doubt


def test_an_equivariant_convolution_is_seen_to_be_one(measured):
    x = spots(torch.linspace(0, 6, 24), radius=2.0)  # nothing of which leaves the view
    found = measured(convolution(), "translation2d", x=x, y=None)
    shifts = (
        f"{which} shifts up to 25% of the shorter side, as far as was tried" for which in ("sideways", "vertical")
    )
    assert card.verdict(found) == [f"Equivariant to {' and '.join(shifts)}."]
    assert found.overall("translation2d", "equivariance error").shown < 1e-3
    assert found.overall("translation2d", "local").shown < 1e-3
    assert any("move as images" in note and "--output-as" in note for note in found.notes)
    taken = measured(convolution(), "translation2d", x=x, y=None, output_as="invariant")
    assert "not beyond" in card.verdict(taken)[0] and taken.overall("translation2d", "equivariance error").shown > 0.3


def test_labels_of_pixels_move_with_them(measured):
    torch.manual_seed(0)
    net = nn.Conv2d(1, 3, 1)  # of single pixels: exactly equivariant where pixels go onto pixels
    net.weight.data, net.bias.data = torch.tensor([0.0, 4.0, 8.0]).reshape(3, 1, 1, 1), torch.tensor([0.0, -1.0, -4.0])
    y = net(X).argmax(1)
    found = measured(net, "square2d", "rotation2d", y=y)
    assert card.verdict(found)[1] == "Exactly equivariant to quarter turns and mirror images."
    assert found.overall("square2d", "predictions that stay").value == 1
    assert found.task[0].measure == "accuracy" and found.task[0].value == 1
    assert found.overall("rotation2d", "predictions that stay").value > 0.9


def test_a_range_bounds_all_that_is_tried(measured):
    settings = card.CardSettings(samples=4, layers=False, ranges={"rotation": 10.0})
    found = measured(Sectors(), "orthogonal2d", settings=settings)
    angles = [abs(float(r.element.split()[0])) for r in found.rows if r.generator == "rotation" and r.element]
    assert max(angles) == 10 and found.tried == {"orthogonal2d": "rotation ±10 degree"}
    assert card.verdict(found)[1].startswith("Invariant to turns up to 10°, as far as was tried; mirror images")
    within = measured(Sectors(), "rotation2d", settings=settings).overall("rotation2d", "predictions that stay")
    assert within.value == 1


def test_extent_is_where_the_mean_crosses_the_tolerance():
    t = torch.tensor([10.0, 20.0, 30.0])
    d = torch.tensor([[0.0], [0.1], [0.5]]).expand(3, 50)
    assert extent(t, d, 0.3).estimate == pytest.approx(25)
    assert extent(t, d, 0.5).estimate == 30 and extent(t, d + 1, 0.1).estimate == pytest.approx(1)
    again = torch.tensor([[0.0], [0.5], [0.0]]).expand(3, 50)
    assert extent(t, again, 0.1).estimate == pytest.approx(12), "what lies beyond the first crossing does not count"
    draws = (torch.rand(3, 200, generator=torch.Generator().manual_seed(0)) < t[:, None] / 100).double()
    found = extent(t, draws, 0.2)
    assert found.low < found.estimate < found.high and found.low < 20 < found.high


@pytest.mark.slow
def test_a_network_trained_with_turns_is_invariant_about_that_far(measured):
    import math

    from learnsym import actions, groups
    from learnsym.data import DataConfig, load_splits

    torch.manual_seed(0)
    splits = load_splits(DataConfig(name="digits", size=16))
    x, y = splits.train.inputs, splits.train.y
    net = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(576, 10))
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(600):
        rows = torch.randint(len(x), (64,))
        angles = (2 * torch.rand(64, 1) - 1) * math.radians(30)
        turned = actions.Image()(groups.SO2().exp(angles), x[rows])
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(turned), y[rows]).backward()
        optimiser.step()
    test = splits.test
    (limit,) = measured(net, "rotation2d", x=test.inputs[:200], y=test.y[:200]).of("rotation2d", EXTENT)
    assert 15 <= limit.value <= 45
