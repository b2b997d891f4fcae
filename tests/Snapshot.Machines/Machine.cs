namespace Snapshot.Machines;

/// <summary>
/// A machine that can be booted any number of times, each time as it was made. One guest at a time; not
/// thread-safe.
/// </summary>
internal sealed class Machine : IDisposable
{
    internal const int DefaultSilenceSeconds = 240;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-machine-");
    private readonly string _kernel;
    private readonly string _initramfs;
    private readonly string _root;

    /// <summary>Fetches what is needed and makes it.</summary>
    /// <param name="packages">Where the kernel comes from.</param>
    /// <param name="kernel">Its version, such as 6.1.</param>
    /// <param name="programs">The folder of the programs that are put into /app.</param>
    /// <exception cref="MachineException">Something cannot be had here.</exception>
    internal Machine(PackageCache packages, string kernel, string programs)
    {
        try
        {
            if (HostProgram.Find(Guest.Emulator) is null) throw HostProgram.Missing(Guest.Emulator);
            string busybox = Path.Combine(packages.Unpacked("busybox-static"), "bin/busybox");
            KernelFiles files = new(packages.Unpacked(PackageCache.NewestKernel(kernel)), busybox);
            _kernel = files.Kernel;
            _initramfs = Initramfs.Make(files, busybox, _folder.FullName);
            _root = RootImage.Make(busybox, programs, _folder.FullName);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// A guest that prints nothing for so long is stuck. On a busy machine a program takes a minute to start
    /// in it.
    /// </summary>
    internal TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(DefaultSilenceSeconds);

    /// <summary>Told each line of a guest's console.</summary>
    internal Action<string> Observe { get; init; } = static _ => { };

    /// <summary>Where files for guests may be put; it is deleted with the machine.</summary>
    internal string Folder => _folder.FullName;

    /// <summary>Boots a guest that does a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="disks">Its disks from /dev/vdc on.</param>
    internal Task<GuestResult> RunAsync(Job job, params IEnumerable<GuestDisk> disks)
    {
        string tar = Path.Combine(_folder.FullName, "job.tar");
        job.WriteTo(tar);
        return Guest.RunAsync(
            _kernel, _initramfs, job.MemoryMegabytes, [new GuestDisk(_root), new GuestDisk(tar), .. disks],
            Silence,
            Observe);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
