"""Synthetic grids of runs with a known law."""

from __future__ import annotations

import numpy as np

from learnsym.scaling import Law

CHINCHILLA = Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28)


def grid(law, sizes=6, seeds=1, noise=0.0, seed=0):
    """`N`, `D`, loss and cell of every run; log-normal noise per run."""
    axes = np.meshgrid(np.logspace(7, 10, sizes), np.logspace(9, 12, sizes))
    N, D = (np.repeat(axis.ravel(), seeds) for axis in axes)
    generator = np.random.default_rng(seed)
    return N, D, law.loss(N, D) * np.exp(noise * generator.normal(size=N.shape)), np.repeat(np.arange(sizes**2), seeds)


def coefficients(law):
    return np.array([law.E, law.A, law.a, law.B, law.b])
