using System.Runtime.InteropServices;

namespace Snapshot.Mpi.Calls;

/// <summary>The MPI of this process. MPI begins and ends once in a process, and so does this.</summary>
internal sealed unsafe partial class MpiLibrary
{
    private const string Entry = "snm_calls";
    private const string MakeAnew = "'snapshot mpi build' makes it anew.";
    private const int TextBytes = 8192;

    private static readonly Lock s_loading = new();
    private static MpiLibrary? s_loaded;

    private readonly MpiCalls* _calls;
    private readonly string _remedy;
    private bool _isOurs;
    private bool _hasEnded;

    private MpiLibrary(MpiCalls* calls, string path, string remedy)
    {
        _calls = calls;
        _remedy = remedy;
        Path = path;
        if (calls is null || calls->Abi != MpiCalls.AbiVersion) throw NotUsable("it is of another build");
    }

    internal ref readonly MpiCalls Calls => ref *_calls;

    /// <summary>The file that the table is in, or its source, for messages.</summary>
    internal string Path { get; }

    /// <summary>What the library says of itself, its first line.</summary>
    internal string Version
    {
        get
        {
            byte* text = stackalloc byte[TextBytes];
            Check(Calls.Version(text, TextBytes), "MPI_Get_library_version");
            return Marshal.PtrToStringUTF8((nint)text)!.Split('\n')[0].Trim();
        }
    }

    /// <summary>The communicator of all processes, as the program has it.</summary>
    internal int World
    {
        get
        {
            int communicator;
            Check(Calls.World(&communicator), "MPI_Comm_c2f");
            return communicator;
        }
    }

    /// <summary>The library, loaded and begun when it was not. The thread that calls is the one that may
    /// make calls, unless the program began MPI with more.</summary>
    /// <param name="path">The file to load, or null for what the machine's mpicc compiles.</param>
    /// <exception cref="SnapshotException">NativeLibrary, Mpi; Unsupported: it has ended.</exception>
    internal static MpiLibrary Start(string? path)
    {
        lock (s_loading)
        {
            s_loaded ??= Begin(Load(path ?? MpiCompiler.Library()));
            return !s_loaded._hasEnded ? s_loaded : throw new SnapshotException(
                SnapshotErrorCode.Unsupported,
                "MPI begins and ends once in a process, and the job that was closed has ended it. Begin it " +
                "in the program, before the first job, to open several.");
        }
    }

    /// <summary>The table that a program in C was compiled with. It has begun MPI, and ends it.</summary>
    /// <exception cref="SnapshotException">NativeLibrary: it was compiled for another MPI.</exception>
    internal static MpiLibrary Of(MpiCalls* calls)
    {
        MpiLibrary library = new(
            calls, "snapshot_mpi.c", "Compile it with the mpicc that compiles the program.");
        library.RefuseOtherFamily();
        return library;
    }

    /// <summary>
    /// A communicator of its own for the ranks of another, 0 for all processes. Collective.
    /// </summary>
    internal (int Handle, int Rank, int Size) Duplicate(int of)
    {
        int communicator, rank, size;
        Check(Calls.Open(of, &communicator, &rank, &size), "MPI_Comm_dup");
        return (communicator, rank, size);
    }

    /// <summary>Ends MPI where this began it.</summary>
    internal void Finish()
    {
        if (!_isOurs) return;
        _isOurs = false;
        _hasEnded = true;
        Check(Calls.Finish(), "MPI_Finalize");
    }

    /// <exception cref="SnapshotException">Mpi: the call failed.</exception>
    internal void Check(int error, string call)
    {
        if (error == 0) return;
        byte* text = stackalloc byte[TextBytes];
        Calls.Describe(error, text, TextBytes);
        throw new SnapshotException(
            SnapshotErrorCode.Mpi, $"{call} failed: {Marshal.PtrToStringUTF8((nint)text)}.")
        { Step = call };
    }

    private static MpiLibrary Load(string path)
    {
        // UCX, which MPI may be made of, takes SIGSEGV when it is loaded unless it is told not to. With that
        // signal .NET makes null references into exceptions. It reads the environment of C, which .NET's own
        // calls do not reach.
        if (SetEnvironment("UCX_ERROR_SIGNALS", "", 1) != 0)
        {
            throw new SnapshotException(
                SnapshotErrorCode.SystemCall, "Setting UCX_ERROR_SIGNALS in the environment failed.")
            { Step = "setenv", Errno = Marshal.GetLastPInvokeError() };
        }

        nint library;
        try
        {
            library = NativeLibrary.Load(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"'{path}' cannot be loaded: {error.Message} {MakeAnew}", error)
            { Path = path };
        }

        if (!NativeLibrary.TryGetExport(library, Entry, out nint entry))
            throw NotUsable(path, $"it has no {Entry}", MakeAnew);
        MpiCalls* calls = ((delegate* unmanaged<int, MpiCalls*>)entry)(MpiCalls.AbiVersion);
        return new MpiLibrary(calls, path, MakeAnew);
    }

    private static MpiLibrary Begin(MpiLibrary library)
    {
        // Only the thread that polls calls MPI.
        int level = 1, started = 0;
        library.Check(library.Calls.Start(&level, &started), "MPI_Init_thread");
        library._isOurs = started != 0;
        library.RefuseOtherFamily();
        return library;
    }

    private void RefuseOtherFamily()
    {
        string version = Version;
        bool isOpenMpi = version.Contains("Open MPI", StringComparison.OrdinalIgnoreCase);
        bool isMpich = version.Contains("MPICH", StringComparison.OrdinalIgnoreCase);
        if (Calls.Family == MpiFamily.OpenMpi
            ? !isMpich : Calls.Family == MpiFamily.Mpich ? !isOpenMpi : true)
            return;
        throw NotUsable($"it was compiled for another MPI than the one that answers, '{version}'");
    }

    private SnapshotException NotUsable(string why) => NotUsable(Path, why, _remedy);

    private static SnapshotException NotUsable(string path, string why, string remedy) =>
        new(SnapshotErrorCode.NativeLibrary, $"'{path}' is not usable: {why}. {remedy}") { Path = path };

    [LibraryImport(
        "libc", EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
