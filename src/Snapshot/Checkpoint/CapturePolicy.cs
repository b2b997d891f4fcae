using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// Chooses how one arena is captured, by what it is asked for, what is possible and what was measured.
/// </summary>
/// <remarks>
/// <para>The two that leave the application running cost it differently. Pre-copy relies on the kernel, which
/// resolves the first write to each page by itself (about a microsecond a page), and walks a bit for each
/// page in the pause. Copy-on-write costs a fault that a thread serves (some ten microseconds) for a span of
/// 2 MiB, and a copy of the span if the drain has not come by; its pause does not depend on what was written.
/// So it pays where most of a span is written, and there it also keeps huge pages whole. Between the two
/// thresholds nothing is changed: an exchange makes everything count as written once.</para>
/// <para>A huge page that was split comes back only by being copied. Therefore copy-on-write is what an arena
/// begins with.</para>
/// </remarks>
internal sealed class CapturePolicy
{
    /// <summary>
    /// Pages of 512 that changed in a span that was written: from here on it counts as dense.
    /// </summary>
    private const double DenseFrom = 128;

    /// <summary>Below this it counts as sparse.</summary>
    private const double SparseBelow = 96;

    /// <summary>
    /// An increment with fewer spans comes from a quiet time, and says nothing of the others.
    /// </summary>
    private const long LeastSpans = 8;

    /// <summary>The part of memory that must be in huge pages for their protection to be cheap.</summary>
    private const double HugeEnough = 0.5;

    private double? _density;
    private bool _stayedSmall;

    /// <summary>What was asked for; Auto leaves it to the policy.</summary>
    internal CaptureMode Wanted { get; set; }

    /// <summary>What an increment had of the arena.</summary>
    /// <param name="pages">Pages whose content changed.</param>
    /// <param name="spans">Spans of 2 MiB with such pages.</param>
    internal void Observe(long pages, long spans)
    {
        if (spans >= LeastSpans) _density = (double)pages / spans;
    }

    /// <summary>Huge pages were made of what was split, as far as the kernel could.</summary>
    /// <param name="hugePart">The part of memory that is in huge pages now.</param>
    internal void Collapsed(double hugePart) => _stayedSmall = hugePart < HugeEnough;

    internal CaptureChoice Choose(in CaptureSituation now) => Wanted switch
    {
        _ when now.IsBySignals => new(
            CaptureMode.CopyOnWrite,
            "tracking by signals was chosen by option; a system call that writes to the arena fails with " +
            "EFAULT"),
        CaptureMode.Stage => new(CaptureMode.Stage, "chosen by option"),
        CaptureMode.PreCopy => new(CaptureMode.PreCopy, "chosen by option"),
        CaptureMode.CopyOnWrite when now.IsFilling => new(
            CaptureMode.PreCopy,
            "a lazy restart is still filling the arena; then copy-on-write, as chosen by option"),
        CaptureMode.CopyOnWrite => new(
            CaptureMode.CopyOnWrite,
            now.FreezesUnnoticed
                ? "chosen by option"
                : "chosen by option; without privilege a system call that writes to the arena fails with " +
                    "EFAULT"),
        _ => ChooseFreely(now),
    };

    private CaptureChoice ChooseFreely(in CaptureSituation now)
    {
        CaptureMode otherwise = now.CopiesBefore ? CaptureMode.PreCopy : CaptureMode.Stage;
        if (!now.FreezesUnnoticed)
        {
            return new(otherwise, now.CopiesBefore
                ? "copy-on-write without privilege would make system calls that write arenas fail"
                : "what is written before the application stops can only be found when it has stopped");
        }

        if (now.IsTrackingPinned) return new(otherwise, "the tracking mechanism was chosen by option");
        if (now.IsFilling) return new(otherwise, "a lazy restart is still filling the arena");
        if (now.PagesChanged > now.StagingPages)
            return new(CaptureMode.CopyOnWrite, "what changed does not fit the staging area");
        if (now.HugePart < HugeEnough && (_density is null || _stayedSmall))
            return new(otherwise, Invariant($"{100 * now.HugePart:F0} % of the memory is in huge pages"));
        if (_density is not { } density)
            return new(CaptureMode.CopyOnWrite, "nothing is known yet of how the arena is written");
        double least = now.IsFreezing ? SparseBelow : DenseFrom;
        string measured = Invariant($"{density:F0} of 512 pages change in a span that is written");
        return new(density >= least ? CaptureMode.CopyOnWrite : otherwise, measured);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>What a choice depends on besides the past.</summary>
/// <param name="CopiesBefore">What is written while pages are copied before the pause is found again.</param>
/// <param name="FreezesUnnoticed">Memory can be frozen, and system calls that write to it wait.</param>
/// <param name="IsTrackingPinned">A tracking mechanism was asked for explicitly.</param>
/// <param name="IsFilling">Pages of the arena are still to come from an image.</param>
/// <param name="IsFreezing">The arena is captured by copy-on-write now.</param>
/// <param name="PagesChanged">About how many pages have changed.</param>
/// <param name="StagingPages">How many can be staged.</param>
/// <param name="HugePart">The part of the arena's memory that is in huge pages.</param>
/// <param name="IsBySignals">Memory is tracked by signals, which is freezing it.</param>
internal readonly record struct CaptureSituation(
    bool CopiesBefore, bool FreezesUnnoticed, bool IsTrackingPinned, bool IsFilling, bool IsFreezing,
    long PagesChanged, long StagingPages, double HugePart, bool IsBySignals = false);
