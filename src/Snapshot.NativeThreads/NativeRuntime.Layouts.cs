using System.Runtime.InteropServices;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>The comparison of structs with those of the runtime of native threads.</summary>
internal static unsafe partial class NativeRuntime
{
    /// <param name="structs">Those of this assembly, in the order of layout.c of the runtime.</param>
    /// <exception cref="SnapshotException">NativeLibrary: they differ.</exception>
    internal static void RequireLayouts(IEnumerable<NativeStruct> structs)
    {
        NativeLayout* layouts;
        ulong count;
        _ = snt_layouts(&layouts, &count);
        NativeLayout.Compare(File, layouts, count, structs);
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snt_layouts(NativeLayout** layouts, ulong* count);
}
