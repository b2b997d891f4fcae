using BenchmarkDotNet.Attributes;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Tracking;

namespace Snapshot.Microbench;

/// <summary>
/// The first write to a page after a collect, and the collect, over 256 MiB of which one percent is written.
/// </summary>
public unsafe class TrackingBench
{
    private const long Bytes = 256L << 20;
    private const int Written = (int)(Bytes / Pages.Size / 100);

    private Arena _arena = null!;
    private byte* _memory;
    private TrackerFactory _trackers = null!;
    private DirtyTracker _tracker = null!;
    private PageBitmap _changed = null!;
    private byte _value;

    /// <summary>The mechanism.</summary>
    [Params(TrackingMechanism.WriteProtect, TrackingMechanism.ContentHash)]
    public TrackingMechanism Mechanism { get; set; }

    /// <summary>Fills an arena.</summary>
    [GlobalSetup]
    public void Open()
    {
        _arena = Arena.Create("microbench", null, new ArenaOptions { Capacity = Bytes + (64L << 20) });
        ArenaArray<byte> array = _arena.Allocate<byte>(Bytes);
        _memory = (byte*)array.Pointer;
        array.AsSpan().Fill(1);
        _trackers = new TrackerFactory(MachineCapabilities.Current, Mechanism);
        _tracker = _trackers.CreateForArena(_arena.Region);
        _changed = new PageBitmap(_arena.Region.CapacityPages);
        _tracker.Collect(_changed);
    }

    /// <summary>Unmaps it.</summary>
    [GlobalCleanup]
    public void Close()
    {
        _tracker.Dispose();
        _trackers.Dispose();
        _changed.Dispose();
        _arena.Close();
    }

    /// <summary>Everything is armed before the writes.</summary>
    [IterationSetup(Target = nameof(Write))]
    public void Arm() => _tracker.Arm();

    /// <summary>Pages are written before the collect.</summary>
    [IterationSetup(Target = nameof(Collect))]
    public void ArmAndWrite()
    {
        _tracker.Arm();
        Write();
    }

    /// <summary>One write to each of the pages; per page.</summary>
    [Benchmark(OperationsPerInvoke = Written)]
    public void Write()
    {
        _value++;
        for (long index = 0; index < Written; index++) _memory[index * 100 * Pages.Size] = _value;
    }

    /// <summary>One collect.</summary>
    [Benchmark]
    public void Collect()
    {
        _changed.Clear();
        _tracker.Collect(_changed);
    }
}
