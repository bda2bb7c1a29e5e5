"""Laws of the name of an attempt: all its processes have it, and what dead ones have left in the store is not read."""

from __future__ import annotations

import threading

import pytest
import torch.distributed as dist

from learnsym.training import distributed


def attempts(store, size):
    """What each of some processes, here threads, takes for the name of the attempt."""
    found = {}

    def join(number):
        found[number] = distributed._agreed(store, number, size)

    threads = [threading.Thread(target=join, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_all_have_one_name_and_each_attempt_another():
    store = dist.HashStore()
    names = [attempts(store, 3) for _ in range(3)]
    assert all(len(found) == 3 and len(set(found.values())) == 1 for found in names)
    assert len({found[0] for found in names}) == 3


def test_who_has_died_is_waited_for_again():
    """A process said that it is here, and died; the first one does not go on before another has come in its place."""
    store = dist.HashStore()
    store.set("here 1", "dead")
    found = []
    first = threading.Thread(target=lambda: found.append(distributed._agreed(store, 0, 2)))
    first.start()
    first.join(0.5)
    assert first.is_alive() and not found
    assert distributed._agreed(store, 1, 2) == (first.join(30), found[0])[1]


def test_patience_ends(monkeypatch):
    clock = iter(range(0, 10**6, 10**4))
    monkeypatch.setattr(distributed.time, "monotonic", lambda: next(clock))
    with pytest.raises(distributed.RankLost, match="rank 1 does not come; start it, and give the same command again"):
        distributed._agreed(dist.HashStore(), 0, 2)
