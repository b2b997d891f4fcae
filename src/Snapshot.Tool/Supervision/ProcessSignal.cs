using System.Runtime.InteropServices;

namespace Snapshot.Tool.Supervision;

/// <summary>Sends a signal to a process; .NET itself sends SIGKILL only.</summary>
internal static partial class ProcessSignal
{
    internal const int Interrupt = 2;
    internal const int User1 = 10;
    internal const int User2 = 12;
    internal const int Terminate = 15;

    /// <summary>Sends it; a process that is gone is left in peace.</summary>
    internal static void Send(int processId, int signal) => _ = kill(processId, signal);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int processId, int signal);
}
