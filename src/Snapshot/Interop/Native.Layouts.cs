using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>
/// The structs that the C part and C# share, as they were compiled here; layout.c has the same list.
/// </summary>
internal static unsafe partial class Native
{
    /// <summary>In the order of layout.c.</summary>
    internal static IEnumerable<NativeStruct> Structs =>
    [
        OfPageRegion(), OfMapping(), OfFillImage(), OfFillBlock(), OfFillRun(), OfFillRange(), OfFill(),
        OfSlots(), OfSpan(), OfRegion(), OfFreezer(),
    ];

    private static NativeStruct OfPageRegion()
    {
        PageRegion it;
        return new NativeStruct("sn_page_region", &it, sizeof(PageRegion))
        {
            { "start", &it.Start },
            { "end", &it.End },
            { "categories", &it.Categories },
        };
    }

    private static NativeStruct OfMapping()
    {
        Mapping it;
        return new NativeStruct("sn_mapping", &it, sizeof(Mapping))
        {
            { "start", &it.Start },
            { "end", &it.End },
            { "kind", &it.Kind },
        };
    }

    private static NativeStruct OfFillImage()
    {
        FillImage it;
        return new NativeStruct("sn_fill_image", &it, sizeof(FillImage))
        {
            { "name", (nint*)&it.Name },
            { "fd", &it.Descriptor },
            { "reserved", &it.Reserved },
        };
    }

    private static NativeStruct OfFillBlock()
    {
        FillBlock it;
        return new NativeStruct("sn_fill_block", &it, sizeof(FillBlock))
        {
            { "offset", &it.Offset },
            { "checksum", &it.Checksum },
            { "ordinal", &it.Ordinal },
            { "wanted", &it.Wanted },
            { "stored", &it.Stored },
            { "state", &it.State },
            { "run", &it.Run },
            { "number", &it.Number },
            { "image", &it.Image },
            { "pages", &it.PageCount },
            { "encoding", &it.Encoding },
            { "element", &it.ElementSize },
            { "reserved", it.Reserved, FillBlock.ReservedBytes },
        };
    }

    private static NativeStruct OfFillRun()
    {
        FillExtent it;
        return new NativeStruct("sn_fill_run", &it, sizeof(FillExtent))
        {
            { "address", &it.Address },
            { "ordinal", &it.Ordinal },
            { "hashes", &it.Hashes },
            { "pages", &it.PageCount },
            { "block", &it.Block },
            { "image", &it.Image },
            { "reserved", &it.Reserved },
        };
    }

    private static NativeStruct OfFillRange()
    {
        FillRange it;
        return new NativeStruct("sn_fill_range", &it, sizeof(FillRange))
        {
            { "start", &it.Start },
            { "end", &it.End },
        };
    }

    private static NativeStruct OfFill()
    {
        FillState it;
        return new NativeStruct("sn_fill", &it, sizeof(FillState))
        {
            { "uffd", &it.Userfault },
            { "stop", &it.Stop },
            { "images", (nint*)&it.Images },
            { "blocks", (nint*)&it.Blocks },
            { "runs", (nint*)&it.Runs },
            { "by_address", (nint*)&it.ByAddress },
            { "order", (nint*)&it.Order },
            { "ranges", (nint*)&it.Ranges },
            { "block_count", &it.BlockCount },
            { "run_count", &it.RunCount },
            { "range_count", &it.RangeCount },
            { "remaining", &it.Remaining },
            { "cursor", &it.Cursor },
            { "stopping", &it.Stopping },
            { "serving", &it.Serving },
            { "urgent", &it.Urgent },
            { "lenient", &it.Lenient },
            { "failed", &it.Failed },
            { "failed_block", &it.FailedBlock },
            { "failed_kind", (uint*)&it.FailedKind },
            { "failed_error", &it.FailedError },
            { "closed", &it.Closed },
            { "pages", &it.PagesInstalled },
            { "faults", &it.Faults },
        };
    }

    private static NativeStruct OfSlots()
    {
        SlotsState it;
        return new NativeStruct("sn_slots", &it, sizeof(SlotsState))
        {
            { "base", &it.Base },
            { "next", (nint*)&it.Next },
            { "limit", &it.Limit },
            { "extra", &it.Extra },
            { "committed", &it.Committed },
            { "extra_committed", &it.ExtraCommitted },
            { "heads", it.Heads, SlotsState.HeadCount * sizeof(ulong) },
            { "fresh", &it.Fresh },
            { "need", &it.Need },
            { "changes", &it.Changes },
            { "waiting", &it.Waiting },
            { "used", &it.Used },
            { "peak", &it.Peak },
            { "resident", &it.Resident },
            { "once", &it.Once },
            { "waited_ns", &it.WaitedNanoseconds },
            { "copy_ns", it.CopyNanoseconds, SlotsState.KindsOfMemory * sizeof(ulong) },
        };
    }

    private static NativeStruct OfSpan()
    {
        SpanState it;
        return new NativeStruct("sn_span", &it, sizeof(SpanState))
        {
            { "lock", &it.Lock },
            { "order", &it.Order },
            { "ahead", &it.Ahead },
            { "opened", &it.Opened },
            { "whole", &it.Whole },
        };
    }

    private static NativeStruct OfRegion()
    {
        RegionState it;
        return new NativeStruct("sn_region", &it, sizeof(RegionState))
        {
            { "start", &it.Start },
            { "pages", &it.PageCount },
            { "armed", (nint*)&it.Armed },
            { "written", (nint*)&it.Written },
            { "frozen", (nint*)&it.Frozen },
            { "copied", (nint*)&it.Copied },
            { "slots", (nint*)&it.Slots },
            { "spans", (nint*)&it.Spans },
            { "orders", (nint*)&it.Orders },
            { "opened", &it.Opened },
            { "lost", &it.Lost },
            { "collected", &it.Collected },
            { "changed_first", &it.ChangedFirst },
            { "changed_end", &it.ChangedEnd },
            { "first", &it.First },
            { "end", &it.End },
            { "foreign", &it.IsForeign },
            { "pagemap", &it.Pagemap },
            { "gone", &it.Gone },
        };
    }

    private static NativeStruct OfFreezer()
    {
        FreezerState it;
        return new NativeStruct("sn_freezer", &it, sizeof(FreezerState))
        {
            { "uffd", &it.Userfault },
            { "stop", &it.Stop },
            { "slots", &it.Slots, sizeof(SlotsState) },
            { "regions", it.Regions, FreezerState.RegionsMax * sizeof(ulong) },
            { "region_count", &it.RegionCount },
            { "inside", &it.Inside },
            { "serving", &it.Serving },
            { "held", &it.Held },
            { "faults", &it.Faults },
            { "opened_ahead", &it.OpenedAhead },
            { "copied", &it.Copied },
            { "copy_ns", &it.CopyNanoseconds },
            { "waits", &it.Waits },
            { "wait_ns", &it.WaitNanoseconds },
            { "spoiled", &it.Spoiled },
        };
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_layouts(NativeLayout** layouts, ulong* count);
}
