"""Coverage of the intervals of the law of poses at known extents, with enough steps of training and with far too few.

    python experiments/how_sure/poses.py --replicates 10

Pears (two blobs of unequal size) turned by up to a half-width about the middle, in images of 16 pixels; half of the
data sets have all objects a third of a pixel off the middle.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from learnsym.measure import pose_posterior
from learnsym.symmetry import rotation2d

SIZE, EXAMPLES = 16, 400
HALF_WIDTHS, STEPS, OFFSETS = (30.0, 60.0, 120.0, 180.0), (15, 100), (0.0, 0.3)


def pears(count: int, half_width: float, offset: float) -> Tensor:
    """Pears of random size at angles uniform up to a half-width, with a natural spread of 5°, and noise."""
    spread = 5 * torch.randn(count, 1, 1)
    angle = torch.deg2rad(half_width * (2 * torch.rand(count, 1, 1) - 1) + spread)
    right, up = torch.arange(SIZE) - (SIZE - 1) / 2 - offset, (SIZE - 1) / 2 - torch.arange(SIZE)[:, None]
    u, v = right * angle.cos() + up * angle.sin(), up * angle.cos() - right * angle.sin()
    size = 0.8 + 0.4 * torch.rand(count, 1, 1)
    body = torch.exp(-0.5 * ((u / size + 0.6).square() + (v / size).square()) / 1.6**2)
    neck = torch.exp(-0.5 * ((u / size - 1.6).square() + (v / size).square()))
    return (body + neck + 0.1 * torch.randn(count, SIZE, SIZE))[:, None]


def inferred(half_width: float, steps: int, offset: float, seed: int) -> dict[str, object]:
    """What one inference says."""
    torch.manual_seed(seed)
    start = time.perf_counter()
    law = pose_posterior(pears(EXAMPLES, half_width, offset), rotation2d(), steps=steps, bootstrap=100, seed=seed)
    found = {"estimate": law.half_width, "low": law.low, "high": law.high, "status": law.status, "flags": law.flags}
    planted = {"planted": half_width, "steps": steps, "offset": offset, "seed": seed}
    return {**planted, **found, "confidence": law.confidence, "seconds": time.perf_counter() - start}


def table(rows: list[dict]) -> str:
    """Coverage, width and status by half-width, steps and offset, in markdown."""
    head = ["planted", "steps", "offset", "covered", "median width", "status ok", "centre named"]
    lines = [head, ["---"] * len(head)]
    keys = sorted({(each["steps"], each["offset"], each["planted"]) for each in rows})
    for steps, offset, planted in keys:
        part = [r for r in rows if (r["steps"], r["offset"], r["planted"]) == (steps, offset, planted)]
        covered = sum(r["low"] <= planted <= r["high"] for r in part)
        width = float(torch.tensor([r["high"] - r["low"] for r in part]).median())
        trusted = sum(r["status"] == "ok" for r in part)
        named = sum(any("centred" in flag for flag in r["flags"]) for r in part)
        of = f" of {len(part)}"
        cells = [f"{planted:g}°", f"{steps}", f"{offset:g} pixel", f"{covered}{of}", f"{width:.0f}°"]
        lines.append([*cells, f"{trusted}{of}", f"{named}{of}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    rows = []
    for seed in range(options.replicates):
        for steps in STEPS:
            for offset in OFFSETS:
                rows += [inferred(half_width, steps, offset, seed) for half_width in HALF_WIDTHS]
        options.out.write_text(json.dumps(rows, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
