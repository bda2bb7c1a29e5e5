"""Laws of many members: one that fails, in whatever way, leaves the others alone, is named, and is what is redone."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch

from learnsym.training import MembersFailed, NonFiniteLoss, Run, distributed, member, pool, train
from learnsym.training.lock import locked


def faulty(original, seed, fault):
    """The training of a member, which fails for one seed."""

    def train_member(config, path):
        if config.seeds[0] == seed:
            Run.create(path, config)
            fault()
        return original(config, path)

    return train_member


def raising(error):
    def fault():
        raise error

    return fault


FAULTS = {
    "memory": (raising(MemoryError("too little")), "too little"),
    "cuda": (raising(torch.OutOfMemoryError("CUDA out of memory")), "CUDA out of memory"),
    "bad input": (raising(ValueError("data: cannot be read")), "data: cannot be read"),
    "disk": (raising(OSError(28, "No space left on device")), "No space left"),
    "no words": (raising(RuntimeError()), "RuntimeError"),
}
QUICK = ("cuda", "no words")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAULTS]
)
def test_one_after_another(tiny, tmp_path, monkeypatch, name):
    fault, said = FAULTS[name]
    config = replace(tiny, seeds=[0, 1, 2])
    with monkeypatch.context() as patch, pytest.raises(MembersFailed, match=rf"1 of the members .*learned-1: .*{said}"):
        patch.setattr("learnsym.training.side_by_side.train_member", faulty(member.train_member, 1, fault))
        train(config, tmp_path / "out")
    runs = [Run(tmp_path / "out" / f"learned-{seed}") for seed in config.seeds]
    assert [run.is_finished for run in runs] == [True, False, True]
    assert said in runs[1].failure and runs[0].failure is None
    before = [run.metrics() for run in runs]
    assert all(run.is_finished and run.failure is None for run in train(config, tmp_path / "out"))
    assert [run.metrics() for run in runs][::2] == before[::2]


def test_bad_input_of_all_is_that_of_the_command(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("learnsym.training.side_by_side.train_member", raising_always(ValueError("data: is missing")))
    with pytest.raises(ValueError, match=r"^data: is missing$"):
        train(replace(tiny, seeds=[0, 1]), tmp_path / "out")


def raising_always(error):
    def train_member(config, path):
        raise error

    return train_member


def kill_first(folder):
    """Kill the process that trains the first member, once it has begun."""
    while not (folder / "learned-0" / "config.yaml").exists():
        time.sleep(0.02)
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)


def diverging(config):
    return replace(config, optimiser=replace(config.optimiser, name="sgd", lr=1e30, schedule="constant"))


def test_a_worker_answers_with_what_went_wrong(tiny, tmp_path):
    error = pool._member(replace(diverging(tiny), twins=["learned"]), tmp_path / "run")
    assert isinstance(error, NonFiniteLoss) and isinstance(pickle.loads(pickle.dumps(error)), NonFiniteLoss)
    assert pool._member(replace(tiny, twins=["learned"]), tmp_path / "other") is None


@pytest.mark.slow
def test_diverging_side_by_side(tiny, with_train, tmp_path):
    config = replace(diverging(with_train(tiny, workers=2, steps=4)), twins=["learned", "plain"])
    with pytest.raises(MembersFailed, match=r"learned-0: .* not finite") as caught:
        train(config, tmp_path / "out")
    assert set(caught.value.errors) == {"learned-0", "plain-0"}
    assert all(isinstance(error, NonFiniteLoss) for error in caught.value.errors.values())


@pytest.mark.slow
def test_a_killed_worker(tiny, with_train, tmp_path):
    config = replace(with_train(tiny, workers=2, steps=300), seeds=[0, 1, 2])
    killer = threading.Thread(target=kill_first, args=(tmp_path / "out",))
    killer.start()
    with pytest.raises(MembersFailed, match=r"1 of the members .*the process died before this member") as caught:
        train(config, tmp_path / "out")
    killer.join()
    (name,) = caught.value.errors
    runs = [Run(tmp_path / "out" / f"learned-{seed}") for seed in config.seeds]
    assert [run.path.name for run in runs if not run.is_finished] == [name]
    assert "died" in Run(tmp_path / "out" / name).failure
    assert all(run.is_finished for run in train(config, tmp_path / "out"))


def test_a_second_command_is_refused(tiny, tmp_path):
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out"), pytest.raises(ValueError, match=r"another process is training in .*out; wait"):
        train(replace(tiny, seeds=[0, 1]), tmp_path / "out")


def test_records_are_never_doubled(tiny, tmp_path, monkeypatch):
    """Another process finishes the run between the first look at it and the lock."""
    original, first = Run.held, []

    def held(self):
        if not first:
            first.append(self)
            train(tiny, self.path)
        return original(self)

    monkeypatch.setattr(Run, "held", held)
    (run,) = train(tiny, tmp_path / "run")
    assert [record["split"] for record in run.metrics()].count("test") == 1


def test_what_the_first_process_raises_is_raised_by_all(monkeypatch):
    sent = []
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: 0)
    monkeypatch.setattr(distributed.dist, "broadcast_object_list", lambda box: sent.append(box[0]))
    with pytest.raises(ValueError, match="run: is held"):
        distributed.from_first(raising(ValueError("run: is held")))
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    monkeypatch.setattr(distributed.dist, "broadcast_object_list", lambda box: box.__setitem__(0, sent[0]))
    with pytest.raises(ValueError, match="run: is held"):
        distributed.from_first(lambda: 1)
