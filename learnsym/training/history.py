"""What a fit returns: its records, by column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from learnsym.degrees import Degree


@dataclass
class History:
    """The records of one fit, one dictionary a step (`split` is `train`) or evaluation (`val`, `test`)."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def column(self, key: str, split: str = "train") -> list[Any]:
        """The values of one key, in the order of steps, where it was recorded."""
        return [record[key] for record in self.records if record.get("split") == split and key in record]

    @property
    def losses(self) -> list[float]:
        """Training loss of each step."""
        return self.column("loss")

    def __len__(self) -> int:
        return len(self.records)


def key_of(degree: Degree) -> str:
    """The key of a degree in the metrics: of the input alone, or of a layer."""
    if degree.site == "loss":
        return f"degree/loss/{degree.generator}"
    place = "half_width" if degree.site == "input" else f"degree/{degree.site.removeprefix('layer:')}"
    return f"{place}/{degree.generator}"
