using System.Runtime.InteropServices;
using Snapshot.Mpi;

namespace Snapshot.TestPrograms;

/// <summary>
/// Memory of rank 0 that rank 1 writes while images are drained: by messages that rank 0 receives, or by
/// MPI_Put. Each run looks first whether what was restored is what had been written by its step.
/// </summary>
internal static unsafe class RankTraffic
{
    /// <summary>Messages into an arena, as large as one that no transport sends in a piece.</summary>
    internal static int Receive(string directory, int bytes, long steps, RestartFill fill)
    {
        using MpiJob job = Open(directory, fill);
        Memory memory = new(job, 2L * bytes);
        using Participant me = job.Session.Attach("main");
        byte[] message = new byte[bytes];
        memory.Look(step => Received(message, step), bytes);
        for (long end = memory.Step + steps; memory.Step < end;)
        {
            long step = memory.Step;
            if (job.Communicator.Rank == 1) Received(message, step);
            Span<byte> target = memory.Half(step, bytes);
            if (job.Communicator.Rank == 1) job.Communicator.Send<byte>(message, to: 0);
            else job.Communicator.Receive(target, from: 1);
            memory.Step++;
            job.Poll(memory.Step);
        }

        job.Checkpoint(memory.Step);
        return 0;
    }

    /// <summary>MPI_Put into an arena, in pieces that are many pages.</summary>
    /// <param name="directory">Of the job.</param>
    /// <param name="library">Of the window; see window.c.</param>
    /// <param name="steps">Puts of this run.</param>
    /// <param name="isOpen">Whether the memory is open for devices, as it must be.</param>
    internal static int Put(string directory, string library, long steps, bool isOpen)
    {
        const int Bytes = 16 << 20, Piece = 1 << 20;
        using MpiJob job = Open(directory, RestartFill.Eager);
        nint loaded = NativeLibrary.Load(library);
        var open = (delegate* unmanaged<void*, long, int>)NativeLibrary.GetExport(loaded, "window_open");
        var put =
            (delegate* unmanaged<void*, int, int, long, int>)NativeLibrary.GetExport(loaded, "window_put");
        var close = (delegate* unmanaged<int>)NativeLibrary.GetExport(loaded, "window_close");

        Memory memory = new(job, Bytes);
        using Participant me = job.Session.Attach("main");
        using DeviceRange? range = isOpen ? memory.OpenForDevices() : null;
        if (job.Communicator.Rank == 0) memory.LookAtPuts(Piece);
        Check(open(memory.Address, Bytes));
        byte[] piece = new byte[Piece];
        for (long end = memory.Step + steps; memory.Step < end;)
        {
            if (job.Communicator.Rank == 1)
            {
                long at = Put(piece, memory.Step, Bytes);
                fixed (byte* source = piece) Check(put(source, Piece, 0, at));
            }

            job.Communicator.Barrier();
            memory.Step++;
            job.Poll(memory.Step);
        }

        // What was lost to the tracker stays lost, also when all is quiet.
        job.Checkpoint(memory.Step);
        job.Checkpoint(memory.Step);
        Check(close());
        return 0;
    }

    /// <summary>What the message of a step is.</summary>
    private static Span<byte> Received(byte[] message, long step)
    {
        new Random((int)step).NextBytes(message);
        return message;
    }

    /// <summary>What is put at a step; returns where.</summary>
    private static long Put(byte[] piece, long step, long bytes)
    {
        Random random = new((int)step);
        random.NextBytes(piece);
        return random.NextInt64(bytes - piece.Length);
    }

    private static MpiJob Open(string directory, RestartFill fill) => MpiJob.Open(directory, new MpiJobOptions
    {
        Interval = CheckpointInterval.EverySteps(1),
        Session = new SnapshotOptions { Restart = new RestartOptions { Fill = fill } },
    });

    private static void Check(int error)
    {
        if (error != 0) throw new InvalidOperationException($"MPI gave {error}");
    }

    private sealed class Memory
    {
        private readonly MpiJob _job;
        private readonly Arena _arena;
        private readonly ArenaArray<byte> _bytes;

        internal Memory(MpiJob job, long bytes)
        {
            _job = job;
            _arena = job.Session.OpenArena("memory");
            _bytes = _arena.RootArray<byte>("bytes", bytes);
        }

        internal ref long Step => ref _arena.Root<long>("step");

        internal void* Address => _bytes.Pointer;

        internal DeviceRange OpenForDevices() => _arena.OpenForDevices(_bytes);

        internal Span<byte> Half(long step, int bytes) =>
            _bytes.AsSpan().Slice((int)(step & 1) * bytes, bytes);

        /// <summary>The last two messages are there, each in its half.</summary>
        internal void Look(Func<long, Span<byte>> message, int bytes)
        {
            bool isEqual = true;
            for (long step = Math.Max(0, Step - 2); step < Step; step++)
                isEqual &= _job.Communicator.Rank == 1 || Half(step, bytes).SequenceEqual(message(step));
            Tell(isEqual ? "equal" : "NOT EQUAL");
        }

        /// <summary>All puts are there, one over the other.</summary>
        internal void LookAtPuts(int pieceBytes)
        {
            byte[] expected = new byte[_bytes.Length], piece = new byte[pieceBytes];
            for (long step = 0; step < Step; step++)
            {
                long at = Put(piece, step, expected.Length);
                piece.CopyTo(expected, at);
            }

            int wrong = 0;
            for (int page = 0; page < expected.Length; page += Environment.SystemPageSize)
            {
                if (!expected.AsSpan(page, Environment.SystemPageSize).SequenceEqual(
                    _bytes.AsSpan().Slice(page, Environment.SystemPageSize)))
                    wrong++;
            }

            Tell(wrong == 0 ? "equal" : $"{wrong} pages differ");
        }

        private void Tell(string result) => Console.WriteLine(
            $"{_job.Communicator.Rank}: {result} at {Step} from {_job.Restarted?.From.Generation ?? 0}");
    }
}
