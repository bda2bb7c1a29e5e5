"""Ranks of true next states: ties count against the model, equal states are no wrong answers."""

import pytest
import torch

from learnsym.measure import distance_invariance_error, latent_equivariance_error, ranks, retrieval
from learnsym.measure.world import retrieved


def test_a_collapsed_encoder_scores_no_better_than_chance():
    z = torch.ones(200, 6) * 0.3
    found = retrieval(z, z)
    assert found.hits[10].mean == 0 and found.mrr.mean == pytest.approx(1 / 200) and found.variance == 0
    assert found.hits[1].mean <= found.chance == 1 / 200


def test_a_nearly_collapsed_encoder_scores_about_chance():
    random = torch.Generator().manual_seed(0)
    encoded = 1e-6 * torch.randn(400, 3, generator=random, dtype=torch.float64)
    found = retrieval(torch.zeros(400, 3, dtype=torch.float64), encoded)
    assert found.hits[10].mean < 0.06 and found.variance < 1e-10


def test_ranks_are_those_of_the_slow_way():
    random = torch.Generator().manual_seed(1)
    predicted, encoded = torch.randint(3, (2, 40, 2), generator=random).double()
    states = torch.randint(8, (40, 1, 1), generator=random)
    slow = [
        1
        + sum(
            (predicted[b] - encoded[j]).norm() <= (predicted[b] - encoded[b]).norm()
            for j in range(40)
            if j != b and states[j] != states[b]
        )
        for b in range(40)
    ]
    assert ranks(predicted, encoded, states).tolist() == [int(rank) for rank in slow]


def test_right_predictions_are_all_hits():
    z = torch.randn(30, 4)
    found = retrieval(z, z)
    assert found.hits[1].mean == found.mrr.mean == 1 and "hits@1 1 [1, 1]" in str(found)


def test_candidates_of_the_same_state_are_no_wrong_answers():
    z = torch.randn(10, 4).repeat(2, 1)
    states = torch.arange(10).repeat(2)
    assert retrieval(z, z, states).hits[1].mean == 1
    assert retrieval(z, z).hits[1].mean == 0


def test_near_negatives():
    z = torch.randn(10, 4)
    assert retrieval(z, z, negatives=z[:, None] + torch.ones(10, 5, 4)).hits[1].mean == 1
    assert ranks(z, z, negatives=z[:, None].expand(10, 5, 4)).tolist() == [6] * 10


def test_of_outputs_of_a_model():
    z = torch.randn(5, 2)
    found = retrieved(torch.cat([z, z], 1), torch.arange(5.0)[:, None, None])
    assert found["hits_at_1"].tolist() == [1] * 5 and found["mrr"].tolist() == [1] * 5


def test_distances_of_turned_latents_are_invariant_and_others_are_not():
    z, p = torch.randn(2, 50, 4, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    assert distance_invariance_error(p, z, p @ turn, z @ turn).mean <= 1e-10
    assert distance_invariance_error(p, z, 2 * p, 2 * z).mean > 0.5
    assert latent_equivariance_error(z @ turn, z @ turn).mean == 0
    assert latent_equivariance_error(z, -z).mean == pytest.approx(2)


def test_the_standard_error_is_that_of_a_ratio():
    random = torch.Generator().manual_seed(2)
    z, moved = torch.randn(2, 500, 3, generator=random, dtype=torch.float64)
    scales = [latent_equivariance_error(moved[i::5], z[i::5]) for i in range(5)]
    means = torch.tensor([each.mean for each in scales])
    assert 0.3 < float(means.std()) / scales[0].stderr < 2.5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((torch.rand(3, 2), torch.rand(3, 3)), r"^encoded: got shape \(3, 3\) for predictions \(3, 2\)"),
        ((torch.rand(1, 2), torch.rand(1, 2)), r"^predicted: got one example"),
        ((torch.full((3, 2), torch.nan), torch.rand(3, 2)), r"^predicted, encoded: contain NaN"),
        ((torch.rand(3, 2), torch.rand(3, 2), torch.rand(4)), r"^states: got 4 for 3 examples"),
        ((torch.rand(3, 2), torch.rand(3, 2), None, torch.rand(3, 5, 4)), r"^negatives: got shape \(3, 5, 4\)"),
        ((torch.rand(3, 2), torch.rand(3, 2), torch.rand(3), torch.rand(3, 5, 2)), r"^states: given beside negatives"),
    ],
)
def test_what_cannot_be_ranked_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        retrieval(*arguments)


def test_latents_without_a_scale_are_refused():
    with pytest.raises(ValueError, match=r"^encoded: latents are all 0"):
        latent_equivariance_error(torch.zeros(3, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"^predicted: got one example"):
        distance_invariance_error(*[torch.rand(1, 2)] * 4)
    with pytest.raises(ValueError, match=r"^latents: got shapes"):
        latent_equivariance_error(torch.rand(3, 2), torch.rand(3, 4))
