using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Tracking;

/// <summary>
/// Finds what changed of a protected buffer, whose memory is the program's: by serving the writes to it, by
/// watching its pages where they are, or by their content.
/// </summary>
/// <remarks>
/// <para>Watched is private anonymous memory of which there are enough whole pages. What shares its first and
/// last page with others is hashed, a few bytes, so that a neighbour is neither protected nor seen. All else
/// is hashed whole: memory that others may write through mappings of their own, which page tables do not
/// show; files, where a page without memory is not zero; what is watched already.</para>
/// <para>Where writes are served (<see cref="FrozenBuffer"/>) its pages are frozen, and read while the
/// program runs; all else is read inside the pause alone, since the program may free it at any time. Before
/// it is read there the kernel is asked whether it is mapped. What it is may differ each time: what is no
/// longer registered is so anew and counts as written; what has come to be shared is hashed from then on.
/// </para>
/// <para>A program that drops or frees memory while frozen pages of it are read loses that checkpoint. Then
/// the buffer is not frozen any more.</para>
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
    private FrozenBuffer? _frozen;
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
        if (IsOwn(kinds) && MayWatch) _frozen = Freeze();
        if (IsOwn(kinds) && _frozen is null) _watched = TryWatch();
        if (_frozen is null && _watched is null)
            _hashed = new ContentHashTracker(region, terms.Pagemap, terms.Crew);

        // What the newest image has of pages without memory is not what they are.
        if (terms.IsInParent && _frozen is not null) _givenBack.Add(All);
    }

    internal override TrackingMechanism Mechanism => _frozen is not null
        ? TrackingMechanism.ServedWriteProtect
        : _watched is null ? TrackingMechanism.ContentHash : TrackingMechanism.WriteProtect;

    /// <summary>What is frozen is read from here; null where what changed is copied in the pause.</summary>
    internal IFreezing? Frozen => _frozen;

    internal override bool SeesEveryWrite => false;

    /// <summary>
    /// Where content tells what changed it needs no baseline: what is the same is found out by the drain.
    /// </summary>
    internal override void Arm()
    {
        _givenBack.Clear();
        _written.Clear();
        bool isArmed = _frozen?.TryArm() ?? _watched?.TryCollect(_written) ?? false;
        _written.Clear();
        if (!isArmed) return;
        _ = EdgeChanged(ref _lead, 0, _layout.LeadBytes);
        _ = EdgeChanged(ref _tail, _layout.TailOffset, _layout.Bytes - _layout.TailOffset);
    }

    internal override void Collect(PageBitmap changed)
    {
        MappingKinds kinds = LookAtMappings(anew: false);
        try
        {
            if (_frozen is not null && !TryCollectFrozen(kinds, changed))
            {
                EndFreezing(mayWatch: IsOwn(kinds));
                _givenBack.Add(All);
            }

            if (_watched is not null && !TryCollectWatched(kinds, changed)) BeginHashing();
            if (_watched is null && _frozen is null) CollectHashed(kinds, changed);
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

    /// <summary>Protects what was written so far, where writes are served. Nothing is read.</summary>
    internal override void CollectEarly(PageBitmap changed)
    {
        // What fails here fails in the pause, too.
        if (!_isLeft) _ = _frozen?.TryCollect(changed, isEarly: true);
    }

    /// <summary>Where content tells it, what changed last is the estimate.</summary>
    internal override long CountChanged() => _isLeft
        ? 0
        : (_frozen?.CountChanged() ?? _watched?.CountWritten() ?? _lastChanged) + _givenBack.Count();

    /// <summary>
    /// Where most of it turned out to be in small pages, or content was lost that was frozen, what changes is
    /// copied in the pause from now on. Nobody captures it meanwhile.
    /// </summary>
    /// <param name="isKnown">Whether it was captured, or is in an image: all of it counts as written.</param>
    internal void Reconsider(bool isKnown)
    {
        if (_isLeft || _frozen is null || !(_frozen.HasLost || (!isKnown && !IsWorthFreezing))) return;
        EndFreezing(mayWatch: true);
        if (isKnown || _terms.IsInParent) _givenBack.Add(All);
    }

    internal override void GiveBack(PageBitmap pages) => _givenBack.UnionWith(pages);

    internal override void HandOver(PageBitmap pages) => pages.UnionWith(_givenBack);

    internal override void MarkEmpty(PageBitmap into)
    {
        if (_watched is not null) _layout.SpreadInside(_watched.Empty, into);
    }

    internal override void Leave()
    {
        _isLeft = true;
        _frozen?.Leave();
        _watched?.Leave();
    }

    public override void Dispose()
    {
        _frozen?.Dispose();
        _watched?.Dispose();
        _hashed?.Dispose();
        _givenBack.Dispose();
        _written.Dispose();
    }

    private PageRange All => new(0, _region.CommittedPages);

    /// <summary>Arenas are tracked as such; lazily restored ones may not even be there.</summary>
    private bool MayWatch => _terms.MayWatch && _layout.WholePages >= WatchedMin &&
        (_layout.WholeEnd <= RegionLimits.ArenasBegin || _layout.WholeStart >= RegionLimits.ArenasEnd);

    private bool IsWorthFreezing =>
        _terms.Freezing is { } freezing && freezing.IsWorthIt(_layout.WholeStart, _layout.WholeEnd);

    private FrozenBuffer? Freeze() => IsWorthFreezing
        ? FrozenBuffer.TryBegin(_region, _layout, _terms.Freezing!.Freezer(), _terms.Pagemap!)
        : null;

    private WatchedPages? TryWatch() =>
        MayWatch && _terms is { Userfault: { } userfault, Pagemap: { } pagemap }
            ? WatchedPages.TryBegin(
                _layout.WholeStart, _layout.WholePages, userfault, pagemap, wasEmpty: !_terms.IsInParent)
            : null;

    /// <summary>False: writes to it cannot be served any more.</summary>
    private bool TryCollectFrozen(MappingKinds kinds, PageBitmap changed)
    {
        if (!IsOwn(kinds) || !_frozen!.TryCollect(changed, isEarly: false)) return false;
        AddEdges(changed);
        return true;
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
        AddEdges(changed);
        return true;
    }

    /// <summary>What was written until now is not known.</summary>
    private void BeginHashing()
    {
        _watched!.Dispose();
        _watched = null;
        _givenBack.Add(All);
    }

    private void EndFreezing(bool mayWatch)
    {
        _frozen!.Dispose();
        _frozen = null;
        if (mayWatch) _watched = TryWatch();
    }

    private void CollectHashed(MappingKinds kinds, PageBitmap changed)
    {
        _hashed ??= new ContentHashTracker(_region, _terms.Pagemap, _terms.Crew);
        _hashed.SkipsEmpty = kinds == MappingKinds.Readable && _layout.LeadBytes == 0;
        _hashed.Collect(changed);
    }

    private void AddEdges(PageBitmap changed)
    {
        AddEdge(ref _lead, 0, _layout.LeadBytes, changed);
        AddEdge(ref _tail, _layout.TailOffset, _layout.Bytes - _layout.TailOffset, changed);
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
        return _terms.Mappings!.Of(_layout.WholeStart, _layout.WholeEnd, out _) == MappingKinds.Readable;
    }

    /// <summary>What the memory is; None where that cannot be told.</summary>
    private MappingKinds LookAtMappings(bool anew)
    {
        if (_terms.Mappings is not { } mappings || _layout.Bytes == 0) return MappingKinds.None;
        if (anew) mappings.Forget();
        MappingKinds kinds =
            mappings.Of(_layout.Address, _layout.Address + (ulong)_layout.Bytes, out ulong gap);
        if (kinds != MappingKinds.None) return kinds;
        throw Gone(
            _region, gap, "there is no memory that can be read: the program has unmapped or closed it");
    }

    /// <summary>What a checkpoint fails with that finds no memory, or other memory.</summary>
    internal static SnapshotException Gone(MemoryRegion buffer, ulong where, string what) => new(
        SnapshotErrorCode.MemoryGone,
        $"Protected buffer '{buffer.RegionName}' is at 0x{(ulong)buffer.Address:x}, with a length of " +
        $"{buffer.CommittedBytes:N0} bytes, and at 0x{where:x} {what}. Call Unprotect before memory is " +
        "freed. Nothing else is lost: a checkpoint succeeds when the buffer is unprotected, or there is " +
        "memory again.");
}

/// <summary>What the trackers of protected buffers share, and what is known of one of them.</summary>
/// <param name="Userfault">What pages are watched by, or null: they are not.</param>
/// <param name="Pagemap">What tells of them, or null.</param>
/// <param name="Crew">Who helps to hash; null with <paramref name="Pagemap"/>.</param>
/// <param name="Mappings">Tells what is mapped; null where nobody does.</param>
/// <param name="MayWatch">False: something writes it that page tables do not show.</param>
/// <param name="IsInParent">Whether the newest image has it; else it is taken for zero.</param>
/// <param name="Freezing">Serves writes to it; null: nobody does.</param>
internal sealed record BufferTerms(
    UserfaultDescriptor? Userfault, PagemapDescriptor? Pagemap, ScanCrew? Crew, MappingLookup? Mappings,
    bool MayWatch, bool IsInParent, FreezingTerms? Freezing = null);

/// <summary>Who serves the writes to protected buffers, with a pagemap that can be scanned.</summary>
/// <param name="Freezer">Gives it; made when it is first asked for.</param>
/// <param name="IsWorthIt">Whether it is worth while for the memory between two addresses.</param>
internal sealed record FreezingTerms(Func<Freezer> Freezer, Func<ulong, ulong, bool> IsWorthIt);
