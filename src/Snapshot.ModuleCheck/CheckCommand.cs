namespace Snapshot.ModuleCheck;

/// <summary>One run of the program.</summary>
/// <remarks>
/// <c>check FILE…</c> tells what loading the files in their order would tell, in the same words. <c>stamp
/// FILE [ARGUMENTS]</c> checks what was just linked, with those arguments, and writes its note.
/// </remarks>
internal static class CheckCommand
{
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        try
        {
            return args switch
            {
                ["check", .. { Length: > 0 } files] when files.All(IsFile) => Check(files, output, error),
                ["stamp", string file, .. var linked] when IsFile(file) => Stamp(file, linked),
                _ => Misused(args, error),
            };
        }
        catch (SnapshotException refused)
        {
            return Told(refused, error);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"snapshot-cc: the note of '{args[1]}' could not be written: {failed.Message}");
            return ExitCode.Misuse;
        }
    }

    private static int Check(IReadOnlyList<string> files, TextWriter output, TextWriter error)
    {
        List<ElfImage> modules = [];
        int worst = ExitCode.Kept;
        foreach (string file in files)
        {
            try
            {
                ElfImage module = NativeModuleContract.Require(file, modules);
                NativeModuleManifest.RequireApart(
                    [.. modules.Append(module).Select(NativeModuleManifest.Of)]);
                modules.Add(module);
                output.WriteLine(Kept(module));
            }
            catch (SnapshotException refused)
            {
                worst = Math.Max(worst, Told(refused, error));
            }
        }

        return worst;
    }

    private static string Kept(ElfImage module)
    {
        bool isStamped = ModuleNote.PlaceIn(module) is { } note
            && module.Bytes.Take(note.Start, note.Length).ContainsAnyExcept((byte)0);
        return $"{module.Path} keeps the contract of native modules, version " +
            $"{NativeModuleContract.Version}: base {NativeModuleBase.At(module.Extent.Start)}, " +
            $"{(isStamped ? "" : "not ")}checked when it was linked.";
    }

    private static int Stamp(string file, IReadOnlyList<string> linked)
    {
        ElfImage module = NativeModuleContract.Require(file, ModulesBefore.Of(ElfImage.Open(file), linked));
        ModuleNote note = ModuleNote.Of(module);
        if (!note.Fits)
        {
            throw module.Bytes.Foreign(
                $"its note has room for {ModuleNote.BuildIdBytesMax} bytes of build id and " +
                $"{ModuleNote.RangesMax} ranges of variables, and it has {note.BuildId.Length / 2} and " +
                $"{note.Writable.Count}");
        }

        if (ModuleNote.PlaceIn(module) is not { } place)
            throw module.Bytes.Foreign($"it was linked without room for a note ({ModuleNote.Section})");
        using (FileStream stream = new(file, FileMode.Open, FileAccess.Write))
        {
            stream.Position = (long)place.Start;
            stream.Write(note.ToBytes());
        }

        NativeModuleViolation[] wrong = [.. NoteRules.ViolationsOf(ElfImage.Open(file))];
        return wrong.Length == 0
            ? ExitCode.Kept
            : throw new InvalidOperationException(
                $"The note that was written to {file} is wrong: {wrong[0]}");
    }

    private static bool IsFile(string argument) => !argument.StartsWith('-');

    private static int Told(SnapshotException refused, TextWriter error)
    {
        error.WriteLine(refused.Message);
        return refused.InnerException is null ? ExitCode.Broken : ExitCode.Misuse;
    }

    private static int Misused(string[] args, TextWriter error)
    {
        string? unknown = args.Skip(1).FirstOrDefault(argument => !IsFile(argument));
        error.WriteLine(unknown is null
            ? $"snapshot-cc: which file? snapshot-cc {string.Join(' ', args.Take(1))} FILE. Try --help."
            : $"snapshot-cc: the option {unknown} is not known. Try --help.");
        return ExitCode.Misuse;
    }
}
