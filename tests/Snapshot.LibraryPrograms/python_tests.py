"""Tests of the Python package, run by PythonTests.cs: each in a process of its own.

    SNAPSHOT_LIBRARY=… PYTHONPATH=… python3 python_tests.py Tests.test_scalars
"""

import asyncio
import ctypes
import faulthandler
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

import numpy
import snapshot

POINT = numpy.dtype([("x", "f8"), ("v", "f4", (3,)), ("id", "i4")])


def in_child(source, *arguments, **environment):
    """Runs a program of Python to its end."""
    return subprocess.run(
        [sys.executable, "-c", source, *arguments], env={**os.environ, **environment}, timeout=100,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def sum_of(array):
    """For a process that was spawned: the array was copied."""
    return float(array.sum())


def newest_of(store):
    """For a process that was spawned: reads what another one writes."""
    with snapshot.Store(store) as reader:
        return float(reader.array("u").sum())


class Tests(unittest.TestCase):
    def setUp(self):
        # A process that was started in the background has it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = os.path.join(self.folder.name, "store")

    def open(self, **options):
        session = snapshot.open(self.store, **options)
        self.addCleanup(session.close)
        return session

    def restart(self, source):
        """What a new process prints that has the store open as `s`."""
        prelude = "import sys, numpy, snapshot\ns = snapshot.open(sys.argv[1])\n"
        result = in_child(prelude + source, self.store)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip()

    def error(self, code, call, *arguments, **options):
        with self.assertRaises(snapshot.Error) as raised:
            call(*arguments, **options)
        self.assertEqual(raised.exception.name, code, raised.exception)
        self.assertTrue(str(raised.exception).startswith(code + ": "))
        return raised.exception

    # ---- arrays

    def test_every_dtype_comes_back(self):
        kinds = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "c8", "c16", "?", "f2", ">i4", "S5"]
        with self.open() as session:
            for kind in kinds:
                session.zeros("a" + kind, 3, kind)[...] = 1
            session.zeros("points", (2, 2), POINT)["v"][..., 2] = 7
            session.checkpoint()
        source = f"for kind in {kinds!r}: a = s.zeros('a' + kind, 3, kind); print(kind, a.dtype == kind, a[2])\n"
        source += f"print(s.zeros('points', 4, numpy.dtype({POINT.descr!r}))['v'].sum())"
        lines = self.restart(source).splitlines()
        self.assertEqual(len(lines), len(kinds) + 1)
        for kind, line in zip(kinds, lines):
            value = {"?": "True", "f4": "1.0", "f8": "1.0", "f2": "1.0", "c8": "(1+0j)", "c16": "(1+0j)",
                     "S5": "b'1'"}.get(kind, "1")
            self.assertEqual(line, f"{kind} True {value}")
        self.assertEqual(lines[-1], "28.0")

    def test_another_dtype_or_length_is_refused_with_both_named(self):
        session = self.open()
        session.zeros("u", 10, "f8")
        session.zeros("points", 3, POINT)
        self.assertIn("Double", str(self.error("LAYOUT_MISMATCH", session.zeros, "u", 10, "f4")))
        self.assertIn("10 elements", str(self.error("LAYOUT_MISMATCH", session.zeros, "u", 11, "f8")))
        other = numpy.dtype([("x", "f8"), ("v", "f4", (3,)), ("number", "i4")])
        failure = str(self.error("LAYOUT_MISMATCH", session.zeros, "points", 3, other))
        self.assertIn("id@20:<i4", failure)
        self.assertIn("number@20:<i4", failure)

    def test_structures_with_many_fields_are_told_apart(self):
        names = [f"field{i}" for i in range(100)]
        session = self.open()
        session.zeros("many", 2, [(name, "f8") for name in names])
        session.zeros("many", 2, [(name, "f8") for name in names])
        names[50] = "other"
        self.error("LAYOUT_MISMATCH", session.zeros, "many", 2, [(name, "f8") for name in names])

    def test_scalars_are_arrays_that_are_written_in_place(self):
        with self.open() as session:
            step = session.zeros("step", (), numpy.int64)
            self.assertEqual(step.shape, ())
            while step < 5:
                step += 1
            rate = session.array("rate", 0.5)
            rate *= 3
            session.checkpoint()
        self.assertEqual(self.restart("print(s.zeros('step', (), 'i8'), s.array('rate', 9.0))"), "5 1.5")

    def test_an_array_has_its_value_only_when_it_is_new(self):
        with self.open() as session:
            self.assertFalse(session.restarted)
            self.assertIsNone(session.find("table", "i4"))
            table = session.array("table", [[1, 2], [3, 4]], "i4")
            table[0, 0] = 7
            session.checkpoint(tag="table made")
        source = "print(s.restarted, s.generation, s.tag, s.array('table', [[0, 0], [0, 0]], 'i4').tolist())"
        self.assertEqual(self.restart(source), "True 1 table made [[7, 2], [3, 4]]")

    def test_what_has_no_name_or_no_bytes_is_refused(self):
        session = self.open()
        with self.assertRaisesRegex(TypeError, "an array has a name.*\\(3, 4\\) is none"):
            session.zeros((3, 4))
        with self.assertRaisesRegex(TypeError, "Python objects"):
            session.zeros("o", 3, object)
        with self.assertRaisesRegex(TypeError, "give its lengths with the shape"):
            session.zeros("o", 3, numpy.dtype(("f8", (2,))))
        with self.assertRaisesRegex(ValueError, "negative"):
            session.zeros("u", (2, -1))
        self.error("INVALID_ARGUMENT", session.zeros, "", 3)

    def test_arrays_in_the_order_of_Fortran(self):
        with self.open() as session:
            u = session.zeros("u", (2, 3), order="F")
            u[...] = [[0, 1, 2], [3, 4, 5]]
            self.assertTrue(u.flags.f_contiguous)
            session.checkpoint()
        self.assertEqual(self.restart("print(s.zeros('u', 6).tolist())"), "[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]")

    def test_views_outlive_the_session(self):
        session = self.open()
        part = session.zeros("u", (100, 100))[10:20, ::2]
        session.close()
        del session
        gc.collect()
        part[...] = 3
        self.assertEqual(part.sum(), 3 * 10 * 50)

    def test_a_store_is_opened_again_by_the_same_process(self):
        for turn in range(3):
            session = self.open(unmap_on_close=True)
            u = session.zeros("u", 1000)
            self.assertEqual(u[5], turn)
            u += 1
            session.checkpoint()
            view = u[::2]
            del u
            with self.assertRaisesRegex(BufferError, "still refers to u"):
                session.close()
            self.assertFalse(session.closed)
            del view
            session.close()
            self.assertTrue(session.closed)

    def test_what_is_excluded_is_zero_after_a_restart(self):
        with self.open() as session:
            scratch = session.zeros("scratch", 10000)
            scratch[...] = 1
            left_out = session.exclude(scratch)
            self.assertGreater(left_out, 60000)
            session.checkpoint()
        self.assertLess(float(self.restart("print(s.zeros('scratch', 10000).sum())")), 10000 - left_out // 8 + 1)

    # ---- memory of the program

    def test_an_array_of_the_program_is_protected_filled_and_let_go(self):
        with self.open() as session:
            u, later = numpy.zeros(5000), numpy.zeros((10, 10), order="F")
            session.protect("u", u)
            session.protect("later", later, fill_later=True)
            u[...] = 4
            later[...] = 5
            session.checkpoint(wait=True)
            session.unprotect("later")
            session.checkpoint()
            self.error("NOT_FOUND", session.unprotect, "later")
        source = "u = numpy.ones(5000)\ns.protect('u', u, fill_later=True)\n"
        source += "print(u.sum(), s.fill('u'), u.sum(), s.fill('u'))"
        self.assertEqual(self.restart(source), "5000.0 True 20000.0 False")
        with snapshot.Store(self.store) as reader:
            self.assertEqual(reader.region("later", "f8", (10, 10), generation=1).sum(), 500)
            self.error("NOT_FOUND", reader.region, "later")

    def test_what_cannot_be_protected_is_refused(self):
        session = self.open()
        with self.assertRaisesRegex(ValueError, "gaps"):
            session.protect("gaps", numpy.zeros((10, 10))[:, ::2])
        with self.assertRaisesRegex(TypeError, "a list"):
            session.exclude([1, 2])
        with self.assertRaisesRegex(TypeError, "Python objects"):
            session.protect("objects", numpy.array([None]))
        constant = numpy.zeros(3)
        constant.flags.writeable = False
        with self.assertRaisesRegex(ValueError, "cannot be written"):
            session.protect("constant", constant)

    # ---- checkpoints and handlers

    def test_a_ticket_is_waited_for_more_than_once(self):
        session = self.open()
        told = []
        ticket = session.checkpoint(progress=lambda *how_far: told.append(how_far))
        self.assertEqual([ticket.wait(), ticket.wait(timeout=1), ticket.generation], [1, 1, 1])
        self.assertTrue(ticket.done)
        self.assertEqual(session.checkpoint(wait=True).generation, 2)
        self.assertEqual(told[0][0], snapshot.Stage.WAITING)
        self.assertIn(snapshot.Stage.COMMITTING, [stage for stage, _, _ in told])

    def test_what_prepare_raises_aborts_the_checkpoint_and_is_its_cause(self):
        session = self.open()
        outcomes = []

        def refuse(generation):
            raise LookupError(f"not {generation}")

        session.on_checkpoint("refuses", prepare=refuse, resume=outcomes.append)
        failure = self.error("ABORTED", session.checkpoint)
        self.assertEqual(repr(failure.__cause__), "LookupError('not 1')")
        self.assertEqual(outcomes, [(snapshot.OutcomeKind.NOT_CAPTURED, snapshot.HANDLER_RAISED, 1)])
        failure = self.error("ABORTED", session.checkpoint(at_once=True).wait)
        self.assertEqual(repr(failure.__cause__), "LookupError('not 1')")
        session.remove_handler("refuses")

        def abort(generation):
            raise snapshot.AbortCheckpoint(42)

        session.on_checkpoint("aborts", prepare=abort)
        self.assertIn("42", str(self.error("ABORTED", session.checkpoint)))
        session.remove_handler("aborts")
        self.error("NOT_FOUND", session.remove_handler, "aborts")
        self.assertEqual(session.checkpoint(wait=True).generation, 1)

    def test_what_other_parts_raise_is_raised_by_a_later_call(self):
        session = self.open()
        session.on_checkpoint("fails", committed=lambda generation: 1 // (generation - 1))
        session.checkpoint(wait=True)
        with self.assertRaises(snapshot.Error) as raised:
            for _ in range(100):
                session.checkpoint(wait=True)
        self.assertEqual(raised.exception.name, "HANDLER_FAILED")
        self.assertIsInstance(raised.exception.__cause__, ZeroDivisionError)
        session.remove_handler("fails")

    def test_a_handler_is_told_of_the_restart(self):
        with self.open() as session:
            committed = []
            session.on_checkpoint("told", resume=lambda outcome: None, committed=committed.append)
            session.checkpoint(wait=True)
        self.assertEqual(committed, [1])
        source = "import threading\ntold = []\nwas_told = threading.Event()\n"
        source += "s.on_checkpoint('told', resume=lambda outcome: told.append(outcome) or was_told.set())\n"
        source += "was_told.wait(60)\nprint(told[0].kind.name, told[0].generation)"
        self.assertEqual(self.restart(source), "RESTARTED 1")
        result = in_child(
            "import sys, snapshot\ns = snapshot.open(sys.argv[1])\n"
            "s.on_checkpoint('told', resume=lambda outcome: 1 // 0)", self.store)
        self.assertIn("HANDLER_FAILED: A handler raised ZeroDivisionError", result.stderr)

    def test_an_error_that_nobody_waited_for_is_raised_by_the_next_checkpoint(self):
        session = self.open()
        session.on_checkpoint("refuses", prepare=lambda generation: 1 // 0)
        session.checkpoint(at_once=True)
        while session._tickets and not session._tickets[0].done:
            time.sleep(0.001)
        session.remove_handler("refuses")
        self.error("ABORTED", session.checkpoint)
        session.close()
        with snapshot.Store(self.store) as reader:
            self.assertEqual(len(reader.list()), 1)

    def test_a_program_that_does_not_close_has_its_last_checkpoint(self):
        source = "import sys, numpy, snapshot\ns = snapshot.open(sys.argv[1])\nu = s.zeros('u', 10**6)\n"
        source += "u += 1\ns.checkpoint(tag='last')\n"
        for end in ("", "sys.exit(3)", "raise KeyError", "del s, u"):
            result = in_child(source + end, self.store)
            self.assertNotIn("snapshot", result.stderr.replace("import sys, numpy, snapshot", ""), end)
        with snapshot.Store(self.store) as reader:
            self.assertEqual(reader.list()[-1].generation, 4)
            self.assertEqual(reader.list()[-1].tag, "last")
            self.assertEqual(reader.array("u").sum(), 4e6)

    def test_leaving_a_with_block_by_an_exception_keeps_the_exception(self):
        with self.assertRaises(KeyError), warnings.catch_warnings(record=True) as caught:
            with self.open() as session:
                session.on_checkpoint("fails", committed=lambda generation: 1 // 0)
                session.checkpoint(wait=True)
                time.sleep(0.2)
                raise KeyError
        self.assertTrue(session.closed)
        self.assertIn("ZeroDivisionError", str(caught[0].message))

    def test_a_checkpoint_is_due(self):
        session = self.open(interval=1000.0, signals=[signal.SIGUSR1, "USR2"])
        self.assertFalse(session.due())
        self.assertIsNone(session.last_signal)
        os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual(session.due(), snapshot.Due.SIGNAL)
        self.assertEqual(session.last_signal, signal.SIGUSR1)
        self.assertFalse(session.due())

    def test_restarts_by_tag_and_fresh_starts(self):
        with self.open(keep=5) as session:
            step = session.zeros("step", (), "i8")
            for number in range(1, 4):
                step[...] = number
                session.checkpoint(tag=f"step {number}", wait=True)
        source = "import sys, snapshot\ns = snapshot.open(sys.argv[1], keep=5, %s)\n"
        source += "print(s.generation, s.tag, s.zeros('step', (), 'i8'))"
        restart = "start=snapshot.Start.RESTART, "
        for options, expected in (
                (restart + "tag='step 2'", "2 step 2 2"), (restart + "generation=1", "1 step 1 1"),
                ("start=snapshot.Start.START_OVER", "0  0")):
            result = in_child(source % options, self.store)
            self.assertEqual(result.stdout.strip(), expected, result.stderr)
        self.assertIn("NOT_FOUND", in_child(source % (restart + "tag='step 9'"), self.store).stderr)

    # ---- waiting

    def slow(self, session, seconds=5):
        """A checkpoint that takes so long, unless the event is set."""
        end = threading.Event()
        session.on_checkpoint("slow", prepare=lambda generation: end.wait(seconds) and None)
        return end

    def test_ctrl_c_ends_a_wait_and_not_the_checkpoint(self):
        session = self.open()
        end = self.slow(session)
        ticket = session.checkpoint(at_once=True)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            ticket.wait()
        self.assertLess(time.monotonic() - start, 3)
        end.set()
        self.assertEqual(ticket.wait(), 1)

        # And where it waits for the one before.
        end.clear()
        session.checkpoint(at_once=True)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            session.checkpoint()
        end.set()
        self.assertEqual(session.checkpoint(wait=True).generation, 3)

    def test_ctrl_c_in_a_checkpoint_loses_nothing(self):
        session = self.open()
        self.slow(session, 1)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            session.checkpoint()
        session.close()
        with snapshot.Store(self.store) as reader:
            self.assertEqual(len(reader.list()), 1)

    def test_a_checkpoint_is_given_up(self):
        session = self.open()
        end = self.slow(session)
        ticket = session.checkpoint(at_once=True)
        ticket.cancel()
        end.set()
        self.error("CANCELLED", ticket.wait)
        self.error("CANCELLED", ticket.wait)
        self.assertEqual(session.checkpoint(wait=True).generation, 1)
        ticket.cancel()

    def test_a_wait_has_a_limit(self):
        session = self.open()
        end = self.slow(session)
        ticket = session.checkpoint(at_once=True)
        self.assertFalse(ticket.done)
        with self.assertRaises(TimeoutError):
            ticket.wait(timeout=0.1)
        end.set()
        self.assertEqual(ticket.wait(), 1)

    def test_an_event_loop_goes_on_while_a_ticket_is_awaited(self):
        session = self.open()
        end = self.slow(session)
        turns = []

        async def count():
            for turn in range(20):
                turns.append(turn)
                await asyncio.sleep(0.005)
            end.set()

        async def both():
            generation, _ = await asyncio.gather(wait(), count())
            return generation

        async def wait():
            return await session.checkpoint(at_once=True)

        self.assertEqual(asyncio.run(both()), 1)
        self.assertEqual(len(turns), 20)

    # ---- threads

    def test_threads_are_captured_only_at_their_safepoints(self):
        session = self.open()
        pairs = session.zeros("pairs", (3, 2), "i8")
        end = threading.Event()

        def work(index):
            with session.attach(f"worker {index}") as me:
                while not end.is_set():
                    pairs[index, 0] += 1
                    pairs[index, 1] += 1
                    me.poll()
                    with me.critical():
                        pairs[index] += 1
                    with me.blocked("a rest"):
                        time.sleep(0.0001)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            generation = session.checkpoint(wait=True).generation
            with snapshot.Store(self.store) as reader:
                found = reader.array("pairs", "i8", (3, 2), generation)
            self.assertTrue((found[:, 0] == found[:, 1]).all(), found)
        end.set()
        for thread in threads:
            thread.join()
        self.assertGreater(pairs.sum(), 0)

    def test_a_participant_waits_for_its_own_checkpoint(self):
        session = self.open()
        stops = []
        with session.attach("main") as me:
            me.on_stop("told", prepare=stops.append)
            self.assertEqual(session.checkpoint(at_once=True).wait(), 1)
            self.assertEqual(session.checkpoint(wait=True).generation, 2)
            self.assertEqual(stops, [1, 2])
            me.remove_handler("told")
            with me.critical():
                ticket = session.checkpoint(at_once=True)
                self.error("SELF_DEADLOCK", ticket.wait)
            self.assertEqual(ticket.wait(), 3)
        with session.attach("main"):
            self.error("MISUSE", session.attach, "other")

    # ---- processes and signals

    def test_a_forked_child_has_the_arrays_and_takes_no_part(self):
        session = self.open()
        u = session.zeros("u", 1000)
        u[...] = 1
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()

        def child():
            u[...] += 1
            try:
                session.checkpoint()
            except snapshot.Error as error:
                queue.put((u.sum(), error.name))
            session.close()

        process = context.Process(target=child)
        process.start()
        self.assertEqual(queue.get(), (2000.0, "FORKED"))
        process.join(60)
        self.assertEqual(process.exitcode, 0)
        self.assertEqual(u.sum(), 1000)
        self.assertEqual(session.checkpoint(wait=True).generation, 1)

    def test_a_pool_of_forked_processes(self):
        session = self.open()
        u = session.zeros("u", (4, 1000))
        u[...] = [[1], [2], [3], [4]]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            self.assertEqual(pool.map(sum_of, list(u)), [1000.0, 2000.0, 3000.0, 4000.0])
            session.checkpoint(wait=True)

    def test_spawned_processes_get_copies_and_read_the_store(self):
        session = self.open()
        u = session.zeros("u", 1000)
        u[...] = 2
        session.checkpoint(wait=True)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            self.assertEqual(pool.apply(sum_of, (u,)), 2000.0)
            self.assertEqual(pool.apply(newest_of, (self.store,)), 2000.0)
        with self.assertRaisesRegex(TypeError, "a session belongs to its process"):
            pickle.dumps(session)

    def test_faulthandler_tells_of_a_fault_installed_before_or_after(self):
        source = "import faulthandler, sys, snapshot\n%s\ns = snapshot.open(sys.argv[1])\n%s\n"
        source += "s.zeros('u', 3)\ns.checkpoint(wait=True)\nimport ctypes\nctypes.string_at(8)"
        for before, after in (("faulthandler.enable()", ""), ("", "faulthandler.enable()")):
            result = in_child(source % (before, after), self.store)
            self.assertEqual(result.returncode, -signal.SIGSEGV)
            self.assertIn("Fatal Python error: Segmentation fault", result.stderr)
            self.assertIn("string_at", result.stderr)

    # ---- stores

    def test_a_store_is_read_without_a_session(self):
        with self.open(keep=3) as session:
            u = session.zeros("u", (10, 20), "f4")
            for number in (1, 2):
                u[...] = number
                session.checkpoint(tag=f"n={number}", wait=True)
            with snapshot.Store(self.store) as reader:
                first, second = reader.list()
                self.assertEqual((first.generation, first.parent, first.tag), (1, 0, "n=1"))
                self.assertEqual((second.generation, second.parent, second.tag), (2, 1, "n=2"))
                self.assertLess(abs(second.created.timestamp() - time.time()), 1000)
                self.assertEqual(reader.array("u", "f4", (10, 20)).shape, (10, 20))
                self.assertEqual(reader.array("u", "f4").sum(), 400)
                self.assertEqual(reader.array("u", "f4", generation=1).sum(), 200)
                self.error("NOT_FOUND", reader.array, "v")
                self.error("LAYOUT_MISMATCH", reader.array, "u", "S801")
            self.error("INVALID_ARGUMENT", reader.list)
        self.error("NOT_FOUND", snapshot.Store, self.store + "x")

    # ---- the package

    def test_without_its_library_the_package_says_what_to_do(self):
        result = in_child("import snapshot", SNAPSHOT_LIBRARY="/nowhere/libsnapshot.so.0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Correct or unset the environment variable SNAPSHOT_LIBRARY", result.stderr)
        result = in_child("import snapshot", SNAPSHOT_LIBRARY="")
        self.assertIn("or let the environment variable SNAPSHOT_LIBRARY say where", result.stderr)
        result = in_child("import snapshot", SNAPSHOT_LIBRARY="libc.so.6")
        self.assertIn("libc.so.6 has no function snapshot_error", result.stderr)

    def test_codes_have_their_names(self):
        for code in snapshot.Code:
            self.assertEqual(snapshot.Error(code, "").name, code.name)

    def test_structures_are_as_long_as_in_C(self):
        from snapshot import _library
        for structure, size in (
                (_library.Options, 96), (_library.Request, 48), (_library.HandlerStructure, 32),
                (_library.OutcomeStructure, 16), (_library.GenerationStructure, 40)):
            self.assertEqual(ctypes.sizeof(structure), size)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(150, exit=True)
    unittest.main()
