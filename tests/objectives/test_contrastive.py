"""The contrastive loss: its value, its negatives, and batches that have none."""

import pytest
import torch

from learnsym.objectives import Contrastive, LossConfig

STATES = torch.arange(3.0)[:, None, None]


def test_value_by_hand():
    # one number a latent, sigma 0.5: E = 2 |u - v|²
    predicted, encoded = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.5, 1.0, 2.5])
    energy = 2 * (predicted - encoded).square()
    hinge = (1 - 2 * (predicted - encoded.roll(1)).square()).clamp(min=0)
    loss = Contrastive(weight=3.0)
    assert torch.allclose(loss.of_each(torch.stack([predicted, encoded], 1), STATES), energy + 3 * hinge)


def test_energies_are_means_over_objects():
    outputs = torch.tensor([[0.0, 0.0, 1.0, 1.0], [9.0, 9.0, 9.0, 9.0]])
    one, two = (Contrastive().of_each(outputs, torch.arange(2.0 * n).view(2, n, 1)) for n in (1, 2))
    assert float(one[0]) == 4 and float(two[0]) == 2


def test_all_others_are_negatives_where_more_are_asked_for():
    outputs = torch.zeros(3, 2)
    loss = Contrastive(negatives=16, weight=2.0)
    assert loss.of_each(outputs, STATES).tolist() == [2.0, 2.0, 2.0]


def test_equal_states_are_no_negatives():
    assert Contrastive(negatives=2)(torch.zeros(3, 2), torch.zeros(3, 1, 1)) == 0
    assert Contrastive(negatives=2).of_each(
        torch.zeros(3, 2), torch.tensor([0.0, 0.0, 1.0])[:, None, None]
    ).tolist() == [
        0.5,
        0.5,
        1.0,
    ]


def test_a_collapsed_encoder_pays_the_margin():
    assert Contrastive()(torch.ones(3, 8), STATES) == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Contrastive()(torch.rand(1, 4), torch.rand(1, 2, 1)), r"^outputs: got a batch of one example"),
        (
            lambda: Contrastive()(torch.rand(2, 3), torch.rand(2, 1, 1)),
            r"^outputs: got shape \(2, 3\), must be \(B, 2 Z\)",
        ),
        (lambda: Contrastive(sigma=0.0), r"^sigma, margin: got 0\.0, 1\.0, must be positive"),
        (lambda: Contrastive(negatives=0), r"^negatives, weight: got 0, 1\.0"),
        (
            lambda: LossConfig(name="mse", negatives=4),
            r"^loss\.negatives: got 4 with the loss mse, which has no negatives",
        ),
        (lambda: LossConfig(negatives_weight=2.0), r"^loss\.negatives_weight: got 2\.0 with the loss cross_entropy"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_settings_reach_the_loss():
    config = LossConfig(name="contrastive", negatives=8, negatives_weight=5.0)
    assert config.function() == Contrastive(negatives=8, weight=5.0)
    assert LossConfig(name="contrastive").function() == Contrastive()
