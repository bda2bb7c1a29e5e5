"""Bad inputs of `learnsym measure`."""

from __future__ import annotations

from bad import Bad

ROWS: list[Bad] = [
    Bad("no data", "measure timm:resnet18 --symmetry rotation2d --out card", ("data: got none",)),
    Bad("no such file", "measure m.py:make --data digits --symmetry rotation2d --out card", ("m.py",)),
]
