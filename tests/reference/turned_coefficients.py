"""Coefficients of functions on SO(3) and the sphere, turned by the matrices of Wigner, all orders kept."""

import torch

from learnsym.representations import small_d


def euler(g):
    """Angles of `R_z(α) R_y(β) R_z(γ)`."""
    beta = torch.atan2(torch.hypot(g[:, 0, 2], g[:, 1, 2]), g[:, 2, 2])
    return torch.atan2(g[:, 1, 2], g[:, 0, 2]), beta, torch.atan2(g[:, 2, 1], -g[:, 2, 0])


def wigner_d(g, band_limit):
    """`D^l_mn(g)`, `(B, l, m, n)`, zero outside of a degree."""
    alpha, beta, gamma = euler(g)
    m = torch.arange(1 - band_limit, band_limit, dtype=g.dtype)
    left, right = torch.exp(-1j * alpha[:, None] * m), torch.exp(-1j * gamma[:, None] * m)
    return left[:, None, :, None] * small_d(band_limit, beta) * right[:, None, None, :]


def all_orders(h):
    """With the coefficients of negative `m`, `(-1)^(m - n) conj h_l,-m,-n`."""
    band_limit, azimuthal = h.shape[2], (h.shape[-1] + 1) // 2
    m, n = torch.arange(1, band_limit).flip(0), torch.arange(1 - azimuthal, azimuthal)
    sign = (-1.0) ** (m[:, None] - n).double()
    return torch.cat([h[:, :, :, 1:].flip(3).flip(4).conj() * sign, h], 3)


def turned(g, h):
    """`h_lmn -> Σ_k D^l_mk(g) h_lkn` of coefficients `(B, C, l, m >= 0, n)`."""
    band_limit = h.shape[2]
    return torch.einsum("blmk,bclkn->bclmn", wigner_d(g, band_limit)[:, :, band_limit - 1 :], all_orders(h))


def turned_on_sphere(g, f):
    """The same of coefficients `(B, C, l, m >= 0)` of functions on the sphere."""
    return turned(g, f[..., None])[..., 0]


def norm(h):
    """Of coefficients, those of negative orders included."""
    power = torch.view_as_real(h).square().sum((-1, -2))
    return (2 * power.sum() - power[..., 0].sum()).sqrt()
