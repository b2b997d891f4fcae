"""The library libsnapshot.so.0: where it is, and its functions as snapshot.h and snapshot_job.h declare them."""

from __future__ import annotations

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint, c_void_p

NAME = "libsnapshot.so.0"
VARIABLE = "SNAPSHOT_LIBRARY"


class Options(Structure):
    """snapshot_options."""

    _fields_ = [
        ("size", c_size_t), ("start", c_int), ("flags", c_uint), ("generation", c_int64),
        ("tag", c_char_p), ("capacity", c_int64), ("staging_limit", c_int64), ("encoders", c_int),
        ("keep", c_int), ("timeout", c_double), ("interval", c_double), ("time_limit", c_double),
        ("time_margin", c_double), ("signals", c_char_p),
    ]


class JobCopyStructure(Structure):
    """snapshot_job_copy."""

    _fields_ = [
        ("level", c_int), ("is_complete", c_int), ("generation", c_int64), ("bytes_done", c_int64),
        ("bytes_total", c_int64), ("error", c_char_p),
    ]


CopyFunction = CFUNCTYPE(None, c_void_p, POINTER(JobCopyStructure))


class JobOptions(Structure):
    """snapshot_job_options."""

    _fields_ = [
        ("size", c_size_t), ("session", POINTER(Options)), ("flags", c_uint), ("keep", c_int),
        ("every_steps", c_int64), ("interval", c_double), ("mtbf", c_double), ("time_limit", c_double),
        ("time_margin", c_double), ("signals", c_char_p), ("failure_domain", c_char_p),
        ("shared_directory", c_char_p), ("shared_every", c_int64), ("copy_rate", c_int64),
        ("on_copy", CopyFunction), ("argument", c_void_p),
    ]


ProgressFunction = CFUNCTYPE(None, c_void_p, c_int, c_int64, c_int64)


class Request(Structure):
    """snapshot_request."""

    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("timeout", c_double), ("tag", c_char_p),
        ("progress", ProgressFunction), ("argument", c_void_p),
    ]


class OutcomeStructure(Structure):
    """snapshot_outcome."""

    _fields_ = [("kind", c_int), ("abort_code", c_int), ("generation", c_int64)]


PrepareFunction = CFUNCTYPE(c_int, c_void_p, c_int64)
ResumeFunction = CFUNCTYPE(None, c_void_p, POINTER(OutcomeStructure))
CommittedFunction = CFUNCTYPE(None, c_void_p, c_int64)


class HandlerStructure(Structure):
    """snapshot_handler."""

    _fields_ = [
        ("size", c_size_t), ("prepare", PrepareFunction), ("resume", ResumeFunction),
        ("committed", CommittedFunction),
    ]


class GenerationStructure(Structure):
    """snapshot_generation_info."""

    _fields_ = [
        ("generation", c_int64), ("parent", c_int64), ("created", c_int64), ("bytes", c_int64),
        ("tag", c_char_p),
    ]


# Result and arguments of each function that is used.
_HANDLE = c_void_p
_SIGNATURES = {
    "snapshot_error": (c_char_p,),
    "snapshot_error_code": (c_int,),
    "snapshot_code_name": (c_char_p, c_int),
    "snapshot_version": (c_char_p,),
    "snapshot_open": (c_int, c_char_p, POINTER(Options), POINTER(_HANDLE)),
    "snapshot_generation": (c_int64, _HANDLE),
    "snapshot_tag": (c_char_p, _HANDLE),
    "snapshot_close": (c_int, _HANDLE),
    "snapshot_array": (c_void_p, _HANDLE, c_char_p, c_char_p, c_int64),
    "snapshot_find_array": (c_int64, _HANDLE, c_char_p, c_char_p, POINTER(c_void_p)),
    "snapshot_remove_array": (c_int, _HANDLE, c_char_p),
    "snapshot_exclude": (c_int64, _HANDLE, c_void_p, c_int64),
    "snapshot_include": (c_int64, _HANDLE, c_void_p, c_int64),
    "snapshot_protect": (c_int, _HANDLE, c_char_p, c_void_p, c_int64, c_uint),
    "snapshot_fill": (c_int, _HANDLE, c_char_p),
    "snapshot_unprotect": (c_int, _HANDLE, c_char_p),
    "snapshot_checkpoint": (c_int, _HANDLE, POINTER(Request), POINTER(_HANDLE)),
    "snapshot_wait": (c_int, _HANDLE, POINTER(c_int64)),
    "snapshot_is_done": (c_int, _HANDLE),
    "snapshot_cancel": (c_int, _HANDLE),
    "snapshot_due": (c_int, _HANDLE),
    "snapshot_last_signal": (c_int, _HANDLE),
    "snapshot_attach": (c_int, _HANDLE, c_char_p, POINTER(_HANDLE)),
    "snapshot_detach": (c_int, _HANDLE),
    "snapshot_poll_slow": (c_int, _HANDLE),
    "snapshot_enter_critical": (c_int, _HANDLE),
    "snapshot_exit_critical": (c_int, _HANDLE),
    "snapshot_enter_blocked": (c_int, _HANDLE, c_char_p),
    "snapshot_exit_blocked": (c_int, _HANDLE),
    "snapshot_on_checkpoint": (c_int, _HANDLE, c_char_p, POINTER(HandlerStructure), c_void_p),
    "snapshot_on_stop": (c_int, _HANDLE, c_char_p, POINTER(HandlerStructure), c_void_p),
    "snapshot_remove_handler": (c_int, _HANDLE, c_char_p),
    "snapshot_remove_stop_handler": (c_int, _HANDLE, c_char_p),
    "snapshot_job_open_with": (c_int, c_void_p, c_int, c_char_p, POINTER(JobOptions), POINTER(_HANDLE)),
    "snapshot_job_session": (c_void_p, _HANDLE),
    "snapshot_job_generation": (c_int64, _HANDLE),
    "snapshot_job_level": (c_int, _HANDLE),
    "snapshot_job_step": (c_int64, _HANDLE),
    "snapshot_job_skipped": (c_char_p, _HANDLE),
    "snapshot_job_poll": (c_int, _HANDLE, c_int64),
    "snapshot_job_checkpoint": (c_int, _HANDLE, c_int64, POINTER(c_int64)),
    "snapshot_job_request": (c_int, _HANDLE),
    "snapshot_job_failure": (c_int, _HANDLE),
    "snapshot_job_is_ending": (c_int, _HANDLE),
    "snapshot_job_check_messages_with": (c_int, _HANDLE, c_int),
    "snapshot_job_close": (c_int, _HANDLE),
    "snapshot_store_open": (c_int, c_char_p, POINTER(_HANDLE)),
    "snapshot_store_close": (c_int, _HANDLE),
    "snapshot_store_list": (c_int64, _HANDLE, POINTER(GenerationStructure), c_int64),
    "snapshot_store_size": (c_int64, _HANDLE, c_int64, c_char_p),
    "snapshot_store_read": (c_int, _HANDLE, c_int64, c_char_p, c_int64, c_void_p, c_int64),
}


def _load() -> ctypes.CDLL:
    said = os.environ.get(VARIABLE)
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME)
    path = said or (beside if os.path.exists(beside) else NAME)
    try:
        library = ctypes.CDLL(path)
    except OSError as failure:
        way_out = (
            f"Correct or unset the environment variable {VARIABLE}, which says where it is."
            if said else
            f"Install libsnapshot0, or a wheel that has the library inside, or let the environment "
            f"variable {VARIABLE} say where {NAME} is."
        )
        raise ImportError(f"The library of snapshot cannot be loaded: {failure}. {way_out}") from None
    for name, (result, *arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(
                f"{path} has no function {name}: the package and the library are of versions that do "
                "not belong together."
            ) from None
        function.restype = result
        function.argtypes = arguments
    return library


lib = _load()
