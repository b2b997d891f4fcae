using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Snapshot.C.Interface;

/// <summary>Imports of the library's own C part; what each does is said in library.h.</summary>
internal static unsafe partial class LibraryNative
{
    private const string Library = "snapshot_library";

    [LibraryImport(Library)]
    internal static partial void sn_error_set(int code, byte* text, int bytes);

    [LibraryImport(Library)]
    internal static partial void sn_say(byte* text, int bytes);

    [LibraryImport(Library)]
    internal static partial int sn_is_forked_child();

    [LibraryImport(Library)]
    internal static partial int sn_signal_watch(int number);

    [LibraryImport(Library)]
    internal static partial int sn_signal_take();

    [LibraryImport(Library)]
    internal static partial int sn_runtime_signal_taken(void** handler);

    [LibraryImport(Library)]
    internal static partial void sn_describe_address(void* address, byte* text, int bytes);
}
