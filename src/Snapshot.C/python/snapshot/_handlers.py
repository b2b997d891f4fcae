"""Handlers: Python functions that the library calls around a checkpoint."""

from __future__ import annotations

import ctypes
import enum
import threading
from typing import Any, Callable, List, NamedTuple, Optional

from ._errors import AbortCheckpoint, Code, Error
from ._library import CommittedFunction, HandlerStructure, PrepareFunction, ResumeFunction

#: The code of a checkpoint that was aborted because a prepare part raised something else.
HANDLER_RAISED = -1


class OutcomeKind(enum.IntEnum):
    """What became of a checkpoint."""

    #: Memory was captured.
    CONTINUED = 1
    #: The process goes on from an image.
    RESTARTED = 2
    #: The checkpoint was aborted.
    NOT_CAPTURED = 3


class Outcome(NamedTuple):
    """What a resume part is told."""

    kind: OutcomeKind
    #: Of the handler that aborted it, else 0.
    abort_code: int
    #: That was captured, was to be captured, or was restarted from.
    generation: int


class Failures:
    """What handlers raised, until a call of the program can raise it."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._first: Optional[BaseException] = None

    def keep(self, failure: BaseException) -> None:
        with self._gate:
            self._first = self._first or failure

    def take(self) -> Optional[BaseException]:
        with self._gate:
            first, self._first = self._first, None
            return first

    def check(self) -> None:
        """Raises what a resume or committed part raised."""
        failure = self.take()
        if failure is not None:
            raise Error(
                Code.HANDLER_FAILED, f"A handler raised {type(failure).__name__}: {failure}"
            ) from failure


class Handler:
    """Three functions as C calls them; they stay alive as long as this does."""

    def __init__(
        self,
        failures: Failures,
        prepare: Optional[Callable[[int], Any]],
        resume: Optional[Callable[[Outcome], Any]],
        committed: Optional[Callable[[int], Any]],
    ) -> None:
        for part in (prepare, resume, committed):
            if part is not None and not callable(part):
                raise TypeError(f"a part of a handler is a {type(part).__name__}, and cannot be called")

        # ctypes prints what leaves a callback, and forgets it: nothing may leave these.
        def on_prepare(_: object, generation: int) -> int:
            try:
                prepare(generation)  # type: ignore[misc]
                return 0
            except AbortCheckpoint as abort:
                return abort.code
            except BaseException as failure:
                failures.keep(failure)
                return HANDLER_RAISED

        def on_resume(_: object, told: Any) -> None:
            try:
                outcome = told.contents
                resume(  # type: ignore[misc]
                    Outcome(OutcomeKind(outcome.kind), outcome.abort_code, outcome.generation))
            except BaseException as failure:
                failures.keep(failure)

        def on_committed(_: object, generation: int) -> None:
            try:
                committed(generation)  # type: ignore[misc]
            except BaseException as failure:
                failures.keep(failure)

        self.structure = HandlerStructure(
            ctypes.sizeof(HandlerStructure),
            PrepareFunction(on_prepare) if prepare else PrepareFunction(),
            ResumeFunction(on_resume) if resume else ResumeFunction(),
            CommittedFunction(on_committed) if committed else CommittedFunction(),
        )


class HandlerTable:
    """The handlers of a session or a participant, by name."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._handlers: dict = {}
        # ctypes frees a callback with its last reference, while it may still be on another thread's stack.
        self._retired: List[Handler] = []

    def add(self, name: str, handler: Handler, register: Callable[[Any], None]) -> None:
        register(ctypes.byref(handler.structure))
        self._handlers[name] = handler
        self._failures.check()

    def remove(self, name: str) -> None:
        self._retired.append(self._handlers.pop(name))
