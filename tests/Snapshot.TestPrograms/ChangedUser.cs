using System.Runtime.InteropServices;
using Snapshot.Interop;

namespace Snapshot.TestPrograms;

/// <summary>
/// A program that begins as root and goes on as nobody, without exec: the kernel then takes it for one that
/// nobody may look into, itself included, and closes files of /proc/self.
/// </summary>
internal static partial class ChangedUser
{
    private const uint Nobody = 65534;
    private const int SetDumpable = 4; // PR_SET_DUMPABLE

    /// <param name="store">That nobody may write.</param>
    /// <param name="when">
    /// "first": before anything of Snapshot; "probed": after it; "dumpable": that, and mended.
    /// </param>
    internal static int Run(string store, string when)
    {
        if (when != "first") _ = MachineCapabilities.Current[Capability.Pagemap];
        if (setuid(Nobody) != 0)
            throw new InvalidOperationException($"setuid: {Marshal.GetLastPInvokeError()}");
        if (when == "dumpable" && prctl(SetDumpable, 1) != 0)
            throw new InvalidOperationException($"prctl: {Marshal.GetLastPInvokeError()}");
        if (when == "first")
        {
            MachineCapability pagemap = MachineCapabilities.Current.Of(Capability.Pagemap);
            Console.Write($"pagemap {pagemap.Available} {pagemap.Detail}\n");
        }

        try
        {
            return FilteredLife.Run(store, RestartFill.Eager);
        }
        catch (SnapshotException error)
        {
            Console.Write($"{error.Code} {error.Errno} {error.Message}\n");
            return 1;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int setuid(uint user);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int prctl(int option, nint argument);
}
