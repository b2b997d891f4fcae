using Snapshot.Machines;

namespace Snapshot.Tests.Machines;

/// <summary>What a guest needs of this machine.</summary>
internal static class GuestNeeds
{
    internal const string Kernel = "6.1";

    private static readonly string[] s_programs =
        [Guest.Emulator, "mke2fs", "e2fsck", "debugfs", "cc", "apt-get", "apt-cache", "dpkg-deb", "ldd",
            "ldconfig"];

    private static readonly Lazy<string?> s_obstacle = new(() => ObstacleOf(s_programs, Kernel));

    /// <summary>Where packages are kept.</summary>
    internal static PackageCache Packages => new(PackageCache.DefaultFolder);

    /// <summary>
    /// Why there can be no guest; null when there can. Packages that are not there yet are fetched.
    /// </summary>
    internal static string? Obstacle => s_obstacle.Value;

    internal static string? ObstacleOf(IEnumerable<string> programs, string kernel)
    {
        try
        {
            string? missing = programs.FirstOrDefault(program => HostProgram.Find(program) is null);
            if (missing is not null) return HostProgram.Missing(missing).Message;
            Packages.Unpacked("busybox-static");
            Packages.Unpacked(PackageCache.NewestKernel(kernel));
            return null;
        }
        catch (MachineException error)
        {
            return error.Message;
        }
    }
}
