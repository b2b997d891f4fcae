using System.IO.Hashing;
using System.Runtime.InteropServices;
using KillDemo;
using Snapshot;

namespace HeatDiffusion;

/// <summary>The arena of a simulation: its roots, made or found again.</summary>
internal sealed unsafe class HeatMemory
{
    /// <summary>Room for the states and for the arena's own tables.</summary>
    private const long Overhead = 64L << 20;

    private readonly ArenaArray<double> _even;
    private readonly ArenaArray<double> _odd;

    private HeatMemory(Arena arena, HeatOptions options)
    {
        Arena = arena;
        State = arena.RootPointer<HeatState>("state");
        if (State->IsBegun != 0) ThrowIfAnother(options);
        long cells = (long)options.Size * options.Size;
        _even = arena.RootArray<double>("even", cells);
        _odd = arena.RootArray<double>("odd", cells);
        Workers = arena.RootArray<WorkerState>("workers", options.Threads);
        Results = arena.RootArray<ResultRecord>("results", options.Steps / HeatOptions.StepsPerResult + 1);
        Size = options.Size;
    }

    internal int Size { get; }

    internal Arena Arena { get; }

    internal HeatState* State { get; }

    /// <summary>The same for fiber methods.</summary>
    internal ArenaPointer<HeatState> Shared => State;

    internal ArenaArray<WorkerState> Workers { get; }

    internal ArenaArray<ResultRecord> Results { get; }

    /// <summary>Opens the arena; a fresh one gets the initial temperatures.</summary>
    /// <exception cref="RunException">The store holds another simulation.</exception>
    internal static HeatMemory Open(SnapshotSession session, HeatOptions options)
    {
        long bytes = 2L * options.Size * options.Size * sizeof(double)
            + options.Steps / HeatOptions.StepsPerResult * sizeof(ResultRecord);
        HeatMemory memory = new(
            session.OpenArena("heat", new ArenaOptions { Capacity = bytes + Overhead }), options);
        if (memory.State->IsBegun == 0) memory.Begin(options);
        return memory;
    }

    /// <summary>
    /// The field that sweep number <paramref name="step"/> reads; the sweep writes that of the next step.
    /// </summary>
    internal double* Field(long step) => (step & 1) == 0 ? _even.Pointer : _odd.Pointer;

    /// <summary>XXH64 of the field that sweep number <paramref name="step"/> would read.</summary>
    internal string Checksum(long step)
    {
        XxHash64 hash = new();
        for (int row = 0; row < Size; row++) hash.Append(RowBytes(step, row));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The field as grey, black for 0 and white for the hottest temperature.</summary>
    internal void WritePicture(string path, long step)
    {
        byte[] grey = new byte[Size * Size];
        double* field = Field(step);
        for (int index = 0; index < grey.Length; index++)
            grey[index] =
                (byte)Math.Clamp(Math.Round(field[index] / HeatOptions.HottestTemperature * 255), 0, 255);
        Pgm.Write(path, Size, Size, grey);
    }

    private ReadOnlySpan<byte> RowBytes(long step, int row) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<double>(Field(step) + (long)row * Size, Size));

    private void Begin(HeatOptions options)
    {
        // Both fields, because a sweep does not write the rim.
        GreyImage image = Pgm.Read(options.Input);
        InitialField.Fill(image, Size, _even.Pointer);
        InitialField.Fill(image, Size, _odd.Pointer);
        State->Size = options.Size;
        State->Threads = options.Threads;
        State->Steps = options.Steps;
        State->UsesFibers = options.UsesFibers;
        State->InputChecksum = InputChecksum(options);
        State->Barrier.Initialize(options.Threads);
        State->IsBegun = 1;
    }

    private void ThrowIfAnother(HeatOptions options)
    {
        (string Name, long Then, long Now)[] parameters =
        [
            ("--size", State->Size, options.Size),
            ("--threads", State->Threads, options.Threads),
            ("--steps", State->Steps, options.Steps),
        ];
        foreach ((string name, long then, long now) in parameters)
        {
            if (then != now)
            {
                throw new RunException(
                    $"'{options.Directory}' has a simulation with {name} {then}, not {now}; use another.");
            }
        }

        if (State->UsesFibers != options.UsesFibers)
        {
            throw new RunException(
                $"'{options.Directory}' has a simulation {(State->UsesFibers ? "with" : "without")} " +
                "--fibers.");
        }

        if (State->InputChecksum != InputChecksum(options))
        {
            throw new RunException(
                $"'{options.Directory}' has a simulation of another picture than '{options.Input}'.");
        }
    }

    private static ulong InputChecksum(HeatOptions options) =>
        XxHash64.HashToUInt64(File.ReadAllBytes(options.Input));
}
