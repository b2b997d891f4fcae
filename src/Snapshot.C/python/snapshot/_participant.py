"""Threads that take part in checkpoints."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from typing import Any, Callable, Iterator, Optional

from ._errors import check, text
from ._handlers import Failures, Handler, HandlerTable, Outcome
from ._library import lib

_current = threading.local()


def current() -> Optional["Participant"]:
    """The participant of the calling thread."""
    return getattr(_current, "participant", None)


class Participant:
    """A thread that takes part in checkpoints, from :meth:`Session.attach` until :meth:`detach`.

    Threads need it that write arrays while another one takes a checkpoint. Only its own thread uses it. It is
    a context manager, which detaches at its end.
    """

    def __init__(self, session: ctypes.c_void_p, failures: Failures, name: str) -> None:
        self._handle = ctypes.c_void_p()
        check(lib.snapshot_attach(session, text(name, "name"), ctypes.byref(self._handle)))
        self.name = name
        self._failures = failures
        self._handlers = HandlerTable(failures)
        # The first word that the handle points to is the address of the word that polls read.
        stop = ctypes.c_void_p.from_address(self._handle.value or 0).value
        self._stop = ctypes.c_uint32.from_address(stop or 0)
        self._critical = 0
        self._blocked = 0
        _current.participant = self

    def poll(self) -> None:
        """A safepoint: here, and not in between, the thread may be captured."""
        if self._stop.value:
            check(lib.snapshot_poll_slow(self._handle))
            self._failures.check()

    @contextlib.contextmanager
    def critical(self) -> Iterator[None]:
        """No checkpoint takes place inside."""
        check(lib.snapshot_enter_critical(self._handle))
        self._critical += 1
        try:
            yield
        finally:
            self._critical -= 1
            check(lib.snapshot_exit_critical(self._handle))

    @contextlib.contextmanager
    def blocked(self, what: Optional[str] = None) -> Iterator[None]:
        """Inside the thread counts as stopped, as while it waits for a message, and touches no arrays."""
        encoded = None if what is None else text(what, "description")
        check(lib.snapshot_enter_blocked(self._handle, encoded))
        self._blocked += 1
        try:
            yield
        finally:
            self._blocked -= 1
            check(lib.snapshot_exit_blocked(self._handle))

    def on_stop(
        self,
        name: str,
        prepare: Optional[Callable[[int], Any]] = None,
        resume: Optional[Callable[[Outcome], Any]] = None,
        committed: Optional[Callable[[int], Any]] = None,
    ) -> None:
        """Registers a handler that runs on this thread once it has stopped. See Session.on_checkpoint."""
        encoded = text(name, "name")
        self._handlers.add(
            name, Handler(self._failures, prepare, resume, committed),
            lambda handler: check(lib.snapshot_on_stop(self._handle, encoded, handler, None)))

    def remove_handler(self, name: str) -> None:
        """What it was is not called any more when this returns."""
        check(lib.snapshot_remove_stop_handler(self._handle, text(name, "name")))
        self._handlers.remove(name)

    def detach(self) -> None:
        """The last thing that a participant does; again does nothing."""
        if self._handle.value is None:
            return
        check(lib.snapshot_detach(self._handle))
        self._handle = ctypes.c_void_p()
        _current.participant = None

    def __enter__(self) -> "Participant":
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def _pass_safepoint(self) -> None:
        """While the thread waits; not where a checkpoint could not go on anyway."""
        if not self._critical and not self._blocked:
            self.poll()
