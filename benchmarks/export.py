"""The exported plain network, read back from its file, against the same torch network: a CNN on 128x3x32x32."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import interleaved, ratio
from learnsym.augment import Augmented
from learnsym.export import export_model
from learnsym.nets import CNN
from learnsym.symmetry import symmetry_by_name

BATCH, CHANNELS, SIZE = 128, 3, 32
TARGET = 1.02


def run(device: str, repeats: int) -> dict[str, Any]:
    """Export without averaging what was learned with it, then time both on one batch without gradients."""
    torch.manual_seed(0)
    net = CNN(CHANNELS, 10, width=32, size=SIZE).to(device).eval()
    x = torch.rand(BATCH, CHANNELS, SIZE, SIZE, device=device)
    with tempfile.TemporaryDirectory() as folder:
        model = Augmented(net, symmetry_by_name("affine2d")).to(device)
        path = export_model(model, x[:2], Path(folder) / "model.pt2", averaged=False)
        exported = torch.export.load(path).module()
    with torch.inference_mode():
        times = interleaved({"exported": lambda: exported(x), "torch": lambda: net(x)}, repeats=repeats, device=device)
    return {
        "name": "exported / torch network",
        "ratio": ratio(times, "exported", "torch"),
        "target": TARGET,
        "times": times,
    }
