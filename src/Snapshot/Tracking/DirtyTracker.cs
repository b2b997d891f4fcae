using Snapshot.Base;

namespace Snapshot.Tracking;

/// <summary>
/// Answers one question about one region: which pages changed since the last time it was asked.
/// </summary>
/// <remarks>
/// <para>
/// Sequence: create; then Collect, and GiveBack when the checkpoint that collected fails; again and again.
/// Arm whenever the memory was filled from outside the application. Dispose before the region is unmapped.
/// </para>
/// <para>
/// At creation everything the region contains counts as changed. Pages that were never populated may be left
/// out: they read as zero, which is what a page that no image mentions reads as.
/// </para>
/// <para>
/// Thread safety: the members are for one thread at a time. The application may write, drop and commit pages
/// of the region meanwhile; <see cref="SeesEveryWrite"/> tells what a collect is worth then.
/// </para>
/// </remarks>
internal abstract class DirtyTracker : IDisposable
{
    /// <summary>The mechanism; never Auto.</summary>
    internal abstract TrackingMechanism Mechanism { get; }

    /// <summary>
    /// True: a collect may run against writers; a page written after the collect is in the next one, whatever
    /// is written to it, so that pages may be copied before the pause. False: a collect, and the copy of what
    /// it reports, mean something only while nobody writes; what is written meanwhile may be in no collect.
    /// </summary>
    internal abstract bool SeesEveryWrite { get; }

    /// <summary>
    /// Forgets everything, also what was given back: the content now is the baseline. Nobody may write
    /// meanwhile.
    /// </summary>
    internal abstract void Arm();

    /// <summary>
    /// Adds to <paramref name="changed"/> every committed page that was written or dropped since the last
    /// collect (since <see cref="Arm"/>, since creation) and every page given back, and re-arms exactly
    /// those. May report a page that did not change. Allocates no managed memory.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// The kernel refused. The next collect then contains every committed page.
    /// </exception>
    internal abstract void Collect(PageBitmap changed);

    /// <summary>
    /// The part of a collect that may run against writers: what it adds may be copied before the pause, for a
    /// page that is written afterwards is in the next collect. Nothing, where <see cref="SeesEveryWrite"/> is
    /// false and nobody took the written pages while the application stood still.
    /// </summary>
    /// <exception cref="SnapshotException">As <see cref="Collect"/>.</exception>
    internal virtual void CollectEarly(PageBitmap changed)
    {
        if (SeesEveryWrite) Collect(changed);
    }

    /// <summary>About how many pages a collect would report now; re-arms nothing.</summary>
    internal abstract long CountChanged();

    /// <summary>
    /// Takes back what a failed checkpoint had collected: the next collect contains these pages.
    /// </summary>
    internal abstract void GiveBack(PageBitmap pages);

    /// <summary>
    /// Adds pages that the last collect found without memory, if it looked: they read as zero, and need not
    /// be read.
    /// </summary>
    internal virtual void MarkEmpty(PageBitmap into)
    {
    }

    /// <summary>
    /// The memory is not looked at any more, and may be gone when this returns. What was collected can still
    /// be given back.
    /// </summary>
    internal virtual void Leave()
    {
    }

    /// <summary>
    /// Lets the memory go, and adds what was dropped or given back and not collected since. For the tracker
    /// that comes in the place of this one, which is disposed of next: it reports whatever has memory by
    /// itself.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// The kernel keeps the memory; this tracker goes on with it.
    /// </exception>
    internal abstract void HandOver(PageBitmap pages);

    public abstract void Dispose();
}
