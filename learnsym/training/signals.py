"""SIGTERM and SIGINT as a wish to stop after the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(Exception):
    """Training stopped on a signal, after a checkpoint; the same command continues it."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(number, message)  # both, so that it can be pickled
        self.number = int(number)
        self.message = message

    def __str__(self) -> str:
        return self.message

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that ended on the signal: 143 for SIGTERM, 130 for SIGINT."""
        return 128 + self.number


class StopRequest:
    """Whether a signal has asked to stop, and which."""

    number: int = 0
    forward: Callable[[int], None] | None = None
    """Called at once with the number of the signal."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:  # asked twice: do not wait for the step
            raise KeyboardInterrupt
        self.number = int(number)
        if self.forward is not None:
            self.forward(self.number)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Note SIGTERM and SIGINT instead of dying of them, and tell a block around this one at the end.

    Outside of the main thread, signals are left alone.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    saved = {number: signal.signal(number, request) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)
        outer = saved[signal.SIGTERM]
        if isinstance(outer, StopRequest):  # what came after the last step is for whoever begins the next fit
            outer.number = outer.number or request.number
