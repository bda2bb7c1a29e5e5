"""Images to measure on: smooth ones, the same without a border, white noise."""

import torch
import torch.nn.functional as F
from torch import Tensor

import learnsym as ls

INPUTS = ("photo", "faded", "noise")


def photographs(count: int) -> Tensor:
    """CIFAR-10 images, from official test images."""
    return ls.data.load("cifar10-jpeg", "test", ls.data.DataConfig(test=count)).x


def images(kind: str, photos: Tensor, size: int) -> Tensor:
    """Photographs brought to a size, or faded to grey towards the border as well, or noise in their stead."""
    if kind == "noise":
        return torch.randn(len(photos), 3, size, size)
    photo = standardised(F.interpolate(photos, (size, size), mode="bicubic", antialias=size < photos.shape[-1]))
    window = torch.hann_window(size, periodic=False)
    return standardised(photo * window * window[:, None]) if kind == "faded" else photo


def standardised(x: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 in each image."""
    x = x - x.mean((1, 2, 3), keepdim=True)
    return x / x.std((1, 2, 3), keepdim=True)


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean over seeds with its 95 % interval (Student)."""
    estimate = ls.measure.Estimate.of(torch.tensor(values, dtype=torch.float64))
    found = ls.measure.student_interval(estimate, 0.95)
    return estimate.mean, found.low, found.high
