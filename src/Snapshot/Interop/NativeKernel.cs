using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Interop;

/// <summary>A module that is loaded, as <c>struct snk_module</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeModule
{
    internal ulong First;
    internal ulong End;
    internal ulong ThreadLocalOffset;
    internal ulong ThreadLocalBytes;
    internal ulong ThreadLocalKeptAt;
}

/// <summary>
/// The runtime of native threads, libsnapshot_kernel.so: loaded by sessions that use them, and by no other.
/// </summary>
internal static unsafe partial class NativeKernel
{
    internal const string File = "libsnapshot_kernel.so";
    private const string Library = "snapshot_kernel";
    private const uint AbiVersion = 2;
    private const int TextBytes = 1024;

    /// <summary>Where the library is linked. Captured stacks have addresses of it.</summary>
    private const ulong Base = 0x1f00_0000_0000;
    private const ulong Size = 0x100_0000_0000;

    /// <summary>The handshake; loads the library. Whatever opens the way to other imports calls it first.</summary>
    /// <exception cref="SnapshotException">NativeLibrary: it is missing, of another build, or not where it is linked.
    /// </exception>
    internal static void Require()
    {
        uint found;
        try
        {
            found = snk_abi_version();
        }
        catch (Exception error)
            when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw Unusable($"could not be loaded from the folder of Snapshot.dll ({error.Message})", error);
        }

        if (found != AbiVersion)
            throw Unusable($"has ABI version {found}, Snapshot.dll needs {AbiVersion}: they are of different builds");
        ulong at = (ulong)(nint)snk_questions();
        if (at - Base >= Size)
        {
            throw Unusable(
                $"is loaded at 0x{at:x} and not at 0x{Base:x}, where it is linked: that place was taken. With glibc " +
                "before 2.36 set LD_USE_LOAD_BIAS=1");
        }
    }

    /// <summary>Which function of which library an address is in.</summary>
    internal static string Describe(ulong address)
    {
        byte* text = stackalloc byte[TextBytes];
        _ = snk_describe(address, text, TextBytes);
        return Text(text);
    }

    /// <summary>The file it was loaded from.</summary>
    internal static string Path
    {
        get
        {
            byte* text = stackalloc byte[TextBytes];
            NativeError.ThrowIfFailed(snk_path(text, TextBytes), "dladdr", "The dynamic linker does not know it.");
            return Text(text);
        }
    }

    /// <summary>
    /// Loads a library; null when the dynamic linker does not, <paramref name="error"/> has its words.
    /// </summary>
    internal static void* Load(string path, out NativeModule module, out ulong moved, out string error)
    {
        byte* text = stackalloc byte[TextBytes];
        text[0] = 0;
        void* handle;
        NativeModule found;
        ulong distance;
        int errno;
        fixed (byte* utf8 = Zeroed(path)) errno = snk_module_load(utf8, &handle, &found, &distance, text, TextBytes);
        (module, moved, error) = (found, distance, Text(text));
        if (errno == 0) return handle;
        if (error.Length == 0) error = Marshal.GetPInvokeErrorMessage(errno);
        return null;
    }

    internal static void* Symbol(void* handle, string name)
    {
        fixed (byte* utf8 = Zeroed(name)) return snk_module_symbol(handle, utf8);
    }

    private static byte[] Zeroed(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static string Text(byte* text) =>
        Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static SnapshotException Unusable(string problem, Exception? cause = null) => new(
        SnapshotErrorCode.NativeLibrary,
        $"{File}, which native threads need, {problem}. Reinstall the package or rebuild the solution.",
        cause);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial uint snk_abi_version();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snk_path(byte* text, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snk_describe(ulong pc, byte* text, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snk_module_load(
        byte* path, void** handle, NativeModule* module, ulong* moved, byte* error, ulong errorBytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial void* snk_module_symbol(void* handle, byte* name);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_open(int signal);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial ulong snk_record_bytes();

    /// <param name="module">Copied.</param>
    /// <param name="notDisturbed">Pairs of first address and end; copied.</param>
    /// <param name="pairs">How many.</param>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_module_add(NativeModule* module, ulong* notDisturbed, uint pairs);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_slot_keep(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_thread_start(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_hold();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_go();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_thread_join(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_stop(long timeoutNanoseconds);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_late(void** record, ulong* pc, int* reason);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_resume();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial uint* snk_questions();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_answered(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_fibers_may_wait(int mayWait);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_keep_priorities(int keep);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snk_heap_used(ulong* first, ulong* end);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snk_heap_open(void* memory, ulong bytes, int isRestored);
}
