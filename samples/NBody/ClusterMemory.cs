using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using KillDemo;
using Snapshot;
using Snapshot.Fibers;

namespace NBody;

/// <summary>The arena of a simulation: its root, made or found again.</summary>
internal sealed unsafe class ClusterMemory
{
    /// <summary>Room for the fibers: each has a record, a few frames, and what else lies about.</summary>
    private const long BytesPerFiber = 8 << 10;

    private const long BytesPerBody = 10 * sizeof(double);

    private const long Overhead = 64L << 20;

    /// <summary>
    /// Results that may wait for the fiber that writes them: few, so that images show a full channel, too.
    /// </summary>
    private const int ResultsWaiting = 1;

    private const DynamicallyAccessedMemberTypes Fields =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    /// <summary>
    /// What the library keeps for later fibers: records, of which each worker and handler takes so many at a
    /// time, and the names of frame types. Frames lie in chunks of 64 KiB and more; one of these is not left.
    /// </summary>
    private const long RecordBytesMax = 128;
    private const int RecordsAtOnce = 64;
    private const long BytesOfTypes = 16 << 10;

    // The layout of the root is compared after a restart. Ahead of time compilation keeps the fields of these
    // for that.
    [DynamicDependency(Fields, typeof(Axis))]
    [DynamicDependency(Fields, typeof(Energy))]
    [DynamicDependency(Fields, typeof(Result))]
    [DynamicDependency(Fields, typeof(ArenaArray<double>))]
    [DynamicDependency(Fields, typeof(ArenaArray<Tile>))]
    [DynamicDependency(Fields, typeof(ArenaArray<long>))]
    [DynamicDependency(Fields, typeof(ArenaArray<Result>))]
    [DynamicDependency(Fields, typeof(ArenaBarrier))]
    [DynamicDependency(Fields, typeof(ArenaMutex))]
    [DynamicDependency(Fields, typeof(ArenaChannel<Result>))]
    private ClusterMemory(Arena arena)
    {
        Arena = arena;
        Cluster = arena.RootPointer<Cluster>("cluster");
    }

    internal Arena Arena { get; }

    /// <summary>The root.</summary>
    internal ArenaPointer<Cluster> Cluster { get; }

    /// <summary>Whether no frame is left.</summary>
    internal bool IsFreeOfFrames
    {
        get
        {
            long takers = 2 * Cluster.Value.Threads + 2;
            long kept = (Cluster.Value.Fibers + takers * RecordsAtOnce) * RecordBytesMax + BytesOfTypes;
            return Arena.AllocatedBytes - Cluster.Value.BytesWithoutFibers <= kept;
        }
    }

    /// <summary>Opens the arena; a fresh one gets its bodies.</summary>
    /// <exception cref="RunException">The store holds another simulation.</exception>
    internal static ClusterMemory Open(SnapshotSession session, NBodyOptions options)
    {
        long bytes = options.Bodies * BytesPerBody + options.Fibers * BytesPerFiber + Overhead;
        ClusterMemory memory = new(session.OpenArena("cluster", new ArenaOptions { Capacity = bytes }));
        if (memory.Cluster.Value.IsBegun == 0) memory.Begin(options);
        else memory.ThrowIfAnother(options);
        return memory;
    }

    /// <summary>XXH64 of where the bodies are and how they move.</summary>
    internal string Checksum()
    {
        XxHash64 hash = new();
        foreach (Axis axis in (Axis[])[Cluster.Value.X, Cluster.Value.Y, Cluster.Value.Z])
        {
            foreach (ArenaArray<double> values in (ArenaArray<double>[])[axis.Position, axis.Velocity])
                hash.Append(MemoryMarshal.AsBytes(values.AsSpan(0, Cluster.Value.Bodies)));
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private void Begin(NBodyOptions options)
    {
        ref Cluster cluster = ref Cluster.Value;
        cluster.Bodies = options.Bodies;
        cluster.Fibers = options.Fibers;
        cluster.Threads = options.Threads;
        cluster.Steps = options.Steps;
        int places = options.Packs * Gravity.PackSize;
        cluster.X = MakeAxis(places);
        cluster.Y = MakeAxis(places);
        cluster.Z = MakeAxis(places);
        cluster.Mass = Arena.Allocate<double>(places);
        cluster.Tiles = Arena.Allocate<Tile>(options.Fibers);
        cluster.Interactions = Arena.Allocate<long>(options.Threads);
        cluster.Barrier.Initialize(options.Fibers);
        cluster.Results.Initialize(Arena, ResultsWaiting);
        Place(ref cluster);
        for (int tile = 0; tile < options.Fibers; tile++)
        {
            cluster.Tiles[tile] = new Tile
            {
                FirstPack = Part(tile, options.Packs, options.Fibers),
                EndPack = Part(tile + 1, options.Packs, options.Fibers),
            };
        }

        for (int worker = 0; worker < options.Threads; worker++)
        {
            int end = Part(worker + 1, options.Fibers, options.Threads);
            for (int tile = Part(worker, options.Fibers, options.Threads); tile < end; tile++)
                cluster.Tiles[tile].Worker = worker;
        }

        cluster.BytesWithoutFibers = Arena.AllocatedBytes;
        cluster.IsBegun = 1;
    }

    private static void Place(ref Cluster cluster)
    {
        Body[] bodies = PlummerSphere.Draw(cluster.Bodies);
        for (int body = 0; body < bodies.Length; body++)
        {
            (double x, double y, double z, double vx, double vy, double vz) = bodies[body];
            (cluster.X.Position[body], cluster.X.Velocity[body]) = (x, vx);
            (cluster.Y.Position[body], cluster.Y.Velocity[body]) = (y, vy);
            (cluster.Z.Position[body], cluster.Z.Velocity[body]) = (z, vz);
            cluster.Mass[body] = 1.0 / bodies.Length;
        }
    }

    private Axis MakeAxis(int places) => new()
    {
        Position = Arena.Allocate<double>(places),
        Velocity = Arena.Allocate<double>(places),
        Acceleration = Arena.Allocate<double>(places),
    };

    private void ThrowIfAnother(NBodyOptions options)
    {
        ref Cluster cluster = ref Cluster.Value;
        (string Name, long Then, long Now)[] parameters =
        [
            ("--bodies", cluster.Bodies, options.Bodies),
            ("--fibers", cluster.Fibers, options.Fibers),
            ("--threads", cluster.Threads, options.Threads),
            ("--steps", cluster.Steps, options.Steps),
        ];
        foreach ((string name, long then, long now) in parameters)
        {
            if (then != now)
            {
                throw new RunException(
                    $"'{options.Directory}' has a simulation with {name} {then}, not {now}; use another.");
            }
        }
    }

    /// <summary>The first of a part, when so many are shared out to so many.</summary>
    private static int Part(int part, int count, int parts) => (int)((long)count * part / parts);
}
