"""What went wrong, as exceptions."""

from __future__ import annotations

import enum

from ._library import lib


class Code(enum.IntEnum):
    """The codes of snapshot.h, with what they mean there."""

    NATIVE_LIBRARY = 1
    UNSUPPORTED = 2
    SYSTEM_CALL = 3
    ADDRESS_TAKEN = 4
    ARENA_FULL = 5
    NAME_TAKEN = 6
    LAYOUT_MISMATCH = 7
    BUSY = 8
    ABORTED = 9
    TIMED_OUT = 10
    HANDLER_FAILED = 11
    SELF_DEADLOCK = 12
    STAGING_FULL = 13
    NOT_FOUND = 14
    STORE_NOT_EMPTY = 15
    STORE_BUSY = 16
    STORE_IO = 17
    CORRUPT = 18
    UNSUPPORTED_FORMAT = 19
    CHAIN_BROKEN = 20
    OUTCOME_UNKNOWN = 21
    RESTART_FAILED = 22
    FIBER_MISMATCH = 23
    FIBER_FAILED = 24
    NATIVE_MODULE = 25
    UNTRUSTED = 26
    LIMIT_REACHED = 27
    UNCLAIMED = 28
    GATE_TIMEOUT = 29
    INVALID_SETTING = 30
    MEMORY_GONE = 31
    MPI = 32
    RANK_FAILED = 33
    OUT_OF_STEP = 34
    OPEN_MESSAGE = 35
    INVALID_ARGUMENT = 101
    MISUSE = 102
    CANCELLED = 103
    FORKED = 104
    OUT_OF_MEMORY = 105
    INTERNAL = 106


class Error(Exception):
    """A call failed. Nothing was changed, unless the text says otherwise."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        #: Of :class:`Code`, or a number that a newer library has.
        self.code: int = code
        self.text = text

    @property
    def name(self) -> str:
        """Of the code, such as "STORE_BUSY"."""
        return lib.snapshot_code_name(self.code).decode()

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


class AbortCheckpoint(Exception):
    """Raised by the prepare part of a handler: the checkpoint is aborted with this code, not 0."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        if not 0 < abs(code) < 2**31:
            raise ValueError(f"{code} is no code to abort a checkpoint with: it is 0, or too large")
        self.code = code


def last_error() -> Error:
    """The error of the call that has just failed on this thread."""
    return Error(lib.snapshot_error_code(), lib.snapshot_error().decode(errors="replace"))


def check(result: int) -> int:
    """The result of a call, if it did what it says."""
    if result < 0:
        raise last_error()
    return result


def text(value: str, what: str) -> bytes:
    """A text as the library takes it."""
    if not isinstance(value, str):
        raise TypeError(f"the {what} is a {type(value).__name__}, and not a str")
    if "\0" in value:
        raise ValueError(f"the {what} has a NUL in it")
    return value.encode()
