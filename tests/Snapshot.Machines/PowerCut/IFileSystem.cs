namespace Snapshot.Machines.PowerCut;

/// <summary>A file system on a recorded disk.</summary>
internal interface IFileSystem
{
    /// <summary>What `mount -t` calls it.</summary>
    public string Name { get; }

    /// <summary>How much of the disk it takes, MiB.</summary>
    public int Megabytes { get; }

    /// <summary>Makes an empty one.</summary>
    /// <exception cref="MachineException">Its program is missing or failed.</exception>
    public void Make(string file);

    /// <summary>
    /// Lets it recover from a cut, as the next mount would, and copies its files out: those of disk i into
    /// the folder with that number. What cannot be recovered has no folder.
    /// </summary>
    public Task ReadOutAsync(IReadOnlyList<string> disks, string folder);
}
