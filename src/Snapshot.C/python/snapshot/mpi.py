"""The ranks of an MPI job, captured and restored as one: arrays of numpy on every rank survive.

    import numpy, snapshot.mpi
    from mpi4py import MPI

    job = snapshot.mpi.open("heat.job", MPI.COMM_WORLD, every_steps=100)
    u = job.session.zeros("u", (1000, 1000))     # zeros at first, later as all ranks were captured
    step = job.session.zeros("step", (), numpy.int64)
    while step < 2000:
        exchange(u)
        sweep(u)
        step += 1
        job.poll(step)                           # every rank, with the same steps
    job.close()

What a call guarantees is said in snapshot_job.h. mpi4py is needed for the program's own messages only: a
communicator is whatever has its number for Fortran (``py2f``), or that number.

What calls MPI is a file of the MPI of the machine: the environment variable SNAPSHOT_MPI names it, or it is
found as libsnapshot_mpi.so. ``snapshot mpi build -o libsnapshot_mpi.so`` makes it, or mpicc out of the sources
that docs/RANKS.md names.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Iterable, Optional, Union

from ._errors import Code, Error, check, last_error, text
from ._library import JobOptions, Options, lib
from ._session import Session, flags_of, names_of

VARIABLE = "SNAPSHOT_MPI"

#: What a program exits with that was asked to end and wants to be started again.
RUN_ME_AGAIN = 75

_ABI = 1
_IGNORE_MESSAGES = 1


class _JobSession(Session):
    """The session of a rank: it ends with the job."""

    def __init__(self, job: ctypes.c_void_p, directory: str, unmap_on_close: bool) -> None:
        session = lib.snapshot_job_session(job)
        if session is None:
            raise last_error()
        super().__init__(ctypes.c_void_p(session), directory, unmap_on_close)
        self._job = job

    def _close_handle(self) -> int:
        return lib.snapshot_job_close(self._job)


class Job:
    """All ranks as one: made by :func:`open`, and a context manager, which closes it.

    Collective are :func:`open`, :meth:`poll`, :meth:`checkpoint` and :meth:`close`: all ranks call them in the same
    order, with the same steps, on the thread that calls MPI. Where they do, everything that was sent has been received.
    """

    def __init__(self, handle: ctypes.c_void_p, directory: str, unmap_on_close: bool) -> None:
        self._handle = handle
        #: Of this rank: arrays, memory of the program, threads, handlers. Closing it closes the job.
        self.session: Session = _JobSession(handle, directory, unmap_on_close)

    @property
    def generation(self) -> int:
        """The generation of the job that all ranks were restored from; 0: it began fresh."""
        return check(lib.snapshot_job_generation(self._handle))

    @property
    def restarted(self) -> bool:
        """Whether it goes on from a generation."""
        return self.generation != 0

    @property
    def step(self) -> int:
        """The step at which that was captured; 0: the job began fresh."""
        return lib.snapshot_job_step(self._handle) if self.restarted else 0

    @property
    def skipped(self) -> str:
        """Newer generations that not every rank could restore, a line each; "": none."""
        found = lib.snapshot_job_skipped(self._handle)
        if found is None:
            raise last_error()
        return found.decode(errors="replace")

    def poll(self, step: Any) -> None:
        """A safepoint of the whole job, which counts and returns as a rule. When all ranks have agreed on a
        checkpoint, all capture at this step. One that fails costs only itself: :attr:`failure`."""
        if lib.snapshot_job_poll(self._handle, int(step)) < 0:
            raise last_error()
        self.session._failures.check()

    def checkpoint(self, step: Any) -> int:
        """Takes a checkpoint here, where all ranks call it; returns its number when it is published."""
        generation = ctypes.c_int64()
        if lib.snapshot_job_checkpoint(self._handle, int(step), ctypes.byref(generation)) < 0:
            self.session._raise(last_error())
        return generation.value

    def request(self) -> None:
        """Asks for a checkpoint at one of the next polls of all ranks. One rank is enough; any thread."""
        check(lib.snapshot_job_request(self._handle))

    @property
    def failure(self) -> Optional[Error]:
        """What the newest checkpoint failed with, on whichever rank; None: it did not."""
        return last_error() if lib.snapshot_job_failure(self._handle) < 0 else None

    @property
    def is_ending(self) -> bool:
        """Whether the program was asked to end, by a signal or the time limit, and the checkpoint for it is published.
        True on all ranks from the same poll on: leave the loop, and exit with :data:`RUN_ME_AGAIN`."""
        return check(lib.snapshot_job_is_ending(self._handle)) == 1

    def check_messages_on(self, communicator: Any) -> None:
        """Looks for messages that were not received also on this communicator."""
        check(lib.snapshot_job_check_messages_with(self._handle, _number_of(communicator)))

    def close(self) -> None:
        """Publishes what is under way, and closes the job with its session; again does nothing. Before MPI ends."""
        self.session.close()

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.session.__exit__(*failure)

    def __repr__(self) -> str:
        return f"<snapshot.mpi.Job of {self.session.store!r}{', closed' if self.session.closed else ''}>"


def open(  # noqa: A001
    directory: Union[str, "os.PathLike[str]"],
    communicator: Any = None,
    *,
    every_steps: int = 0,
    interval: float = 0.0,
    mtbf: float = 0.0,
    time_limit: float = 0.0,
    time_margin: float = 0.0,
    signals: Union[str, Iterable[Union[str, int]]] = (),
    keep: int = 0,
    ignore_messages: bool = False,
    lazy: bool = False,
    allow_unlocked: bool = False,
    unmap_on_close: bool = False,
    capacity: int = 0,
    staging_limit: int = 0,
    encoders: int = 0,
    timeout: float = 0.0,
) -> Job:
    """Opens a job in a directory: restores all ranks from the newest generation that every one of them has, or
    starts fresh. Collective, while MPI is running.

    :param directory: The same for all ranks; each has a store in it.
    :param communicator: Of the ranks: one of mpi4py, or its number for Fortran; None: all processes.
    :param every_steps: A checkpoint at each step that it divides; 0: none.
    :param interval: Seconds from one checkpoint to the next; 0: none.
    :param mtbf: Seconds between failures on average, from which the interval follows; 0: none.
    :param time_limit: Seconds that the job may run from now on; 0: no limit.
    :param time_margin: How long before the limit the last checkpoint begins; 0: a minute.
    :param signals: That ask for the last checkpoint, as "USR1,TERM" or [signal.SIGUSR1].
    :param keep: Published generations that stay; 0: 2.
    :param ignore_messages: Do not look for messages that nobody received.

    The others are those of :func:`snapshot.open`.
    """
    session = Options(
        size=ctypes.sizeof(Options),
        flags=flags_of(lazy=lazy, unmap_on_close=unmap_on_close, allow_unlocked=allow_unlocked), capacity=capacity,
        staging_limit=staging_limit, encoders=encoders, timeout=timeout)
    options = JobOptions(
        size=ctypes.sizeof(JobOptions), session=ctypes.pointer(session),
        flags=_IGNORE_MESSAGES if ignore_messages else 0, keep=keep, every_steps=every_steps, interval=interval,
        mtbf=mtbf, time_limit=time_limit, time_margin=time_margin, signals=names_of(signals) or None)
    handle = ctypes.c_void_p()
    check(lib.snapshot_job_open_with(
        _calls(), _number_of(communicator), os.fsencode(directory), ctypes.byref(options), ctypes.byref(handle)))
    return Job(handle, os.fspath(directory), unmap_on_close)


def _number_of(communicator: Any) -> int:
    if communicator is None:
        return 0
    return communicator.py2f() if hasattr(communicator, "py2f") else int(communicator)


def _calls() -> int:
    """The table of calls, of a file that was compiled for the MPI that runs in this process."""
    path = os.environ.get(VARIABLE) or "libsnapshot_mpi.so"
    try:
        library = ctypes.CDLL(path)
        entry, initialized = library.snm_calls, library.MPI_Initialized
    except (OSError, AttributeError) as failure:
        raise Error(
            Code.NATIVE_LIBRARY,
            f"What calls MPI cannot be loaded: {failure}. Make it with 'snapshot mpi build -o FILE', and let the "
            f"environment variable {VARIABLE} name it.") from None
    running = ctypes.c_int()
    initialized(ctypes.byref(running))
    if not running.value:
        raise Error(
            Code.MISUSE,
            f"The MPI that {path} was compiled for is not running in this process: open a job after MPI_Init "
            "(mpi4py calls it when MPI is imported), and with the MPI that the program uses.")
    entry.restype = ctypes.c_void_p
    entry.argtypes = [ctypes.c_int32]
    return entry(_ABI)
