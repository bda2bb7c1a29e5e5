"""The same command in several processes, and as jobs."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from learnsym.training import Interrupted
from learnsym.workers import Cluster, local, run_workers, slurm, submit, wait

SLEEPER = """
import os, pathlib, signal, sys, time
name = os.environ["LEARNSYM_WORKER"]
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(sys.argv[1], "stopped-" + name).touch(), sys.exit(143)))
pathlib.Path(sys.argv[1], "began-" + name).write_text(str(os.getpid()) + " " + os.environ["OMP_NUM_THREADS"])
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def sleepers(tmp_path, monkeypatch):
    """Workers are small programs; returns what stands for the command."""
    original = subprocess.Popen

    def popen(command, **options):
        return original([sys.executable, "-c", SLEEPER, *command[3:]], **options)

    monkeypatch.setattr(local.subprocess, "Popen", popen)
    return lambda seconds: [str(tmp_path), str(seconds)]


def wait_for(path):
    for _ in range(600):
        if path.exists() and path.read_text():
            return path.read_text().split()
        time.sleep(0.05)
    raise AssertionError(f"{path.name} does not appear")


def test_each_worker_has_one_thread(sleepers, tmp_path):
    assert run_workers(sleepers(0), 3) == [0, 0, 0]
    assert [(tmp_path / f"began-{k}").read_text().split()[1] for k in range(3)] == ["1"] * 3


def test_the_others_go_on_when_one_dies(sleepers, tmp_path, caplog):
    def kill():
        os.kill(int(wait_for(tmp_path / "began-1")[0]), signal.SIGKILL)

    threading.Thread(target=kill).start()
    with caplog.at_level(logging.ERROR):
        assert run_workers(sleepers(3), 2) == [0, -9]
    assert "worker 1 was killed by signal 9; 1 go on" in caplog.text


def test_signals_are_passed_on(sleepers, tmp_path):
    def stop():
        for worker in range(2):
            wait_for(tmp_path / f"began-{worker}")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop).start()
    with pytest.raises(Interrupted) as caught:
        run_workers(sleepers(60), 2)
    assert caught.value.exit_code == 143
    assert {path.name for path in tmp_path.glob("stopped-*")} == {"stopped-0", "stopped-1"}


def test_workers_end_with_their_parent(tmp_path):
    code = f"import sys; sys.argv = ['x', {str(tmp_path)!r}, '60']; from learnsym.workers import follow_parent; "
    code += f"follow_parent()\n{SLEEPER}"
    starter = f"""
import os, subprocess, sys
environment = {{**os.environ, "LEARNSYM_PARENT": str(os.getpid()), "LEARNSYM_WORKER": "0", "OMP_NUM_THREADS": "1"}}
subprocess.Popen([sys.executable, "-c", {code!r}], env=environment, start_new_session=True).wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", starter])
    wait_for(tmp_path / "began-0")
    parent.kill()
    parent.wait()
    for _ in range(100):
        if (tmp_path / "stopped-0").exists():
            return
        time.sleep(0.1)
    raise AssertionError("the worker goes on")


def test_bad_numbers():
    with pytest.raises(ValueError, match="workers: got 0"):
        run_workers([], 0)
    for options, words in (({"jobs": 0}, "jobs: got 0"), ({"minutes": 0}, "minutes"), ({"memory": 0.0}, "memory: got")):
        with pytest.raises(ValueError, match=words):
            Cluster(**options)


@pytest.mark.slow
def test_jobs_run_the_command(tmp_path):
    pytest.importorskip("submitit")
    cluster = Cluster(name="local", jobs=1, minutes=5)
    good = submit(["data", "list"], cluster, tmp_path / "jobs")
    bad = submit(["data", "fetch", "no-such-data"], cluster, tmp_path / "jobs")
    failures = wait([*good, *bad])
    assert list(failures) == [bad[0].job_id]
    assert "ended with code 2" in failures[bad[0].job_id]
    assert "digits" in good[0].stdout()


def test_no_cluster_here(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="cluster: slurm cannot be used here"):
        submit(["data", "list"], Cluster(), tmp_path / "jobs")


def test_a_job_that_must_go_is_put_back(tmp_path, monkeypatch):
    """The command is told to stop, and the same command is what comes next."""
    pytest.importorskip("submitit")
    command = slurm.Command(["train", "a.yaml"])
    command._process = subprocess.Popen([sys.executable, "-c", SLEEPER, str(tmp_path), "60"], env=job_environment())
    wait_for(tmp_path / "began-0")
    again = pickle.loads(pickle.dumps(command.checkpoint().function))
    assert (tmp_path / "stopped-0").exists()
    assert isinstance(again, slurm.Command) and again.arguments == ["train", "a.yaml"]


def job_environment():
    return {**os.environ, "LEARNSYM_WORKER": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
