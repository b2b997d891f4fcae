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
import enum
import os
from typing import Any, Callable, Iterable, NamedTuple, Optional, Union

from ._errors import Code, Error, check, last_error, text
from ._handlers import Failures
from ._library import CopyFunction, JobOptions, Options, lib
from ._session import Session, flags_of, names_of

VARIABLE = "SNAPSHOT_MPI"

#: What a program exits with that was asked to end and wants to be started again.
RUN_ME_AGAIN = 75

_ABI = 1
_IGNORE_MESSAGES, _PARTNER = 1, 2


class Level(enum.IntEnum):
    """Where images of a generation are."""

    #: In each rank's own store.
    LOCAL = 0
    #: With a rank of another host: survives the loss of any one host.
    PARTNER = 1
    #: In the shared directory: survives the loss of all hosts.
    SHARED = 2


class Copy(NamedTuple):
    """How far a published generation is copied to another level."""

    level: Level
    #: Of the job.
    generation: int
    #: Of this rank's images, those copied.
    bytes_done: int
    #: Of this rank's images, those that the level did not have.
    bytes_total: int
    #: All ranks are done, and the manifest of the job says so.
    is_complete: bool
    #: Why it was given up, on whichever rank; None: it was not.
    error: Optional[str]


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

    def __init__(
        self, handle: ctypes.c_void_p, directory: str, unmap_on_close: bool, copies: "_Copies"
    ) -> None:
        self._handle = handle
        self._copies = copies
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
    def level(self) -> Level:
        """Where this rank's images came from: another than LOCAL where its own store did not have them whole."""
        return Level(check(lib.snapshot_job_level(self._handle)))

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
        self._copies.failures.check()

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
    partner: bool = False,
    failure_domain: Optional[str] = None,
    shared_directory: Optional[Union[str, "os.PathLike[str]"]] = None,
    shared_every: int = 0,
    copy_rate: int = 0,
    on_copy: Optional[Callable[[Copy], Any]] = None,
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
    :param partner: Copy each published generation to ranks of another host, while the program computes.
    :param failure_domain: What is lost together with this rank; None: the name of the host.
    :param shared_directory: That all hosts see, for copies of generations; None: none.
    :param shared_every: Every how many generations one is copied there; 0: 1.
    :param copy_rate: Bytes a second that each rank copies to a level; 0: as fast as it can.
    :param on_copy: Is told of copies, in poll; must not call the job. What it raises the next poll raises.

    The others are those of :func:`snapshot.open`.
    """
    copies = _Copies(on_copy)
    session = Options(
        size=ctypes.sizeof(Options),
        flags=flags_of(lazy=lazy, unmap_on_close=unmap_on_close, allow_unlocked=allow_unlocked), capacity=capacity,
        staging_limit=staging_limit, encoders=encoders, timeout=timeout)
    options = JobOptions(
        size=ctypes.sizeof(JobOptions), session=ctypes.pointer(session),
        flags=(_IGNORE_MESSAGES if ignore_messages else 0) | (_PARTNER if partner else 0), keep=keep,
        every_steps=every_steps, interval=interval, mtbf=mtbf, time_limit=time_limit, time_margin=time_margin, signals=names_of(signals) or None,
        failure_domain=None if failure_domain is None else text(failure_domain, "failure domain"),
        shared_directory=None if shared_directory is None else os.fsencode(shared_directory),
        shared_every=shared_every, copy_rate=copy_rate, on_copy=copies.function)
    handle = ctypes.c_void_p()
    check(lib.snapshot_job_open_with(
        _calls(), _number_of(communicator), os.fsencode(directory), ctypes.byref(options), ctypes.byref(handle)))
    return Job(handle, os.fspath(directory), unmap_on_close, copies)


class _Copies:
    """Who is told of copies; kept as long as the job."""

    def __init__(self, told: Optional[Callable[[Copy], Any]]) -> None:
        self.failures = Failures()
        self.function = CopyFunction() if told is None else CopyFunction(self._tell)
        self._told = told

    def _tell(self, _: object, copy: Any) -> None:
        one = copy.contents
        try:
            self._told(Copy(  # type: ignore[misc]
                Level(one.level), one.generation, one.bytes_done, one.bytes_total, one.is_complete != 0,
                None if one.error is None else one.error.decode(errors="replace")))
        except BaseException as failure:
            self.failures.keep(failure)


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
