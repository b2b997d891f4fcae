using Microsoft.Diagnostics.Runtime;

namespace Snapshot.Tool.Stacks;

/// <summary>
/// Attaches to a live process, stops it for the time of reading, and finds the sessions in its heap.
/// </summary>
internal static class ProcessInspector
{
    /// <exception cref="SnapshotException">
    /// No such process, no permission, or a process without .NET or without Snapshot.
    /// </exception>
    internal static ProcessReport Inspect(int processId)
    {
        string command = CommandOf(processId);
        using DataTarget target = Attach(processId);
        ClrInfo clr = target.ClrVersions.FirstOrDefault()
            ?? throw Unusable(
                processId, command, "runs no .NET runtime; give the process that runs the sessions.");

        // Not compared by version, which a runtime on Linux does not tell: the two files come from one
        // folder.
        using ClrRuntime runtime = clr.CreateRuntime(DebuggingLibraryOf(clr), ignoreMismatch: true);
        ClrModule library = runtime.EnumerateModules().FirstOrDefault(IsLibrary)
            ?? throw Unusable(
                processId, command,
                $"has not loaded {LibraryFields.Assembly}, so it takes part in no session.");
        using SourceLines lines = new();
        return new ProcessReport(processId, command, new SessionReader(runtime, library, lines).Read());
    }

    /// <summary>
    /// The library that knows the structures of a runtime lies beside it; ClrMD looks for it elsewhere and,
    /// on Linux, nowhere.
    /// </summary>
    private static string DebuggingLibraryOf(ClrInfo clr)
    {
        const string name = "libmscordaccore.so";
        string folder = Path.GetDirectoryName(clr.ModuleInfo.FileName) ?? "";
        string path = Path.Combine(folder, name);
        if (File.Exists(path)) return path;
        throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"The runtime of the process lies in '{folder}', where there is no {name}. Install the full " +
            ".NET runtime there, and run this command where the process sees the same files.")
        {
            Path = path,
        };
    }

    private static bool IsLibrary(ClrModule module) =>
        module.Name is { } path &&
        Path.GetFileName(path).Equals(LibraryFields.Assembly, StringComparison.Ordinal);

    private static DataTarget Attach(int processId)
    {
        try
        {
            return DataTarget.AttachToProcess(processId, suspend: true);
        }
        catch (Exception error)
            when (error is ClrDiagnosticsException or UnauthorizedAccessException or IOException or
                ArgumentException)
        {
            throw new SnapshotException(
                SnapshotErrorCode.SystemCall,
                $"Cannot attach to process {processId}: {error.Message.TrimEnd('.')}. It needs permission " +
                "to trace the process: be the same user with /proc/sys/kernel/yama/ptrace_scope at 0, or " +
                "have CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE), and let no debugger be " +
                "attached.",
                error)
            {
                Step = "ptrace",
            };
        }
    }

    private static string CommandOf(int processId)
    {
        try
        {
            string line = File.ReadAllText($"/proc/{processId}/cmdline").Replace('\0', ' ').Trim();
            return line.Length > 0 ? line : File.ReadAllText($"/proc/{processId}/comm").Trim();
        }
        catch (IOException error)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound, $"There is no process {processId}.", error);
        }
    }

    private static SnapshotException Unusable(int processId, string command, string why) =>
        new(SnapshotErrorCode.NotFound, $"Process {processId} ({command}) {why}");
}
