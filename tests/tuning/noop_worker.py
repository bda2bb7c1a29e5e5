"""Works on trials that do nothing; run by test_claims: STORAGE FOLDER TRIALS, or forked."""

from __future__ import annotations

import os
import time
import traceback

import torch

from learnsym.tuning.claims import BUSY, OVER, Claims


def work(study, folder, total, pause=0.0):
    """Numbers of the trials that were ended here."""
    claims, state, done = Claims(study, total, folder), BUSY, []
    while state != OVER:
        with claims.next() as (state, claim):
            if claim is not None:
                time.sleep(pause)
                claim.complete([claim.values["optimiser.lr"]])
                done.append(claim.number)
        if state == BUSY:
            time.sleep(0.05)
    return done


def forked(function):
    """The id of a forked process that calls a function, with one thread: those of torch are not forked."""
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def ended_well(pids):
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * len(pids)
