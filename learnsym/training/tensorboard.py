"""TensorBoard events beside `metrics.jsonl`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def event_writer(folder: Path, enabled: bool, step: int) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """A function that writes a record as events, from `step` on; None when not enabled.

    Raises:
        ImportError: when TensorBoard is not installed.
    """
    if not enabled:
        yield None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "train.tensorboard: TensorBoard is not installed; pip install learnsym[tensorboard]"
        ) from error
    with SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1) as writer:

        def write(record: dict[str, Any]) -> None:
            for key, value in record.items():
                if key not in ("step", "split"):
                    writer.add_scalar(f"{record['split']}/{key}", value, record["step"])

        yield write
