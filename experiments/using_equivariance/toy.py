"""Fourteen parameters that learn to break a symmetry which they are built to have, or cannot.

One group convolution of stride 2, means over pixels, the largest over the group, a linear layer: it has to tell an
image from the same image after a quarter turn.
"""

import torch
from torch import Tensor, nn

import learnsym as ls

STEPS = 1000
OPTIMISER = ls.training.OptimiserConfig(name="sgd", lr=0.3, momentum=0.9, weight_decay=0.0, schedule="constant")


def network() -> nn.Module:
    group = ls.groups.Cyclic(4)
    image, fields = ls.equivariant.FieldType.trivial(group, 1), ls.equivariant.FieldType.regular(group, 1)
    conv = ls.equivariant.GroupConv2d(image, fields, 3, stride=2, padding=1)
    pool = ls.equivariant.CosetPool(fields, "max")
    return nn.Sequential(conv, ls.equivariant.GlobalAveragePool(fields), pool, nn.Linear(1, 2))


def pair(size: int) -> tuple[Tensor, Tensor]:
    """An image of a few bright blobs and the image after a quarter turn, with labels 0 and 1."""
    coarse = torch.rand(1, 1, 6, 6)
    image = nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)
    image = (image - image.mean()) / image.std()
    return torch.cat([image, torch.rot90(image, 1, (-2, -1))]), torch.tensor([0, 1])


def losses(size: int, seed: int) -> list[float]:
    """The cross entropy before each step; ln 2 is what a network knows that gives both images the same output."""
    torch.manual_seed(seed)
    net, (x, y) = network(), pair(size)
    objective = ls.objectives.Supervised(ls.objectives.cross_entropy)
    return ls.training.fit(net, objective, [(x, y)], steps=STEPS + 1, optimiser=OPTIMISER).losses


def rows(seeds: int) -> list[dict]:
    sizes = (31, 32, 33, 34)
    return [
        {"size": size, "seed": seed, "losses": losses(size, seed)[::250]} for size in sizes for seed in range(seeds)
    ]


def show(found: list[dict]) -> None:
    for size in sorted({row["size"] for row in found}):
        of_size = torch.tensor([row["losses"] for row in found if row["size"] == size])
        low, high = of_size.amin(0).tolist(), of_size.amax(0).tolist()
        print(f"| {size} | " + " | ".join(f"{a:.3f} to {b:.3f}" for a, b in zip(low, high, strict=True)) + " |")
