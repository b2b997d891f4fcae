"""Checkpoints and restarts of Python programs, with numpy arrays that survive.

    import numpy, snapshot

    s = snapshot.open("heat.store")              # goes on from the newest generation, if any
    u = s.zeros("u", (1000, 1000))               # zeros at first, later as it was captured
    step = s.zeros("step", (), numpy.int64)
    if not s.restarted:
        u[:, 0] = 100
    while step < 2000:
        if step % 100 == 0:
            s.checkpoint()                       # returns when captured; written in the background
        u[1:-1, 1:-1] = (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]) / 4
        step += 1
    s.close()

What a call guarantees is said in snapshot.h. The library libsnapshot.so.0 lies in the package, or is where the
environment variable SNAPSHOT_LIBRARY says, or is found as the system finds libraries.
"""

from ._errors import AbortCheckpoint, Code, Error
from ._handlers import HANDLER_RAISED, Outcome, OutcomeKind
from ._library import lib as _lib
from ._participant import Participant
from ._session import Due, Session, Stage, Start, open
from ._store import Generation, Store
from ._ticket import Ticket

__version__: str = _lib.snapshot_version().decode()

__all__ = [
    "AbortCheckpoint", "Code", "Due", "Error", "Generation", "HANDLER_RAISED", "Outcome", "OutcomeKind",
    "Participant", "Session", "Stage", "Start", "Store", "Ticket", "open",
]
