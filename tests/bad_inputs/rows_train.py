"""Bad inputs of `learnsym train`, `compare`, `tune` and `scale`: configurations and options."""

from __future__ import annotations

from bad import Bad

ROWS: list[Bad] = [
    Bad("unknown method", "train c.yaml --out run", ("method.name: got 'none'",), {"c.yaml": "method: {name: none}\n"}),
]
