"""Stores that are read without a session."""

from __future__ import annotations

import ctypes
import datetime
import os
from typing import Any, List, NamedTuple, Optional, Union

import numpy

from ._errors import Code, Error, check, text
from ._layout import layout_of
from ._library import GenerationStructure, lib
from ._session import Shape


class Generation(NamedTuple):
    """A generation of a store."""

    generation: int
    #: That it is an increment of; 0: it is full.
    parent: int
    created: datetime.datetime
    #: Of its file.
    bytes: int
    #: "" where it has none.
    tag: str


class Store:
    """A store that is read, also while a session writes it: it is as it was when this was made.

    A context manager, which closes it.
    """

    def __init__(self, directory: Union[str, "os.PathLike[str]"]) -> None:
        self._handle = ctypes.c_void_p()
        check(lib.snapshot_store_open(os.fsencode(directory), ctypes.byref(self._handle)))

    def list(self) -> List[Generation]:
        """Its generations, oldest first."""
        room = check(lib.snapshot_store_list(self._handle, None, 0))
        found = (GenerationStructure * room)()
        check(lib.snapshot_store_list(self._handle, found, room))
        return [
            Generation(
                one.generation, one.parent,
                datetime.datetime.fromtimestamp(one.created, datetime.timezone.utc), one.bytes,
                (one.tag or b"").decode())
            for one in found
        ]

    def array(
        self, name: str, dtype: Any = float, shape: Optional[Shape] = None, generation: Optional[int] = None
    ) -> numpy.ndarray:
        """A copy of an array that a session has, or had.

        :param shape: None: all elements on one axis.
        :param generation: None: the newest.
        """
        return self.region(f"main/{name}", dtype, shape, generation)

    def region(
        self, name: str, dtype: Any = "u1", shape: Optional[Shape] = None, generation: Optional[int] = None
    ) -> numpy.ndarray:
        """A copy of memory that was protected by that name, or of "main/NAME", an array."""
        kind = numpy.dtype(dtype)
        layout_of(kind)
        wanted = self._newest() if generation is None else generation
        encoded = text(name, "name")
        size = check(lib.snapshot_store_size(self._handle, wanted, encoded))
        if size % kind.itemsize != 0:
            raise Error(
                Code.LAYOUT_MISMATCH, f"'{name}' has {size} bytes, and elements of {kind} have {kind.itemsize}.")
        result = numpy.empty(size // kind.itemsize, kind)
        check(lib.snapshot_store_read(self._handle, wanted, encoded, 0, result.ctypes.data, size))
        return result if shape is None else result.reshape(shape)

    def close(self) -> None:
        """Again does nothing."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        check(lib.snapshot_store_close(handle))

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None and handle.value is not None:
            lib.snapshot_store_close(handle)

    def _newest(self) -> int:
        generations = self.list()
        if not generations:
            raise Error(Code.NOT_FOUND, "The store has no generations.")
        return generations[-1].generation
