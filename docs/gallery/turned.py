"""Handwritten digits, each turned by up to 45°, and mirrored or not."""

import torch

import learnsym as ls


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels."""
    plant = ls.data.PlantConfig(rotation=45.0, flip=0.5)
    config = ls.data.DataConfig(name="digits", size=16, train=1100, plant=plant)
    pool = ls.data.load("digits", config=config)
    return pool.x, pool.y
