using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Snapshot.Interop;

/// <summary>The C part: its name, and the handshake that refuses a library of another build.</summary>
/// <remarks>
/// Every import lives in this class, one file per C file; nothing but declarations is in those files.
/// </remarks>
internal static unsafe partial class Native
{
    internal const string Library = "snapshot_native";

    private const int AbiVersion = 16;

    private static bool s_isChecked;

    /// <summary>Runs the handshake, once. Whatever opens the way to other imports calls it first.</summary>
    /// <remarks>
    /// Not a static constructor: what that throws arrives wrapped, and this must arrive as it is.
    /// </remarks>
    /// <exception cref="SnapshotException">
    /// NativeLibrary: it is missing, unloadable or of another build.
    /// </exception>
    internal static void Require()
    {
        if (Volatile.Read(ref s_isChecked)) return;
        int found = AbiVersionOfLibrary();
        if (found != AbiVersion)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"libsnapshot_native.so has ABI version {found}, Snapshot.dll needs {AbiVersion}: the two " +
                "files come from different builds. Reinstall the package or rebuild the solution.");
        }

        NativeLayout* layouts;
        ulong count;
        _ = sn_layouts(&layouts, &count);
        NativeLayout.Compare(NativeLibraryFile.Name, layouts, count, Structs);
        Volatile.Write(ref s_isChecked, true);
    }

    private static int AbiVersionOfLibrary()
    {
        try
        {
            return sn_abi_version();
        }
        catch (Exception error)
            when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"The native library {NativeLibraryFile.Name} could not be loaded from the folder of " +
                "Snapshot.dll. " +
                NativeLibraryFile.WhyUnloadable(AppContext.BaseDirectory),
                error);
        }
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int sn_abi_version();
}
