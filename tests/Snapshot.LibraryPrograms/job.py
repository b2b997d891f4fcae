"""A job of two ranks in Python, without mpi4py: MPI is begun by the file that the package calls it by.

    SNAPSHOT_MPI=… SNAPSHOT_LIBRARY=… PYTHONPATH=… mpirun -np 2 python3 job.py DIRECTORY STEPS

Run twice, it goes on where it ended. Each line begins with the number of the rank.
"""

import ctypes
import os
import sys

import numpy
import snapshot
import snapshot.mpi

_rank = int(os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["PMI_RANK"])


class World:
    """What mpi4py's communicators have."""

    @staticmethod
    def py2f() -> int:
        return 0


def say(*what):
    os.write(1, f"{_rank}: {' '.join(map(str, what))}\n".encode())


def told(call):
    """The result of a call, or the error that it raises."""
    try:
        return call()
    except snapshot.Error as error:
        cause = f" after {error.__cause__!r}" if error.__cause__ else ""
        return f"{error}{cause}"


def fail_on_rank_1(generation):
    if _rank == 1:
        raise ValueError("not now")


def main(directory, steps):
    mpi = ctypes.CDLL(os.environ["SNAPSHOT_MPI"])
    say(told(lambda: snapshot.mpi.open(directory)))
    mpi.MPI_Init(None, None)
    say(told(lambda: snapshot.mpi.open(directory, every_steps=3, interval=1)))
    copies = []
    with snapshot.mpi.open(
            directory, World, every_steps=10, signals="USR1", partner=True, failure_domain=f"host {_rank}",
            shared_directory=directory + ".shared", on_copy=copies.append) as job:
        u = job.session.zeros("u", 1000)
        step = job.session.zeros("step", (), numpy.int64)
        say("from", job.generation, job.restarted, job.step == step, job.level.name, repr(job.skipped))
        job.session.on_checkpoint("fails", prepare=fail_on_rank_1)
        say(told(lambda: job.checkpoint(step)))
        say(job.failure)
        job.session.remove_handler("fails")
        while step < steps:
            u += _rank + 1
            step += 1
            job.poll(step)
        say(job.checkpoint(step) > job.generation, job.failure, job.is_ending, u.sum())
    say(job.session.closed, *sorted({copy.level.name for copy in copies if copy.is_complete}))
    mpi.MPI_Finalize()


main(sys.argv[1], int(sys.argv[2]))
