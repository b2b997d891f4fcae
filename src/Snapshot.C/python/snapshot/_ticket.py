"""Waiting for checkpoints, so that Ctrl-C ends the wait."""

from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from typing import Any, Generator, Iterator, Optional

from ._errors import Code, Error, check, last_error
from ._handlers import Failures
from ._library import lib
from ._participant import current

# The first pause between two looks, and the longest: how long Ctrl-C may take.
_SHORTEST = 0.0005
_LONGEST = 0.02


def _pauses() -> Iterator[float]:
    pause = _SHORTEST
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST)


class Ticket:
    """A checkpoint that was taken, and may be waited for: more than once, and by any thread.

    It can be awaited, too: ``generation = await session.checkpoint()``.
    """

    def __init__(self, failures: Failures, keeps_alive: object) -> None:
        self._handle = ctypes.c_void_p()
        self._failures = failures
        self._keeps_alive = keeps_alive
        self._gate = threading.Lock()
        self._error: Optional[BaseException] = None
        self._was_told = False
        #: The generation, once it is durable; 0 before, and when it failed.
        self.generation = 0

    @property
    def done(self) -> bool:
        """Whether :meth:`wait` would return, or raise, at once."""
        with self._gate:
            if self._handle.value is None:
                return True
            return check(lib.snapshot_is_done(self._handle)) == 1

    def wait(self, timeout: Optional[float] = None) -> int:
        """Waits until it is durable; its generation.

        Ctrl-C ends the wait, and not the checkpoint. Raises what went wrong with it, and TimeoutError when so
        many seconds have passed.
        """
        participant = current()
        if participant is not None and participant._critical:
            # The checkpoint waits for this thread: the library says so.
            self._finish()
            return self._result()
        end = None if timeout is None else time.monotonic() + timeout
        for pause in _pauses():
            if self.done:
                break
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"the checkpoint is not durable after {timeout} seconds")
            if participant is not None:
                participant._pass_safepoint()
            time.sleep(pause)
        self._finish()
        return self._result()

    def cancel(self) -> None:
        """Gives the checkpoint up, if its commit has not begun; wait then raises CANCELLED."""
        with self._gate:
            if self._handle.value is not None:
                check(lib.snapshot_cancel(self._handle))

    def __await__(self) -> Generator[Any, None, int]:
        for pause in _pauses():
            if self.done:
                break
            yield from asyncio.sleep(pause).__await__()
        self._finish()
        return self._result()

    def _finish(self) -> None:
        """Takes the result from the library, once."""
        with self._gate:
            if self._handle.value is None:
                return
            generation = ctypes.c_int64()
            result = lib.snapshot_wait(self._handle, ctypes.byref(generation))
            if result < 0:
                error = last_error()
                if error.code in (Code.SELF_DEADLOCK, Code.FORKED):
                    raise error
                if error.code in (Code.ABORTED, Code.HANDLER_FAILED):
                    error.__cause__ = self._failures.take()
                self._error = error
            self.generation = generation.value
            self._handle = ctypes.c_void_p()
            self._keeps_alive = None

    def _result(self) -> int:
        self._was_told = True
        if self._error is not None:
            raise self._error
        return self.generation

    def _untold_error(self) -> Optional[BaseException]:
        """What nobody was told, of a checkpoint that is done; None: nothing. Once."""
        if self._was_told:
            return None
        self._was_told = True
        return self._error
