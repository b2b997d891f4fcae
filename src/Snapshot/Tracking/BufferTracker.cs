using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Finds what changed of a protected buffer, whose memory is the program's: by watching its pages where they
/// are, or by their content.
/// </summary>
/// <remarks>
/// <para>Watched is private anonymous memory of which there are enough whole pages. What shares its first and
/// last page with others is hashed, a few bytes, so that a neighbour is neither protected nor seen. All else
/// is hashed whole: memory that others may write through mappings of their own, which page tables do not
/// show; files, where a page without memory is not zero; what is watched already.</para>
/// <para>Nothing of the buffer is read outside of the pause: the program may free it at any time. Before it
/// is read there the kernel is asked whether it is mapped. What it is may differ each time: what is no
/// longer watched is registered anew and counts as written; what has come to be shared is hashed from then
/// on.</para>
/// </remarks>
internal sealed unsafe class BufferTracker : DirtyTracker
{
    /// <summary>Of fewer, hashing costs less than a mapping that is cut into three.</summary>
    internal const long WatchedMin = 16;

    private readonly MemoryRegion _region;
    private readonly BufferPages _layout;
    private readonly BufferTerms _terms;
    private readonly PageBitmap _givenBack;
    private readonly PageBitmap _written;
    private WatchedPages? _watched;
    private ContentHashTracker? _hashed;
    private PageHash _lead;
    private PageHash _tail;
    private long _lastChanged;
    private bool _isLeft;

    /// <exception cref="SnapshotException">MemoryGone; SystemCall.</exception>
    internal BufferTracker(MemoryRegion region, BufferTerms terms)
    {
        _region = region;
        _terms = terms;
        _layout = new BufferPages((ulong)region.Address, region.CommittedBytes);
        _lastChanged = region.CommittedPages;
        MappingKinds kinds = LookAtMappings(anew: true);
        _givenBack = new PageBitmap(region.CapacityPages);
        _written = new PageBitmap(_layout.WholePages);
        if (IsOwn(kinds)) _watched = TryWatch();
        if (_watched is null) _hashed = new ContentHashTracker(region, terms.Pagemap, terms.Crew);
    }

    internal override TrackingMechanism Mechanism =>
        _watched is null ? TrackingMechanism.ContentHash : TrackingMechanism.WriteProtect;

    internal override bool SeesEveryWrite => false;

    /// <summary>
    /// Where content tells what changed it needs no baseline: what is the same is found out by the drain.
    /// </summary>
    internal override void Arm()
    {
        _givenBack.Clear();
        _written.Clear();
        if (_watched is null || !_watched.TryCollect(_written)) return;
        _written.Clear();
        _ = EdgeChanged(ref _lead, 0, _layout.LeadBytes);
        _ = EdgeChanged(ref _tail, _layout.TailOffset, _layout.Bytes - _layout.TailOffset);
    }

    internal override void Collect(PageBitmap changed)
    {
        MappingKinds kinds = LookAtMappings(anew: false);
        try
        {
            if (_watched is not null && !TryCollectWatched(kinds, changed)) BeginHashing();
            if (_hashed is not null) CollectHashed(kinds, changed);
        }
        catch
        {
            // Pages may have been protected, or hashes recorded, without being reported.
            _givenBack.Add(All);
            throw;
        }

        changed.UnionWith(_givenBack);
        _givenBack.Clear();
        _lastChanged = changed.Count();
    }

    /// <summary>Where content tells it, what changed last is the estimate.</summary>
    internal override long CountChanged() =>
        _isLeft ? 0 : (_watched?.CountWritten() ?? _lastChanged) + _givenBack.Count();

    internal override void GiveBack(PageBitmap pages) => _givenBack.UnionWith(pages);

    internal override void HandOver(PageBitmap pages) => pages.UnionWith(_givenBack);

    internal override void MarkEmpty(PageBitmap into)
    {
        if (_watched is not null) _layout.SpreadInside(_watched.Empty, into);
    }

    internal override void Leave()
    {
        _isLeft = true;
        _watched?.Leave();
    }

    public override void Dispose()
    {
        _watched?.Dispose();
        _hashed?.Dispose();
        _givenBack.Dispose();
        _written.Dispose();
    }

    private PageRange All => new(0, _region.CommittedPages);

    private WatchedPages? TryWatch()
    {
        if (_terms is not { MayWatch: true, Userfault: { } userfault, Pagemap: { } pagemap } ||
            _layout.WholePages < WatchedMin)
            return null;

        // Arenas are tracked as such; lazily restored ones may not even be there.
        ulong start = _layout.WholeStart, end = start + (ulong)Pages.Bytes(_layout.WholePages);
        if (end > RegionLimits.ArenasBegin && start < RegionLimits.ArenasEnd) return null;
        return WatchedPages.TryBegin(
            start, _layout.WholePages, userfault, pagemap, wasEmpty: !_terms.IsInParent);
    }

    /// <summary>False: it cannot be watched any more.</summary>
    private bool TryCollectWatched(MappingKinds kinds, PageBitmap changed)
    {
        if (!IsOwn(kinds)) return false;
        _written.Clear();
        if (!_watched!.TryCollect(_written))
        {
            _written.Clear();
            if (!_watched.TryRegister() || !_watched.TryCollect(_written)) return false;
        }

        _layout.Spread(_written, changed);
        AddEdge(ref _lead, 0, _layout.LeadBytes, changed);
        AddEdge(ref _tail, _layout.TailOffset, _layout.Bytes - _layout.TailOffset, changed);
        return true;
    }

    /// <summary>What was written until now is not known.</summary>
    private void BeginHashing()
    {
        _hashed = new ContentHashTracker(_region, _terms.Pagemap, _terms.Crew);
        _watched!.Dispose();
        _watched = null;
        _givenBack.Add(All);
    }

    private void CollectHashed(MappingKinds kinds, PageBitmap changed)
    {
        _hashed!.SkipsEmpty = kinds == MappingKinds.Readable && _layout.LeadBytes == 0;
        _hashed.Collect(changed);
    }

    private void AddEdge(ref PageHash known, long offset, long bytes, PageBitmap changed)
    {
        if (EdgeChanged(ref known, offset, bytes)) changed.Add(BufferPages.Holding(offset, bytes));
    }

    private bool EdgeChanged(ref PageHash known, long offset, long bytes)
    {
        if (bytes == 0) return false;
        PageHash now = PageHashes.Hash(new ReadOnlySpan<byte>(_region.Address + offset, (int)bytes));
        if (now == known) return false;
        known = now;
        return true;
    }

    /// <summary>
    /// Whether the whole pages are private anonymous memory. Its edges may be on other, as where an array
    /// begins on the last page of a program's file.
    /// </summary>
    private bool IsOwn(MappingKinds kinds)
    {
        if (kinds is MappingKinds.Readable or MappingKinds.None || _layout.WholePages == 0)
            return kinds == MappingKinds.Readable;
        ulong start = _layout.WholeStart;
        return _terms.Mappings!.Of(start, start + (ulong)Pages.Bytes(_layout.WholePages), out _) ==
            MappingKinds.Readable;
    }

    /// <summary>What the memory is; None where that cannot be told.</summary>
    private MappingKinds LookAtMappings(bool anew)
    {
        if (_terms.Mappings is not { } mappings || _layout.Bytes == 0) return MappingKinds.None;
        if (anew) mappings.Forget();
        MappingKinds kinds =
            mappings.Of(_layout.Address, _layout.Address + (ulong)_layout.Bytes, out ulong gap);
        if (kinds != MappingKinds.None) return kinds;
        throw new SnapshotException(
            SnapshotErrorCode.MemoryGone,
            $"Protected buffer '{_region.RegionName}' is at 0x{_layout.Address:x}, with a length of " +
            $"{_layout.Bytes:N0} bytes, and at 0x{gap:x} there is no memory that can be read: the program " +
            "has unmapped or closed it. Call Unprotect before memory is freed. Nothing else is lost: a " +
            "checkpoint succeeds when the buffer is unprotected, or there is memory again.");
    }
}

/// <summary>What the trackers of protected buffers share, and what is known of one of them.</summary>
/// <param name="Userfault">What pages are watched by, or null: they are not.</param>
/// <param name="Pagemap">What tells of them, or null.</param>
/// <param name="Crew">Who helps to hash; null with <paramref name="Pagemap"/>.</param>
/// <param name="Mappings">Tells what is mapped; null where nobody does.</param>
/// <param name="MayWatch">False: something writes it that page tables do not show.</param>
/// <param name="IsInParent">Whether the newest image has it; else it is taken for zero.</param>
internal sealed record BufferTerms(
    UserfaultDescriptor? Userfault, PagemapDescriptor? Pagemap, ScanCrew? Crew, MappingLookup? Mappings,
    bool MayWatch, bool IsInParent);
