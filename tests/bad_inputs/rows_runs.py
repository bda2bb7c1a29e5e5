"""Bad inputs of commands on folders of runs, comparisons and studies."""

from __future__ import annotations

from bad import Bad

ROWS: list[Bad] = []
