using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Snapshot.Interop;

[assembly: DisableRuntimeMarshalling]

namespace Snapshot.NativeThreads;

/// <summary>A module that is loaded, as <c>struct snt_module</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LoadedModule
{
    internal ulong First;
    internal ulong End;
    internal ulong ThreadLocalOffset;
    internal ulong ThreadLocalBytes;
    internal ulong ThreadLocalKeptAt;
}

/// <summary>
/// The runtime of native threads, libsnapshot_threads.so: loaded by sessions that use them, and by no other.
/// </summary>
internal static unsafe partial class NativeRuntime
{
    internal const string File = "libsnapshot_threads.so";
    internal const string Assembly = "Snapshot.NativeThreads.dll";
    private const string Library = "snapshot_threads";
    private const uint AbiVersion = 4;
    private const int TextBytes = 1024;

    /// <summary>Where the library is linked. Captured stacks have addresses of it.</summary>
    private const ulong Base = 0x1f00_0000_0000;
    private const ulong Size = 0x100_0000_0000;

    /// <summary>
    /// The handshake; loads the library. Whatever opens the way to other imports calls it first.
    /// </summary>
    /// <exception cref="SnapshotException">NativeLibrary: it is missing, of another build, or not where it is
    /// linked.
    /// </exception>
    internal static void Require()
    {
        uint found;
        try
        {
            found = snt_abi_version();
        }
        catch (Exception error)
            when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw Unusable($"could not be loaded from the folder of {Assembly} ({error.Message})", error);
        }

        if (found != AbiVersion)
            throw Unusable(
                $"has ABI version {found}, {Assembly} needs {AbiVersion}: they are of different builds");
        ulong at = (ulong)(nint)snt_questions();
        if (at - Base >= Size)
        {
            throw Unusable(
                $"is loaded at 0x{at:x} and not at 0x{Base:x}, where it is linked: that place was taken. " +
                "With glibc before 2.36 set LD_USE_LOAD_BIAS=1");
        }
    }

    /// <summary>Which function of which library an address is in.</summary>
    internal static string Describe(ulong address)
    {
        byte* text = stackalloc byte[TextBytes];
        _ = snt_describe(address, text, TextBytes);
        return Text(text);
    }

    /// <summary>The file it was loaded from.</summary>
    internal static string Path
    {
        get
        {
            byte* text = stackalloc byte[TextBytes];
            NativeError.ThrowIfFailed(
                snt_path(text, TextBytes), "dladdr", "The dynamic linker does not know it.");
            return Text(text);
        }
    }

    /// <summary>
    /// Loads a library; null when the dynamic linker does not, <paramref name="error"/> has its words.
    /// </summary>
    internal static void* Load(string path, out LoadedModule module, out ulong moved, out string error)
    {
        byte* text = stackalloc byte[TextBytes];
        text[0] = 0;
        void* handle;
        LoadedModule found;
        ulong distance;
        int errno;
        fixed (byte* utf8 = Zeroed(path))
            errno = snt_module_load(utf8, &handle, &found, &distance, text, TextBytes);
        (module, moved, error) = (found, distance, Text(text));
        if (errno == 0) return handle;
        if (error.Length == 0) error = Marshal.GetPInvokeErrorMessage(errno);
        return null;
    }

    internal static void* Symbol(void* handle, string name)
    {
        fixed (byte* utf8 = Zeroed(name)) return snt_module_symbol(handle, utf8);
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
    private static partial uint snt_abi_version();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snt_path(byte* text, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snt_describe(ulong pc, byte* text, ulong bytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int snt_module_load(
        byte* path, void** handle, LoadedModule* module, ulong* moved, byte* error, ulong errorBytes);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial void* snt_module_symbol(void* handle, byte* name);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_open(int signal);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_environment(EnvironmentAnswer* environment);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial ulong snt_record_bytes();

    /// <param name="module">Copied.</param>
    /// <param name="notDisturbed">Pairs of first address and end; copied.</param>
    /// <param name="pairs">How many.</param>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_module_add(LoadedModule* module, ulong* notDisturbed, uint pairs);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_seat_keep(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_thread_start(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_hold();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_go();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_thread_join(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_stop(long timeoutNanoseconds);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_late(void** record, ulong* pc, int* reason);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_resume();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial uint* snt_questions();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_answered(void* record);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_fibers_may_wait(int mayWait);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_keep_priorities(int keep);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial void snt_heap_used(ulong* first, ulong* end);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int snt_heap_open(void* memory, ulong bytes, int isRestored);
}
