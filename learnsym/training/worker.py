"""What every process of a pool does first."""

from __future__ import annotations

import multiprocessing
import os
import threading

import torch


def begin_worker() -> None:
    """Use one thread, and end when the parent does: a worker whose parent was killed would wait for work forever."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
