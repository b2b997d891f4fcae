using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Memory;
using Snapshot.Threads;
using Snapshot.Threads.Fibers;
using Snapshot.Tracking;

namespace Snapshot.Restart;

/// <summary>
/// The regions of an image in the memory of this process: arenas at their addresses, buffers wherever there
/// is room.
/// </summary>
internal sealed unsafe class RestoredMemory : IDisposable
{
    private readonly List<RestoredArena> _arenas = [];
    private readonly List<RestoredBuffer> _buffers = [];
    private readonly List<FillTarget> _targets = [];

    private readonly string _image;
    private readonly MachineArchitecture _made;

    /// <param name="image">The file of the newest image, for messages.</param>
    /// <param name="made">Of the process whose memory it is.</param>
    private RestoredMemory(string image, MachineArchitecture made)
    {
        _image = image;
        _made = made;
    }

    internal IReadOnlyList<RestoredArena> Arenas => _arenas;

    internal IReadOnlyList<RestoredBuffer> Buffers => _buffers;

    /// <summary>Where the content of each region of the plan goes, in the order of the plan.</summary>
    internal IReadOnlyList<FillTarget> Targets => _targets;

    /// <summary>What is still to come, or null when all is there; owned.</summary>
    internal LazyFill? Awaited { get; private set; }

    /// <summary>Maps every region; when one fails, none stays mapped.</summary>
    /// <exception cref="SnapshotException">
    /// Unsupported: of another byte order. AddressTaken, SystemCall, Corrupt.
    /// </exception>
    internal static RestoredMemory Map(RestartPlan plan)
    {
        ThrowIfOfOtherByteOrder(plan.Newest);
        RestoredMemory memory = new(plan.Newest.Name, plan.Newest.Header.Architecture);
        try
        {
            foreach (ChainRegion region in plan.Regions) memory.Add(region.Description);
            return memory;
        }
        catch
        {
            Closing closing = default;
            closing.Dispose(memory);
            throw;
        }
    }

    /// <summary>The content of arenas comes from a fill, which is owned from here on.</summary>
    internal void FillFrom(LazyFill fill)
    {
        Awaited = fill;
        foreach (RestoredArena restored in _arenas)
            restored.Arena.Await(new AwaitedArena(fill, restored.Arena.Region.Address));
    }

    /// <summary>
    /// Checks that what was filled in, or is fetched for that, is what an arena looks like.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// Corrupt; StoreIo where it is fetched; FiberMismatch and Unsupported for threads of another
    /// architecture.
    /// </exception>
    internal void Adopt()
    {
        foreach (RestoredArena restored in _arenas) Adopt(restored);
        Awaited?.EndOpening();
    }

    public void Dispose()
    {
        // Memory first: a page that is missing must not be read as zero when nobody serves it any more.
        Closing closing = default;
        if (Awaited is not null) closing.Do(Awaited.StopStreaming);
        foreach (RestoredArena restored in _arenas) closing.Do(restored.Arena.Close);
        closing.Dispose(Awaited);
        foreach (RestoredArena restored in _arenas) restored.Hashes.Dispose();
        foreach (RestoredBuffer restored in _buffers) restored.Dispose();
        closing.End();
    }

    /// <summary>Every number in memory would be another.</summary>
    private static void ThrowIfOfOtherByteOrder(ImageReader image)
    {
        MachineArchitecture made = image.Header.Architecture, here = MachineArchitecture.Here;
        if (made.IsLittleEndian == here.IsLittleEndian) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"{image.Name} has memory of {made}, and this process is {here}: numbers would be read with " +
            $"their bytes reversed. Restart on {made.Name}.")
        { Path = image.Name, Generation = image.Header.Generation };
    }

    private void Adopt(RestoredArena restored)
    {
        // The check below reads the tables anyway: the first of them are fetched without a fault for each
        // part.
        long tables = PageRuns.InitialTablesPages(restored.Arena.Region.CapacityPages);
        Awaited?.Fetch(restored.Arena.Region.Address, Pages.Bytes(tables));
        try
        {
            restored.Arena.Adopt();
            FiberSpaceCheck.Run(restored.Arena);
            if (_made != MachineArchitecture.Here) ForeignThreads.Refuse(restored.Arena, _made);
        }
        catch (SnapshotException) when (Awaited?.Failure is not null)
        {
            // What could not be had read as zeros; that is the cause, and not what the zeros look like.
            throw Awaited!.Failure;
        }
        catch (SnapshotException error)
        {
            throw InImage(error);
        }
    }

    /// <summary>The same error, which knows the arena alone, with the file that it came from.</summary>
    private SnapshotException InImage(SnapshotException error) =>
        new(error.Code, $"{_image}: {error.Message}", error) { Path = error.Path ?? _image };

    private void Add(RegionDescription description)
    {
        if (description.Kind == RegionKind.Buffer)
        {
            RestoredBuffer buffer = new(description);
            _buffers.Add(buffer);
            _targets.Add(new FillTarget(buffer.Content, description.CommittedPages, buffer.Hashes));
            return;
        }

        PageHashes hashes = new(description.CapacityBytes >> Pages.Shift);
        try
        {
            Arena arena = Restore(description);
            _arenas.Add(new RestoredArena(description, arena, hashes));
            _targets.Add(new FillTarget(arena.Region.Address, description.CommittedPages, hashes));
        }
        catch
        {
            hashes.Dispose();
            throw;
        }
    }

    private Arena Restore(RegionDescription description)
    {
        ArenaOptions options =
            new() { Capacity = description.CapacityBytes, HugePages = description.HugePages };
        try
        {
            return Arena.Restore(
                description.Name, (nint)description.BaseAddress, description.CommittedPages, options);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.Corrupt)
        {
            throw InImage(error);
        }
    }
}

/// <summary>An arena as restored.</summary>
internal sealed record RestoredArena(RegionDescription Description, Arena Arena, PageHashes Hashes);

/// <summary>
/// The content of a protected buffer, kept until the user protects the buffer of that name again.
/// </summary>
internal sealed unsafe class RestoredBuffer(RegionDescription description) : IDisposable
{
    private readonly SparseMemory _memory =
        new(Pages.Bytes(description.CommittedPages), $"protected buffer '{description.Name}'");

    internal RegionDescription Description => description;

    internal byte* Content => _memory.Address;

    internal PageHashes Hashes { get; private set; } = new(description.CommittedPages);

    /// <summary>Copies the content to a buffer that is as long.</summary>
    internal void CopyTo(byte* target) =>
        Buffer.MemoryCopy(Content, target, description.ByteLength, description.ByteLength);

    /// <summary>
    /// Hands the hashes to whoever tracks the buffer from now on. Should that come to nothing, its next try
    /// gets hashes of which none is known.
    /// </summary>
    internal PageHashes TakeHashes()
    {
        PageHashes hashes = Hashes;
        Hashes = new PageHashes(description.CommittedPages);
        return hashes;
    }

    public void Dispose()
    {
        _memory.Dispose();
        Hashes.Dispose();
    }
}
