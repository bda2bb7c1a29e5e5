"""How symmetric latent states are, of pictures of scenes and of the same scenes turned.

Legend of axes: `B` examples, `Z` numbers of a latent state.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import Estimate


def latent_equivariance_error(moved: Float[Tensor, "*moved"], expected: Float[Tensor, "*expected"]) -> Estimate:
    """`EE(S) = E|ρ(g) S(s) - S(g·s)| / E|S(g·s)|`, the equivariance error of an encoder.

    Near 1 for an encoder whose latents turn by another representation than the one that is asked about, though they may
    turn, and world models with such encoders may be perfect (Park et al. 2022, arXiv 2204.11371): see
    `distance_invariance_error`, which asks about none.

    Args:
        moved: `S(g·s)`, latents of the turned scenes, `(B, Z)`.
        expected: `ρ(g) S(s)`, turned latents, `(B, Z)`.

    Raises:
        ValueError: for shapes that differ, or latents that are all 0.

    Example:
        >>> z = torch.randn(10, 4)
        >>> ls.measure.latent_equivariance_error(z, z).mean
        0.0
    """
    _check(moved, expected)
    return _per((expected - moved).double().norm(dim=1), moved.double().norm(dim=1))


def distance_invariance_error(
    predicted: Float[Tensor, "*predicted"],
    encoded: Float[Tensor, "*encoded"],
    moved_predicted: Float[Tensor, "*moved_predicted"],
    moved_encoded: Float[Tensor, "*moved_encoded"],
    seed: int = 0,
) -> Estimate:
    """`DIE = E||p(s) - z(s')| - |p(g·s) - z(g·s')|| / E|z|`: whether distances between latents stay when scenes turn.

    With `s'` a random other example. It is 0 for any representation by rotations of latents, known or not; a model of a
    single latent has 0, too, which `retrieval` tells.

    Args:
        predicted: `p(s)`, latents that the model predicts, `(B, Z)`; those of the encoder for the encoder itself.
        encoded: `z(s)`, latents of what happened.
        moved_predicted: of the turned scenes, with turned actions.
        moved_encoded: of what happened there.
        seed: of the pairs, a cyclic shift of the examples.

    Raises:
        ValueError: for shapes that differ, fewer than two examples, or latents that are all 0.

    Reference: Park, Biza, Zhao, van de Meent, Walters (2022), arXiv 2204.11371.

    Example:
        >>> z = torch.randn(10, 4)
        >>> ls.measure.distance_invariance_error(z, z, -z, -z).mean
        0.0
    """
    for other in (encoded, moved_predicted, moved_encoded):
        _check(predicted, other)
    if len(predicted) < 2:
        raise ValueError("predicted: got one example, which has no other; give at least 2")
    shift = int(torch.randint(1, len(predicted), (), generator=torch.Generator().manual_seed(seed)))
    # |p(s) - z(s')| and the same of the turned scenes
    before = (predicted - encoded.roll(shift, 0)).double().norm(dim=1)
    after = (moved_predicted - moved_encoded.roll(shift, 0)).double().norm(dim=1)
    return _per((before - after).abs(), encoded.double().norm(dim=1))


def _per(errors: Float[Tensor, "B"], norms: Float[Tensor, "B"]) -> Estimate:
    """The ratio of two means, with the chance of both."""
    unit = norms.mean()
    if not unit > 0:
        raise ValueError("encoded: latents are all 0, so that their error has no scale; look at the training")
    ratio = errors.mean() / unit
    # delta method: each example adds (e_b - r n_b) / n̄ to the ratio r
    return Estimate.of(errors / unit, ratio + (errors - ratio * norms) / unit)


def _check(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape or a.dim() != 2:
        raise ValueError(f"latents: got shapes {tuple(a.shape)} and {tuple(b.shape)}, must be alike, (B, Z)")
