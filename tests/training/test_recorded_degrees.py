"""Degrees in the records of a fit: at its first and last step, and about a hundred times between."""

from __future__ import annotations

import torch
from torch import nn

import learnsym as ls


def test_degrees_are_recorded_at_some_steps():
    model = ls.augment.Augmented(nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), ls.symmetry.rotation2d())
    batch = torch.rand(4, 1, 4, 4), torch.arange(4) % 2
    objective = ls.objectives.Augerino(ls.objectives.cross_entropy)
    history = ls.training.fit(model, objective, [batch], steps=201)
    steps = [record["step"] for record in history.records if "half_width/rotation" in record]
    assert steps == [1, *range(2, 201, 2), 201] and len(history.losses) == 201
    assert history.column("half_width/rotation")[-1] == ls.degrees(model)[0].estimate
