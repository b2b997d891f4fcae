"""Layouts: how the library records the elements of an array, so that the next process asks for the same."""

from __future__ import annotations

import hashlib
from typing import Iterator, Tuple
from urllib.parse import quote

import numpy

_KNOWN = {
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float32": "f32", "float64": "f64", "complex64": "c64", "complex128": "c128",
    "bool": "u8",
}

# Longer names are told apart by a hash.
_LONGEST_NAME = 120


def layout_of(dtype: numpy.dtype) -> str:
    """The layout of a dtype: a number's, or "struct:SIZE:NAME" with a name that says each field."""
    if dtype.hasobject:
        raise TypeError(f"{dtype} has Python objects, whose bytes mean nothing to another process")
    if dtype.subdtype is not None:
        raise TypeError(f"{dtype} is an array: give its lengths with the shape")
    if dtype.itemsize == 0:
        raise TypeError(f"elements of {dtype} have no bytes")
    if dtype.isnative and dtype.fields is None and dtype.name in _KNOWN:
        return _KNOWN[dtype.name]
    name = ",".join(f"{field}{kind}" for field, kind in _leaves(dtype, "", 0)) or "empty"
    if len(name) > _LONGEST_NAME:
        name = "sha256-" + hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"struct:{dtype.itemsize}:{name}"


def _leaves(dtype: numpy.dtype, path: str, offset: int) -> Iterator[Tuple[str, str]]:
    """Each field with its place, and its type."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        count = "x".join(str(length) for length in shape)
        for field, kind in _leaves(base, path, offset):
            yield field, f"{kind}[{count}]"
    elif dtype.fields is None:
        yield (f"{path}@{offset}:" if path else ""), dtype.str
    else:
        in_place = sorted(dtype.names, key=lambda name: (dtype.fields[name][1], name))
        for name in in_place:
            field, place = dtype.fields[name][:2]
            yield from _leaves(field, (path + "." if path else "") + quote(name, safe=""), offset + place)
