using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// The manifest file: two halves, of which the valid one with the higher sequence is the state of the store.
/// A change overwrites the other one, so that whatever a crash leaves of it, the state before is still there.
/// </summary>
internal sealed class Manifest
{
    internal const string FileName = "manifest";

    private readonly IStoreMedium _medium;
    private readonly IStoreLock? _writerLock;

    /// <summary>Retired entries whose files are gone: the next write leaves them out.</summary>
    private readonly HashSet<ManifestEntry> _gone = [];

    /// <summary>
    /// The youngest generation when the store was opened: what is younger was written by this writer.
    /// </summary>
    private readonly long _found;
    private ManifestState _state;
    private SnapshotException? _unknownOutcome;

    private Manifest(IStoreMedium medium, IStoreLock? writerLock, ManifestState state)
    {
        _medium = medium;
        _writerLock = writerLock;
        _state = state;
        _found = LastGeneration;
        Entries = Counting(state);
    }

    /// <summary>The generations of the store, ascending; another list after each change.</summary>
    internal IReadOnlyList<ManifestEntry> Entries { get; private set; }

    /// <summary>Entries whose files have been deleted, or will be.</summary>
    internal IEnumerable<ManifestEntry> Retired => _state.Entries.Where(entry => entry.IsRetired);

    /// <summary>The generation that the next restart takes, or 0 for the newest.</summary>
    internal long RestartGeneration => _state.RestartGeneration;

    internal long Sequence => _state.Sequence;

    /// <summary>
    /// The highest number that is listed, also of an entry that is retired; 0 when there is none.
    /// </summary>
    internal long LastGeneration => _state.Entries is [.., ManifestEntry last] ? last.Generation : 0;

    /// <summary>A half that was not valid when the manifest was read, or null.</summary>
    internal int? DamagedHalf { get; private init; }

    /// <summary>Whether a half has room for one more entry: else something must go first.</summary>
    internal bool HasRoomFor(string? tag) => ManifestHalf.Fits(
        _state.Entries.Where(entry => !_gone.Contains(entry)).Select(entry => entry.Tag).Append(tag));

    /// <summary>Makes a manifest of this state; visible as a whole or not at all.</summary>
    internal static void Create(IStoreMedium medium, ManifestState state)
    {
        const string Partial = FileName + ImageFileName.PartialSuffix;
        using (AlignedBuffer bytes = new(2 * ManifestHalf.HalfBytes))
        using (IStoreFile file = medium.Create(Partial, direct: false))
        {
            // Written in full, so that no later change can fail because there is no room.
            bytes.Span.Clear();
            Encode(state, HalfOf(bytes, state.Half), medium.Location);
            // Both halves of all but a new store are valid, and whoever looks for damage relies on it.
            ManifestState before = state with { Sequence = state.Sequence - 1 };
            if (before.Sequence > 0) Encode(before, HalfOf(bytes, before.Half), medium.Location);
            file.Write(bytes.Span, 0);
            file.Sync();
        }

        medium.Rename(Partial, FileName);
        medium.SyncDirectory();
    }

    /// <param name="medium">Where it is.</param>
    /// <param name="writerLock">Of who may write it, or null.</param>
    internal static Manifest Read(IStoreMedium medium, IStoreLock? writerLock = null)
    {
        using IStoreFile file = medium.OpenForReading(FileName);
        (ManifestState? first, ManifestState? second) = (ReadHalf(file, 0), ReadHalf(file, 1));
        ManifestState? newest = first is null || second?.Sequence > first.Sequence ? second : first;
        if (newest is null)
        {
            throw StoreErrors.Corrupt(
                file.Name,
                "the manifest is damaged, in both its halves. The images may be intact: 'snapshot recover' " +
                "makes a new manifest from them.",
                0);
        }

        int other = 1 - newest.Half;
        // The second half of a store to which nothing happened yet.
        bool isUnused = newest.Sequence == 1 && IsZero(file, other);
        bool isDamaged = !isUnused && (other == 0 ? first : second) is null;
        return new Manifest(medium, writerLock, newest) { DamagedHalf = isDamaged ? other : null };
    }

    /// <summary>
    /// Makes what was read durable: it may merely be readable, after a failed sync of a process before.
    /// </summary>
    /// <remarks>
    /// By a new file. After a failed sync nobody knows which of the two halves is on the disk, so neither may
    /// be written over: a power cut during that could leave none. On a full disk there is no room for one:
    /// then the half is written that was not read, or, after a failed sync of this process, the one that it
    /// was about.
    /// </remarks>
    /// <param name="afterFailedSync">Whether it was this process whose sync failed.</param>
    internal void Confirm(bool afterFailedSync = false)
    {
        ThrowIfUsedUp();
        using (IStoreFile file = _medium.OpenForReading(FileName)) ThrowIfNotOurs(file);
        ManifestState next = _state with { Sequence = _state.Sequence + 1 };
        try
        {
            Create(_medium, next);
            Become(next);
        }
        catch (SnapshotException error) when (StoreErrors.IsOutOfRoom(error))
        {
            _medium.Delete(FileName + ImageFileName.PartialSuffix);
            next = _state with { Sequence = _state.Sequence + (afterFailedSync ? 2 : 1) };
            WriteHalf(next);
            Become(next);
        }
    }

    /// <summary>
    /// Adds a new generation durably. What the store did not go on from is passed over from now on, and the
    /// next restart takes the newest again.
    /// </summary>
    /// <param name="entry">The new one; younger than all others.</param>
    /// <param name="continued">The generation that the writer went on from, or null for none.</param>
    internal void Commit(ManifestEntry entry, long? continued)
    {
        IEnumerable<ManifestEntry> others = continued is { } from
            ? Lineage.Mark(_state.Entries, from, _found)
            : _state.Entries;
        Replace([.. others, entry], restartGeneration: 0);
    }

    /// <summary>
    /// Puts a compacted image durably in place of the one of its generation, which is retired.
    /// </summary>
    /// <remarks>
    /// Not in place of an equal one: an entry that was read back is not equal to the record it was written
    /// from, whose time is finer than a microsecond.
    /// </remarks>
    internal void Put(ManifestEntry entry)
    {
        ManifestEntry replaced = Entries.Single(other => other.Generation == entry.Generation);
        ManifestEntry[] both = [.. WithRetired([replaced]), entry with { Flags = replaced.Flags }];
        Replace(
            [.. both.OrderBy(other => other.Generation).ThenBy(other => other.Revision)], RestartGeneration);
    }

    /// <summary>Says durably that the files of these entries may be deleted.</summary>
    internal void Retire(IReadOnlyCollection<ManifestEntry> entries) =>
        Replace([.. WithRetired(entries)], RestartGeneration);

    /// <summary>The file of a retired entry is deleted.</summary>
    internal void Forget(ManifestEntry entry) =>
        _gone.UnionWith(Retired.Where(retired => retired.FileName == entry.FileName));

    /// <summary>Says durably which generation the next restart takes.</summary>
    /// <param name="generation">Listed, or 0 for the newest.</param>
    internal void ChooseRestart(long generation) => Replace(_state.Entries, generation);

    /// <summary>
    /// Resolves an unknown outcome: reads which state the file has, and makes that one durable.
    /// </summary>
    /// <remarks>
    /// What was read may be there only for readers, since a failed sync says nothing about what is on the
    /// disk; hence the confirmation. When it fails, too, the outcome stays unknown.
    /// </remarks>
    /// <returns>Whether there was one.</returns>
    internal bool Resolve()
    {
        if (_unknownOutcome is null) return false;
        Manifest found = Read(_medium, _writerLock);
        found.Confirm(afterFailedSync: true);
        Become(found._state);
        _unknownOutcome = null;
        return true;
    }

    /// <summary>
    /// Another writer has come where there are no locks: names of drafts may be its by now.
    /// </summary>
    /// <exception cref="SnapshotException">StoreBusy.</exception>
    internal void ThrowIfLost() => _writerLock?.ThrowIfLost();

    internal void ThrowIfUnknown()
    {
        if (_unknownOutcome is null) return;
        throw new SnapshotException(_unknownOutcome.Code, _unknownOutcome.Message, _unknownOutcome)
        { Path = _unknownOutcome.Path };
    }

    /// <summary>Makes this the durable state.</summary>
    /// <exception cref="SnapshotException">
    /// OutcomeUnknown: the write or the sync failed, and only opening the store again shows which state is
    /// durable.
    /// </exception>
    private void Replace(IEnumerable<ManifestEntry> entries, long restartGeneration)
    {
        ThrowIfUsedUp();
        ManifestEntry[] remaining = [.. entries.Where(entry => !(entry.IsRetired && _gone.Contains(entry)))];
        // What is not listed any more must not come back by a crash: it would be taken for an image that got
        // lost.
        if (_gone.Count > 0) _medium.SyncDirectory();
        ManifestState next = new(_state.Sequence + 1, remaining, restartGeneration);
        WriteHalf(next);
        Become(next);
    }

    private void ThrowIfUsedUp()
    {
        if (_state.Sequence >= long.MaxValue - 1)
            throw StoreErrors.NumbersUsedUp(
                _medium.Location, "the manifest has the last sequence number there is");
    }

    private void Become(ManifestState state)
    {
        _state = state;
        _gone.IntersectWith(state.Entries);
        Entries = Counting(state);
    }

    /// <summary>What could not be read back is not written: the half that is there is worth more.</summary>
    private static void Encode(ManifestState state, Span<byte> half, string location)
    {
        ManifestHalf.Encode(state, half);
        if (ManifestHalf.Decode(half, state.Half, FileName) is not null) return;
        throw StoreErrors.Corrupt(
            location,
            "the next state of the manifest would not be valid, so it was not written. Open the store " +
            "again.");
    }

    private IEnumerable<ManifestEntry> WithRetired(IReadOnlyCollection<ManifestEntry> entries) =>
        _state.Entries.Select(
            entry => entries.Contains(entry) ? entry with { Flags = EntryFlags.Retired } : entry);

    private static ManifestEntry[] Counting(ManifestState state) =>
        [.. state.Entries.Where(entry => !entry.IsRetired)];

    private static Span<byte> HalfOf(AlignedBuffer bytes, int half) =>
        bytes.Span.Slice(half * ManifestHalf.HalfBytes, ManifestHalf.HalfBytes);

    /// <summary>
    /// The state in a half, or null when it is not valid. Reads no more than what is used of it.
    /// </summary>
    private static ManifestState? ReadHalf(IStoreFile file, int half)
    {
        using AlignedBuffer start = new(ImageFormat.PageSize);
        Fill(start, file, half);
        int length = ManifestHalf.LengthOf(start.Span);
        if (length <= start.Length) return ManifestHalf.Decode(start.Span, half, file.Name);
        using AlignedBuffer all = new(length);
        Fill(all, file, half);
        return ManifestHalf.Decode(all.Span, half, file.Name);
    }

    private static bool IsZero(IStoreFile file, int half)
    {
        using AlignedBuffer all = new(ManifestHalf.HalfBytes);
        Fill(all, file, half);
        return !all.Span.ContainsAnyExcept((byte)0);
    }

    /// <summary>
    /// Reads the beginning of a half; what a file that was cut off does not have of it is zero.
    /// </summary>
    private static void Fill(AlignedBuffer buffer, IStoreFile file, int half)
    {
        long start = (long)half * ManifestHalf.HalfBytes;
        int length = (int)Math.Clamp(file.Length - start, 0, buffer.Length) & -ImageFormat.PageSize;
        buffer.Span[length..].Clear();
        if (length > 0) file.Read(start, buffer.Span[..length]);
    }

    /// <summary>
    /// Where a file system has no locks, another writer may have come and changed the manifest.
    /// </summary>
    private void ThrowIfNotOurs(IStoreFile file)
    {
        ThrowIfLost();
        long found = Math.Max(ReadHalf(file, 0)?.Sequence ?? 0, ReadHalf(file, 1)?.Sequence ?? 0);
        if (found != _state.Sequence)
            throw StoreErrors.ChangedByAnother(_medium.Location, _state.Sequence, found);
    }

    private void WriteHalf(ManifestState state)
    {
        ThrowIfUnknown();
        using AlignedBuffer half = new(ManifestHalf.LengthFor(state));
        half.Span.Clear();
        Encode(state, half.Span, _medium.Location);
        using IStoreFile file = _medium.OpenForUpdate(FileName);
        ThrowIfNotOurs(file);
        try
        {
            file.Write(half.Span, (long)state.Half * ManifestHalf.HalfBytes);
            file.Sync();
        }
        catch (SnapshotException error)
        {
            _unknownOutcome = new SnapshotException(
                SnapshotErrorCode.OutcomeUnknown,
                $"{file.Name}: writing or syncing the manifest failed, so nobody knows yet whether the " +
                "change is durable. The next checkpoint finds out, and so does whoever opens the store " +
                "again.",
                error)
            {
                Path = file.Name,
                Step = error.Step,
                Errno = error.Errno,
            };
            throw _unknownOutcome;
        }
    }
}
