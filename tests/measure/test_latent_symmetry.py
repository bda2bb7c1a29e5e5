"""Latent symmetry: a hidden turn is found, and judged by a map that never saw it; lost states decide nothing."""

from __future__ import annotations

import math

import pytest
import torch

from learnsym.measure import latent_symmetry


def hidden_turn(count, seed=0):
    """Points of a ring that turn faster further out, through three sensors that are not linear, and a moment later."""
    generator = torch.Generator().manual_seed(seed)
    turn = 2 * math.pi * torch.rand(count, generator=generator)
    radius = 0.5 + torch.rand(count, generator=generator)

    def seen(angle, r):
        u, v = r * angle.cos(), r * angle.sin()
        return torch.stack([u + 0.3 * v**2, v, 0.5 * u * v], 1)

    return seen(turn, radius), seen(turn + 0.3 + 0.3 * radius**2, radius), (turn, radius, seen)


@pytest.mark.slow
def test_a_hidden_turn_is_found_and_acts_as_it_should():
    x, following, (turn, radius, seen) = hidden_turn(4000)
    found = latent_symmetry(x, following, steps=2500)
    assert len(found.present) == 1 and not found.reason
    assert found.reconstruction < 0.1 and found.basis.reaches[0] > 1
    matrix = found.present[0]
    speed = float(torch.linalg.eigvals(matrix).imag.abs().max())
    errors = [
        float((found.act(matrix, x) - seen(turn + sign * speed, radius)).square().mean() / x.var(0).mean()) ** 0.5
        for sign in (1, -1)
    ]
    assert min(errors) < 0.25 < max(errors)


def test_states_that_are_not_decoded_decide_nothing_and_results_repeat():
    x, following, _ = hidden_turn(500)
    state = torch.random.get_rng_state()
    first, second = (latent_symmetry(x, following, steps=8) for _ in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first.basis.matrices, second.basis.matrices)
    assert len(first.present) == 0 and "states are decoded only to within" in first.reason


def test_actions_are_of_the_group_in_the_latent_space():
    x, following, _ = hidden_turn(500)
    found = latent_symmetry(x, following, generators=2, steps=8)
    matrix = found.basis.matrices[0]
    z = found.encode(x)
    assert z.shape == (500, 2) and found.basis.norms[0] >= found.basis.norms[1]
    torch.testing.assert_close(found.act(0 * matrix, x), found.decode(z))
    torch.testing.assert_close(found.act(matrix, x), found.decode(z @ torch.linalg.matrix_exp(matrix.float()).mT))


def test_bad_input_is_refused():
    x, following, _ = hidden_turn(500)
    for words, call in {
        "must be alike, of >= 400 pairs": lambda: latent_symmetry(x, following[:499]),
        r"got \(300, 3\)": lambda: latent_symmetry(x[:300], following[:300]),
        "x: got .* must be finite": lambda: latent_symmetry(x / 0, following),
        "following: got .* must be finite": lambda: latent_symmetry(x, following.long()),
        "the same in all states": lambda: latent_symmetry(torch.cat([x, x[:, :1] * 0], 1), x[:, [0, 1, 2, 0]]),
        "latent, generators: got 5": lambda: latent_symmetry(x, following, 5),
        "latent, generators: got 2 and 7": lambda: latent_symmetry(x, following, 2, 7),
        "delta: got 0": lambda: latent_symmetry(x, following, delta=0.0),
        "level: got 95": lambda: latent_symmetry(x, following, level=95.0),
        "steps: got 0": lambda: latent_symmetry(x, following, steps=0),
        "reward: got -1": lambda: latent_symmetry(x, following, reward=-1.0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
