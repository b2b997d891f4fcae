"""Sessions: open a store, have arrays, take checkpoints."""

from __future__ import annotations

import atexit
import ctypes
import enum
import os
import signal
import sys
import threading
import warnings
import weakref
from typing import Any, Callable, Dict, Iterable, List, NoReturn, Optional, Sequence, Set, Tuple, Union

import numpy

from ._errors import Code, Error, check, last_error, text
from ._handlers import Failures, Handler, HandlerTable, Outcome
from ._layout import layout_of
from ._library import Options, ProgressFunction, Request, lib
from ._participant import Participant
from ._ticket import Ticket

Shape = Union[int, Sequence[int]]


class Start(enum.IntEnum):
    """Where a session begins."""

    #: From the newest generation, or fresh when there is none.
    CONTINUE = 0
    #: Fresh; the generations that the store has stay until retention removes them.
    START_OVER = 1
    #: From a generation; NOT_FOUND when there is none.
    RESTART = 2


class Due(enum.IntFlag):
    """Why a checkpoint is due; empty, and hence false: it is not."""

    #: The interval has passed since the last checkpoint.
    INTERVAL = 1
    #: One of the signals has come.
    SIGNAL = 2
    #: The time of the job is about to end: once.
    LIMIT = 4


class Stage(enum.IntEnum):
    """How far a checkpoint is."""

    WAITING = 0
    PREPARING = 1
    STOPPING = 2
    DRAINING = 3
    COMMITTING = 4


_LAZY, _ALLOW_OLDER, _UNMAP_ON_CLOSE, _ALLOW_UNLOCKED = 1, 2, 4, 8
_SKIP_IF_BUSY, _RETURN_AT_ONCE = 1, 2
_FILL_LATER, _ALWAYS_HASH = 1, 2

# Until they are closed: a program that ends without closing has its last checkpoint all the same.
_open: Set["Session"] = set()


def open(  # noqa: A001
    store: Union[str, "os.PathLike[str]"],
    *,
    start: Start = Start.CONTINUE,
    generation: int = 0,
    tag: Optional[str] = None,
    lazy: bool = False,
    allow_older: bool = False,
    allow_unlocked: bool = False,
    unmap_on_close: bool = False,
    capacity: int = 0,
    staging_limit: int = 0,
    encoders: int = 0,
    keep: int = 0,
    timeout: float = 0.0,
    interval: float = 0.0,
    time_limit: float = 0.0,
    time_margin: float = 0.0,
    signals: Union[str, Iterable[Union[str, int]]] = (),
) -> "Session":
    """Opens a session with a store, a directory, which is made when it is missing.

    :param start: See :class:`Start`.
    :param generation: To restart from; 0: the newest.
    :param tag: Restart from the newest generation with this tag; None: of any.
    :param lazy: Memory comes when it is touched, and in the background: starts at once.
    :param allow_older: Go on from an older generation when the wanted one is damaged.
    :param allow_unlocked: Go on where the file system has no locks.
    :param unmap_on_close: Arrays are gone after close, so that the store may be opened again by the same
        process, as in a notebook. Close then raises BufferError while something still refers to one.
    :param capacity: Address space of the arrays in bytes; 0: 64 GiB, or what it may have.
    :param staging_limit: Bytes of memory for copies of changed pages; 0: half of what there is.
    :param encoders: Threads that compress; 0: half of the processors.
    :param keep: Generations that are kept; 0: 2.
    :param timeout: Seconds for all threads to come to a safepoint; 0: 60.
    :param interval: Session.due: seconds from one checkpoint to the next; 0: none.
    :param time_limit: Session.due: seconds that the job may run from now on; 0: no limit.
    :param time_margin: Session.due: how long before the limit; 0: a minute.
    :param signals: Session.due: signals that ask for one, as "USR1,TERM" or [signal.SIGUSR1].
    """
    options = Options(
        size=ctypes.sizeof(Options), start=int(start),
        flags=flags_of(
            lazy=lazy, allow_older=allow_older, unmap_on_close=unmap_on_close, allow_unlocked=allow_unlocked),
        generation=generation, tag=None if tag is None else text(tag, "tag"), capacity=capacity,
        staging_limit=staging_limit, encoders=encoders, keep=keep, timeout=timeout, interval=interval,
        time_limit=time_limit, time_margin=time_margin, signals=names_of(signals) or None)
    handle = ctypes.c_void_p()
    check(lib.snapshot_open(os.fsencode(store), ctypes.byref(options), ctypes.byref(handle)))
    return Session(handle, os.fspath(store), unmap_on_close)


def flags_of(
    *, lazy: bool = False, allow_older: bool = False, unmap_on_close: bool = False, allow_unlocked: bool = False
) -> int:
    """These as the library takes them."""
    return ((_LAZY if lazy else 0) | (_ALLOW_OLDER if allow_older else 0)
            | (_UNMAP_ON_CLOSE if unmap_on_close else 0) | (_ALLOW_UNLOCKED if allow_unlocked else 0))


def names_of(signals: Union[str, Iterable[Union[str, int]]]) -> bytes:
    """Signals as the library takes them."""
    if isinstance(signals, str):
        return text(signals, "signals")
    names = (one if isinstance(one, str) else signal.Signals(one).name for one in signals)
    return text(",".join(names), "signals")


class _Memory:
    """An array's memory: what views keep alive, and the session with it."""

    def __init__(self, session: "Session", name: str, address: int, size: int) -> None:
        self.session = session
        self.name = name
        self.__array_interface__ = {
            "shape": (size,), "typestr": "|u1", "data": (address, False), "version": 3}


class Session:
    """A session with a store: made by :func:`snapshot.open`, and a context manager, which closes it.

    Any thread may call any method. In a forked child all but close raise an error of code FORKED; the arrays
    are plain memory there.
    """

    def __init__(self, handle: ctypes.c_void_p, store: str, unmap_on_close: bool) -> None:
        self._handle = handle
        #: The directory.
        self.store = store
        self._unmaps = unmap_on_close
        self._process = os.getpid()
        self._gate = threading.Lock()
        self._failures = Failures()
        self._handlers = HandlerTable(self._failures)
        self._tickets: List[Ticket] = []
        self._protected: Dict[str, numpy.ndarray] = {}
        self._memory: "weakref.WeakSet[_Memory]" = weakref.WeakSet()
        _open.add(self)

    # ---- what it began from

    @property
    def generation(self) -> int:
        """The generation that it restarted from; 0: it began fresh."""
        return check(lib.snapshot_generation(self._handle))

    @property
    def restarted(self) -> bool:
        """Whether it goes on from a generation."""
        return self.generation != 0

    @property
    def tag(self) -> str:
        """The tag of that generation; "" where it had none."""
        found = lib.snapshot_tag(self._handle)
        if found is None:
            raise last_error()
        return found.decode()

    # ---- arrays

    def zeros(self, name: str, shape: Shape = (), dtype: Any = float, order: str = "C") -> numpy.ndarray:
        """The array of that name: as it was, or zeros. A shape of () makes a scalar, as an array without axes.

        Write into it (``u[:] = …``, ``step += 1``): ``step = step + 1`` makes a number of Python, which no
        image has. The dtype and the number of elements are compared with what exists, not the shape.
        """
        encoded, kind, dimensions = self._asked_for(name, shape, dtype)
        count = _product(dimensions)
        address = lib.snapshot_array(self._handle, encoded, layout_of(kind).encode(), count)
        if address is None:
            raise last_error()
        return self._view(name, address, count, kind).reshape(dimensions, order=order)  # type: ignore[call-overload]

    def array(self, name: str, value: Any, dtype: Any = None) -> numpy.ndarray:
        """The array of that name: as it was, or with this value, whose shape and dtype it must have."""
        given = numpy.asarray(value, dtype)
        is_new = self.find(name, given.dtype) is None
        result = self.zeros(name, given.shape, given.dtype)
        if is_new:
            result[...] = given
        return result

    def find(self, name: str, dtype: Any = float) -> Optional[numpy.ndarray]:
        """The elements of the array of that name, on one axis; None: there is none."""
        encoded, kind, _ = self._asked_for(name, (), dtype)
        address = ctypes.c_void_p()
        count = check(lib.snapshot_find_array(
            self._handle, encoded, layout_of(kind).encode(), ctypes.byref(address)))
        return None if address.value is None else self._view(name, address.value, count, kind)

    def remove(self, name: str) -> None:
        """Frees the array of that name, which nobody may touch any more."""
        check(lib.snapshot_remove_array(self._handle, text(name, "name")))

    def exclude(self, array: numpy.ndarray) -> int:
        """Leaves the whole pages of an array out of images; returns the bytes that are left out now."""
        return check(lib.snapshot_exclude(self._handle, *_range_of(array)))

    def include(self, array: numpy.ndarray) -> int:
        """Takes them in again; returns the bytes that this concerns."""
        return check(lib.snapshot_include(self._handle, *_range_of(array)))

    # ---- memory of the program

    def protect(
        self, name: str, array: numpy.ndarray, *, fill_later: bool = False, always_hash: bool = False
    ) -> None:
        """Makes an array of the program part of the images, and fills it with what the generation has.

        Its memory is kept until :meth:`unprotect`, and must not be resized. Arrays of the session cost less.

        :param fill_later: Leave its content until :meth:`fill`.
        :param always_hash: A device, or another process, may write it: look at all of it each time.
        """
        encoded = text(name, "name")
        layout_of(array.dtype)
        if not array.flags.writeable:
            raise ValueError("the array cannot be written, so that a restart could not fill it")
        address, size = _range_of(array)
        check(lib.snapshot_protect(
            self._handle, encoded, address, size,
            (_FILL_LATER if fill_later else 0) | (_ALWAYS_HASH if always_hash else 0)))
        self._protected[name] = array

    def fill(self, name: str) -> bool:
        """Fills it now; False: the generation had none of that name, or it is filled already."""
        return check(lib.snapshot_fill(self._handle, text(name, "name"))) == 1

    def unprotect(self, name: str) -> None:
        """From now on it is in no image. Also of what the generation has and this program does not need."""
        check(lib.snapshot_unprotect(self._handle, text(name, "name")))
        self._protected.pop(name, None)

    # ---- checkpoints

    def checkpoint(
        self,
        tag: Optional[str] = None,
        *,
        wait: bool = False,
        timeout: float = 0.0,
        skip_if_busy: bool = False,
        at_once: bool = False,
        progress: Optional[Callable[[Stage, int, int], Any]] = None,
    ) -> Ticket:
        """Takes a checkpoint, and returns when memory is captured: arrays may be written again.

        The image is written and made durable in the background. An error after the capture is raised by
        Ticket.wait, or, if nobody waits, by the next checkpoint, which is taken all the same, or by close.

        :param tag: Recorded with the generation, such as its step.
        :param wait: Return when it is durable.
        :param timeout: Seconds for all threads to come to a safepoint; 0: as the session has it.
        :param skip_if_busy: Raise BUSY while another checkpoint is being written, instead of waiting.
        :param at_once: Return when it is asked for; memory changes until it is captured.
        :param progress: Is told the stage, the pages that are done, and how many there are, on a thread of the
            library; must not call the session.
        """
        if not (skip_if_busy or at_once):
            self._await_written()
        told = self._progress_of(progress)
        ticket = Ticket(self._failures, told)
        request = Request(
            size=ctypes.sizeof(Request),
            flags=(_SKIP_IF_BUSY if skip_if_busy else 0) | (_RETURN_AT_ONCE if at_once else 0),
            timeout=timeout, tag=None if tag is None else text(tag, "tag"), progress=told)
        # It is known before it is taken, so that Ctrl-C in between loses nothing.
        with self._gate:
            self._tickets.append(ticket)
        if lib.snapshot_checkpoint(self._handle, ctypes.byref(request), ctypes.byref(ticket._handle)) < 0:
            self._raise(last_error())
        self._raise_untold(but=ticket)
        if wait:
            ticket.wait()
        return ticket

    def due(self) -> Due:
        """Whether a checkpoint is due, by interval, signals and time limit. Cheap enough for each step."""
        return Due(check(lib.snapshot_due(self._handle)))

    @property
    def last_signal(self) -> Optional[signal.Signals]:
        """The signal that due told last; None: none."""
        number = check(lib.snapshot_last_signal(self._handle))
        return signal.Signals(number) if number else None

    # ---- threads and handlers

    def attach(self, name: str) -> Participant:
        """Makes the calling thread a participant, by a name that is unique among the attached."""
        return Participant(self._handle, self._failures, name)

    def on_checkpoint(
        self,
        name: str,
        prepare: Optional[Callable[[int], Any]] = None,
        resume: Optional[Callable[[Outcome], Any]] = None,
        committed: Optional[Callable[[int], Any]] = None,
    ) -> None:
        """Registers functions around checkpoints, by a name under which the next process registers them again.

        They run on a thread of the library, and must not take a checkpoint.

        :param prepare: Is called with the generation before memory is captured. Raise AbortCheckpoint, or
            anything else, to abort the checkpoint: its error has it as its cause.
        :param resume: Is called with an :class:`Outcome` after memory was captured or not, and soon after
            this method was called after a restart. What it raises the next checkpoint, poll or close raises, as
            HANDLER_FAILED.
        :param committed: Is called with the generation when it is durable. What it raises: as above.
        """
        encoded = text(name, "name")
        self._handlers.add(
            name, Handler(self._failures, prepare, resume, committed),
            lambda handler: check(lib.snapshot_on_checkpoint(self._handle, encoded, handler, None)))

    def remove_handler(self, name: str) -> None:
        """What it was is not called any more when this returns."""
        check(lib.snapshot_remove_handler(self._handle, text(name, "name")))
        self._handlers.remove(name)

    # ---- the end

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self not in _open

    def close(self) -> None:
        """Waits until the last checkpoint is durable, and closes the session; again does nothing.

        Raises what went wrong with it; the session is closed all the same. Arrays stay as plain memory.
        """
        if self.closed:
            return
        if os.getpid() != self._process:
            _open.discard(self)
            self._close_handle()
            return
        if self._unmaps:
            self._require_no_views()
        self._await_written()
        _open.discard(self)
        check(self._close_handle())
        self._protected.clear()
        self._raise_untold(but=None)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except Error as error:
            if kind is None:
                raise
            warnings.warn(f"closing {self.store}: {error}", RuntimeWarning, stacklevel=2)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a session belongs to its process: give others the arrays, which are copied, or the directory")

    def __repr__(self) -> str:
        return f"<snapshot.Session of {self.store!r}{', closed' if self.closed else ''}>"

    # ---- inside

    def _close_handle(self) -> int:
        return lib.snapshot_close(self._handle)

    @staticmethod
    def _asked_for(name: str, shape: Shape, dtype: Any) -> Tuple[bytes, numpy.dtype, Tuple[int, ...]]:
        if not isinstance(name, str):
            raise TypeError(
                f"an array has a name, by which the next process finds it; {name!r} is none: "
                "zeros(\"u\", (n, m))")
        dimensions = (shape,) if isinstance(shape, (int, numpy.integer)) else tuple(shape)
        return text(name, "name"), numpy.dtype(dtype), tuple(int(length) for length in dimensions)

    def _view(self, name: str, address: int, count: int, dtype: numpy.dtype) -> numpy.ndarray:
        memory = _Memory(self, name, address, count * dtype.itemsize)
        self._memory.add(memory)
        return numpy.asarray(memory).view(dtype)

    def _require_no_views(self) -> None:
        names = sorted({memory.name for memory in self._memory})
        if names:
            raise BufferError(
                f"something still refers to {', '.join(names)}, whose memory would be gone: delete that, or "
                "open without unmap_on_close")

    def _await_written(self) -> None:
        """Waits, as Ctrl-C may end it, until what was asked for is durable or has failed."""
        for ticket in self._unfinished():
            try:
                ticket.wait()
            except Error as error:
                if error is not ticket._error:
                    raise
                ticket._was_told = False

    def _unfinished(self) -> List[Ticket]:
        with self._gate:
            return [ticket for ticket in self._tickets if ticket._handle.value is not None]

    def _raise_untold(self, but: Optional[Ticket]) -> None:
        """Raises the first error of tickets that are done, of which nobody was told."""
        with self._gate:
            finished = [one for one in self._tickets if one is not but and one._handle.value is None]
            self._tickets = [one for one in self._tickets if one not in finished]
        for ticket in finished:
            error = ticket._untold_error()
            if error is not None:
                raise error
        self._failures.check()

    def _raise(self, error: Error) -> NoReturn:
        if error.code in (Code.ABORTED, Code.HANDLER_FAILED):
            raise error from self._failures.take()
        raise error

    def _progress_of(self, progress: Optional[Callable[[Stage, int, int], Any]]) -> Any:
        if progress is None:
            return ProgressFunction()

        def tell(_: object, stage: int, done: int, total: int) -> None:
            try:
                progress(Stage(stage), done, total)
            except BaseException as failure:
                self._failures.keep(failure)

        return ProgressFunction(tell)


def _product(dimensions: Tuple[int, ...]) -> int:
    count = 1
    for length in dimensions:
        if length < 0:
            raise ValueError(f"the shape {dimensions} has a negative length")
        count *= length
    return count


def _range_of(array: numpy.ndarray) -> Tuple[int, int]:
    """Where an array's bytes are, and how many."""
    if not isinstance(array, numpy.ndarray):
        raise TypeError(f"a numpy array is needed, and not a {type(array).__name__}")
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        raise ValueError("the array has gaps between its elements: it is not one range of memory")
    return array.ctypes.data, array.nbytes


@atexit.register
def _close_all() -> None:
    for session in list(_open):
        try:
            session._unmaps = False
            session.close()
        except Exception as error:
            print(f"snapshot: closing {session.store}: {error}", file=sys.stderr)
