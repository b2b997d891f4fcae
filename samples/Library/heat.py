"""heat.py: heat in a plate, in Python.

    python3 heat.py STORE [STEPS] [DUMP]
"""

import sys

import numpy
import snapshot

N = 256

store = sys.argv[1] if len(sys.argv) > 1 else "heat.store"
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2000

with snapshot.open(store) as session:
    step = session.zeros("step", (), numpy.int64)
    plates = session.zeros("plates", (2, N, N))  # by turns the field before and after a step
    print("from generation", session.generation, flush=True)
    if not session.restarted:
        plates[:, :, 0] = 100  # the left edge is hot, and the half of the upper one
        plates[:, 0, 1 : N // 2] = 50
    while step < steps:
        if step % 50 == 0:
            session.checkpoint()
        before, after = plates[step % 2], plates[(step + 1) % 2]
        after[1:-1, 1:-1] = 0.25 * (
            (before[:-2, 1:-1] + before[2:, 1:-1]) + (before[1:-1, :-2] + before[1:-1, 2:]))
        step += 1
    field = plates[steps % 2]
    if len(sys.argv) > 3:
        field.tofile(sys.argv[3])
    print(f"checksum {int(numpy.bitwise_xor.reduce(field.view(numpy.uint64), axis=None)):016x}")
