"""Relaxed translation: every convolution of the network is relaxed, over the pixels that it gives."""

from __future__ import annotations

import learnsym as ls
from learnsym.equivariant import SteerableConv
from learnsym.relax import RelaxedTranslationConv
from learnsym.training import build
from tests.methods.conftest import tiny


def test_every_convolution_is_relaxed_and_starts_exact():
    model, _, splits = build(tiny("relaxed_translation"))
    relaxed = [module for module in model.modules() if isinstance(module, RelaxedTranslationConv)]
    banks = {id(bank) for layer in relaxed for bank in layer.banks}
    assert len(relaxed) == 6 == len(ls.degrees(model))
    assert {id(module) for module in model.modules() if isinstance(module, SteerableConv)} == banks
    assert all(abs(degree.estimate - 1) < 1e-6 for degree in ls.degrees(model))
    assert model.eval()(splits.test.inputs[:2]).shape == (2, 10)
