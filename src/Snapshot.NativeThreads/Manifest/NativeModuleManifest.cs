namespace Snapshot.NativeThreads;

/// <summary>What an image records of a native module, so that a restart takes the very same one.</summary>
internal sealed record NativeModuleManifest
{
    /// <summary>The file it was loaded from.</summary>
    internal required string Path { get; init; }

    /// <summary>Hexadecimal digits that name what was linked.</summary>
    internal required string BuildId { get; init; }

    /// <summary>The address of its first byte, as linked and as loaded.</summary>
    internal required ulong Base { get; init; }

    /// <summary>From the first to the last byte that is mapped, in bytes.</summary>
    internal required ulong Size { get; init; }

    /// <summary>Of its thread-local block, in bytes; 0 without one.</summary>
    internal required ulong ThreadLocalSize { get; init; }

    /// <summary>Of its thread-local block, in bytes; 1 without one.</summary>
    internal required ulong ThreadLocalAlignment { get; init; }

    /// <summary>
    /// How far below the thread pointer its thread-local block begins, in bytes: known once it is loaded,
    /// else null.
    /// </summary>
    internal long? ThreadLocalOffset { get; init; }

    /// <summary>
    /// The pages that are captured: what is writable, without what the dynamic linker has written.
    /// </summary>
    internal required IReadOnlyList<AddressRange> Writable { get; init; }

    /// <summary>The libraries it needs, by their names, in the order in which they are searched.</summary>
    internal required IReadOnlyList<string> Needed { get; init; }

    /// <summary>Reads what there is to record from a library that keeps the contract.</summary>
    /// <exception cref="SnapshotException">NativeModule: it has no build id.</exception>
    internal static NativeModuleManifest Of(ElfImage module)
    {
        ElfSegment? threadLocal = module.Find(ElfSegmentType.ThreadLocal);
        return new NativeModuleManifest
        {
            Path = module.Path,
            BuildId = ElfNotes.BuildIdOf(module) ?? throw module.Bytes.Foreign("it has no build id"),
            Base = module.Extent.Start,
            Size = module.Extent.Length,
            ThreadLocalSize = threadLocal?.Memory.Length ?? 0,
            ThreadLocalAlignment = Math.Max(1, threadLocal?.Alignment ?? 1),
            Writable = WritableMemory.Of(module),
            Needed = module.Dynamic.Needed,
        };
    }

    /// <summary>
    /// What is different in the module that this process has, a sentence each; none when it is the same.
    /// </summary>
    /// <param name="here">The module of this process; this is the one of the image.</param>
    /// <remarks>
    /// The path may differ: what counts is what was linked. A rebuild is told once and not by all that
    /// follows from it.
    /// </remarks>
    internal IReadOnlyList<string> Differences(NativeModuleManifest here)
    {
        List<string> differences = [];
        string name = here.Path;
        if (BuildId != here.BuildId)
        {
            differences.Add(
                $"{name} was rebuilt since the checkpoint: its build id is {here.BuildId} here and " +
                $"{BuildId} in the image. Restart with the file that the image was made with.");
        }

        if (Base != here.Base)
        {
            differences.Add(
                $"{name} is linked at 0x{here.Base:x} here and at 0x{Base:x} in the image. Link it with " +
                "the same base.");
        }

        if (ThreadLocalSize != here.ThreadLocalSize || ThreadLocalAlignment != here.ThreadLocalAlignment)
        {
            differences.Add(
                $"{name} has {here.ThreadLocalSize} bytes of thread-local variables, aligned to " +
                $"{here.ThreadLocalAlignment}, here and {ThreadLocalSize}, aligned to " +
                $"{ThreadLocalAlignment}, in the image. Restart with the file that the image was made with.");
        }

        if (ThreadLocalOffset is { } then && here.ThreadLocalOffset is { } now && then != now)
        {
            differences.Add(
                $"{name} has its thread-local variables {now} bytes below the thread pointer here and " +
                $"{then} in the image. Load the same modules in the same order, and preload no other " +
                "libraries (LD_PRELOAD).");
        }

        if (differences.Count > 0) return differences;
        if (Size != here.Size)
            differences.Add($"{name} is {here.Size} bytes long here and {Size} in the image.");
        if (!Writable.SequenceEqual(here.Writable))
        {
            differences.Add(
                $"{name} has its data at {string.Join(", ", here.Writable)} here and at " +
                $"{string.Join(", ", Writable)} in the image.");
        }

        if (!Needed.SequenceEqual(here.Needed))
        {
            differences.Add(
                $"{name} needs {string.Join(", ", here.Needed)} here and {string.Join(", ", Needed)} in " +
                "the image.");
        }

        return differences;
    }

    /// <summary>Why a loaded module cannot be used, or null.</summary>
    /// <param name="mapped">The address at which the dynamic linker has mapped its first byte.</param>
    internal string? FaultOfPlace(ulong mapped)
    {
        if (mapped == Base) return null;
        return $"{Path} is linked at 0x{Base:x} and was loaded at 0x{mapped:x}, because that place was " +
            "taken. Give the module another base (snapshot-cc --base N) if two modules share one; with " +
            "glibc before 2.36 set LD_USE_LOAD_BIAS=1.";
    }

    /// <summary>
    /// Refuses modules of one process that share a base: the second would be loaded elsewhere.
    /// </summary>
    /// <exception cref="SnapshotException">NativeModule, naming both.</exception>
    internal static void RequireApart(IEnumerable<NativeModuleManifest> modules)
    {
        Dictionary<ulong, NativeModuleManifest> taken = [];
        foreach (NativeModuleManifest module in modules)
        {
            if (taken.TryAdd(module.Base, module)) continue;
            throw new SnapshotException(
                SnapshotErrorCode.NativeModule,
                $"{taken[module.Base].Path} and {module.Path} are both linked at base " +
                $"{NativeModuleBase.At(module.Base)} (0x{module.Base:x}). Link one of them again with " +
                "another: snapshot-cc --base N.")
            {
                Path = module.Path,
            };
        }
    }
}
