namespace Snapshot.ModuleCheck;

/// <summary>
/// The native modules against which a module was linked, and which a program therefore loads before it: named
/// among the linker's arguments, or found where these or the module itself say that libraries are.
/// </summary>
/// <remarks>Loading looks again, at those that are loaded.</remarks>
internal static class ModulesBefore
{
    private const string Origin = "$ORIGIN";

    /// <param name="module">What was linked.</param>
    /// <param name="linked">The compiler's arguments.</param>
    internal static IReadOnlyList<ElfImage> Of(ElfImage module, IReadOnlyList<string> linked)
    {
        IEnumerable<string> named =
            linked.Where(argument => argument.EndsWith(".so", StringComparison.Ordinal));
        IEnumerable<string> found = Folders(module, linked)
            .SelectMany(folder => module.Dynamic.Needed.Select(name => Path.Combine(folder, name)));
        return [.. named.Concat(found).Select(Path.GetFullPath).Distinct()
            .Where(path => path != Path.GetFullPath(module.Path) && File.Exists(path))
            .Select(OpenModule).OfType<ElfImage>()];
    }

    private static IEnumerable<string> Folders(ElfImage module, IReadOnlyList<string> linked)
    {
        for (int index = 0; index < linked.Count; index++)
        {
            if (linked[index] == "-L" && index + 1 < linked.Count) yield return linked[index + 1];
            else if (linked[index].StartsWith("-L", StringComparison.Ordinal))
                yield return linked[index][2..];
        }

        string own = Path.GetDirectoryName(Path.GetFullPath(module.Path))!;
        foreach (string folder in module.Dynamic.SearchPaths) yield return folder.Replace(Origin, own);
    }

    /// <summary>The library, if it is a native module.</summary>
    private static ElfImage? OpenModule(string path)
    {
        try
        {
            ElfImage library = ElfImage.Open(path);
            return NativeModuleBase.At(library.Extent.Start) is null ? null : library;
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.NativeModule)
        {
            return null;
        }
    }
}
