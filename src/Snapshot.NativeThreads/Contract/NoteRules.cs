namespace Snapshot.NativeThreads;

/// <summary>
/// The rule about the note of a module: what it says of the check at build is what the file is now. A module
/// without a note, or with one that nothing was written into yet, is held to all other rules and to nothing
/// more.
/// </summary>
internal static class NoteRules
{
    private const string LinkAgain = "Link it again with snapshot-cc.";

    internal static IEnumerable<NativeModuleViolation> ViolationsOf(ElfImage module)
    {
        if (ModuleNote.PlaceIn(module) is not { } place) return [];
        ReadOnlySpan<byte> bytes = module.Bytes.Take(place.Start, place.Length);
        if (!bytes.ContainsAnyExcept((byte)0) && bytes.Length == ModuleNote.Size) return [];
        if (ModuleNote.Read(bytes) is not { } note)
        {
            string problem =
                $"has a note of its check that is damaged ({ModuleNote.Section}, {bytes.Length} bytes)";
            return [Of(problem, LinkAgain)];
        }

        return DifferenceOf(module, note) is { } difference ? [difference] : [];
    }

    /// <summary>The first difference, from which the others may follow.</summary>
    private static NativeModuleViolation? DifferenceOf(ElfImage module, ModuleNote note)
    {
        if (note.ContractVersion != NativeModuleContract.Version)
        {
            return Of(
                $"was checked when it was linked against version {note.ContractVersion} of the contract of " +
                $"native modules, and this is version {NativeModuleContract.Version}",
                "Link it again with the snapshot-cc of this version of Snapshot.");
        }

        if (ElfNotes.BuildIdOf(module) is not { } buildId) return null;
        if (note.BuildId != buildId)
        {
            return Of(
                $"was changed after its check: its build id is {buildId}, and its note " +
                $"({ModuleNote.Section}) says " +
                note.BuildId,
                LinkAgain);
        }

        IReadOnlyList<AddressRange> writable = WritableMemory.Of(module);
        if (!note.Writable.SequenceEqual(writable))
        {
            return Of(
                $"was changed after its check: its variables are at {string.Join(", ", writable)}, and its " +
                $"note ({ModuleNote.Section}) says {string.Join(", ", note.Writable)}",
                LinkAgain);
        }

        if (note.Unwinder == UnwindRules.KindOf(module)) return null;
        return Of(
            "was changed after its check: " +
            $"{(note.Unwinder == UnwinderKind.None ? "it has" : "it has not")} an unwinder, and its note " +
            $"({ModuleNote.Section}) says otherwise",
            LinkAgain);
    }

    private static NativeModuleViolation Of(string problem, string remedy) =>
        new(NativeModuleRule.Note, ModuleNote.Section, problem, remedy);
}
