"""Bad inputs of `learnsym data` and of data that configurations name."""

from __future__ import annotations

from bad import Bad

ROWS: list[Bad] = []
