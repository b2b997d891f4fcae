using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// The manifest file: two slots, of which the valid one with the higher sequence is the state of the store. A change
/// overwrites the other one, so that whatever a crash leaves of it, the state before is still there.
/// </summary>
internal sealed class Manifest
{
    internal const string FileName = "manifest";

    private readonly IStoreMedium _medium;
    private ManifestState _state;
    private SnapshotException? _unknownOutcome;

    private Manifest(IStoreMedium medium, ManifestState state)
    {
        _medium = medium;
        _state = state;
    }

    internal IReadOnlyList<ManifestEntry> Entries => _state.Entries;

    /// <summary>Makes an empty manifest; visible as a whole or not at all.</summary>
    internal static void Create(IStoreMedium medium)
    {
        const string Partial = FileName + ImageFileName.PartialSuffix;
        using (AlignedBuffer bytes = new(2 * ManifestSlot.SlotBytes))
        using (IStoreFile file = medium.Create(Partial, direct: false))
        {
            // Written in full, so that no later change can fail for want of room.
            bytes.Span.Clear();
            ManifestSlot.Encode(new ManifestState(1, []), bytes.Span);
            file.Write(bytes.Span, 0);
            file.Sync();
        }

        medium.Rename(Partial, FileName);
        medium.SyncDirectory();
    }

    internal static Manifest Read(IStoreMedium medium)
    {
        using AlignedBuffer bytes = new(2 * ManifestSlot.SlotBytes);
        using IStoreFile file = medium.OpenForReading(FileName);
        int length = (int)Math.Min(file.Length, bytes.Length) & -ImageFormat.PageSize;
        bytes.Span.Clear();
        file.Read(0, bytes.Span[..length]);
        ManifestState? first = ManifestSlot.Decode(bytes.Span[..ManifestSlot.SlotBytes], 0, file.Name);
        ManifestState? second = ManifestSlot.Decode(bytes.Span[ManifestSlot.SlotBytes..], 1, file.Name);
        ManifestState? newest = first is null || second?.Sequence > first.Sequence ? second : first;
        return newest is null
            ? throw StoreErrors.Corrupt(
                file.Name, "neither slot is valid. Restore the file from a copy; the images beside it may be intact.",
                0)
            : new Manifest(medium, newest);
    }

    /// <summary>
    /// Writes the entries that were read to the other slot: what was merely readable after a failed sync becomes
    /// durable, or this fails. The slot that was read may be the only valid one, so it is never written over.
    /// </summary>
    internal void Confirm() => Replace(_state.Entries);

    /// <summary>Makes the entries the durable state.</summary>
    /// <exception cref="SnapshotException">
    /// OutcomeUnknown: the write or the sync failed, and only opening the store again shows which state is durable.
    /// </exception>
    internal void Replace(IReadOnlyList<ManifestEntry> entries)
    {
        if (_state.Sequence == long.MaxValue)
            throw StoreErrors.NumbersUsedUp(_medium.Location, "the manifest has the last sequence number there is");
        ManifestState next = new(_state.Sequence + 1, entries);
        WriteSlot(next);
        _state = next;
    }

    /// <summary>Adds an entry durably, in place of the one of its generation if there is one.</summary>
    /// <remarks>
    /// Not in place of an equal one: an entry that was read back is not equal to the record it was written from, whose
    /// time is finer than a microsecond.
    /// </remarks>
    internal void Put(ManifestEntry entry) => Replace([
        .. Entries.Where(other => other.Generation != entry.Generation).Append(entry)
            .OrderBy(other => other.Generation)]);

    /// <summary>Settles an unknown outcome: reads which state the file has, and makes that one durable.</summary>
    /// <remarks>
    /// What was read may be there only for readers, since a failed sync says nothing about what is on the disk; hence
    /// the confirmation. When it fails, too, the outcome stays unknown.
    /// </remarks>
    internal void Settle()
    {
        if (_unknownOutcome is null) return;
        Manifest found = Read(_medium);
        found.Confirm();
        _state = found._state;
        _unknownOutcome = null;
    }

    internal void ThrowIfUnknown()
    {
        if (_unknownOutcome is null) return;
        throw new SnapshotException(_unknownOutcome.Code, _unknownOutcome.Message, _unknownOutcome)
        { Path = _unknownOutcome.Path };
    }

    private void WriteSlot(ManifestState state)
    {
        ThrowIfUnknown();
        using AlignedBuffer slot = new(ManifestSlot.SlotBytes);
        slot.Span.Clear();
        ManifestSlot.Encode(state, slot.Span);
        if (ManifestSlot.Decode(slot.Span, state.Slot, FileName) is null)
        {
            throw StoreErrors.Corrupt(
                _medium.Location,
                "the next state of the manifest would not be valid, so it was not written. Open the store again.");
        }

        int used = ManifestSlot.HeaderBytes + state.Entries.Count * ManifestSlot.EntryBytes;
        int length = (used + ImageFormat.PageSize - 1) & -ImageFormat.PageSize;
        using IStoreFile file = _medium.OpenForUpdate(FileName);
        try
        {
            file.Write(slot.Span[..length], (long)state.Slot * ManifestSlot.SlotBytes);
            file.Sync();
        }
        catch (SnapshotException error)
        {
            _unknownOutcome = new SnapshotException(
                SnapshotErrorCode.OutcomeUnknown,
                $"{file.Name}: writing or syncing the manifest failed, so it is unknown whether the change is " +
                "durable. The next checkpoint, or opening the store again, reads which state it has before anything " +
                "else is done.",
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
