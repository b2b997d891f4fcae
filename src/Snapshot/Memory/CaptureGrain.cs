namespace Snapshot;

/// <summary>How much of an arena the first write after a checkpoint opens, with copy-on-write capture.</summary>
public enum CaptureGrain
{
    /// <summary>
    /// By block of 2 MiB: what the last increments had of it. The default. A block begins with all of it, and as long
    /// as it is opened as a whole a huge page stays one.
    /// </summary>
    Auto = -1,

    /// <summary>The block of 2 MiB: one fault and one copy for it. For memory that is rewritten densely.</summary>
    Block = 0,

    /// <summary>64 KiB.</summary>
    SixteenPages = 1,

    /// <summary>One page of 4 KiB. For memory of which few pages are written.</summary>
    Page = 2,
}
