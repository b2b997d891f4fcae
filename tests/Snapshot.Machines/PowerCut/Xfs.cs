using System.Globalization;

namespace Snapshot.Machines.PowerCut;

/// <summary>
/// XFS as mkfs.xfs makes it. Only a kernel replays its log, so another guest mounts the disks.
/// </summary>
/// <param name="machine">Boots that guest.</param>
internal sealed class Xfs(Machine machine) : IFileSystem
{
    /// <summary>Disks of one guest; its bus has room for some more.</summary>
    private const int DisksOfOneGuest = 20;

    private const long ResultBytes = 1L << 30;

    public string Name => "xfs";

    /// <summary>mkfs.xfs makes none smaller.</summary>
    public int Megabytes => 300;

    public void Make(string file) => HostProgram.Require(
        "mkfs.xfs", "-q", "-d",
        string.Create(CultureInfo.InvariantCulture, $"file,name={file},size={Megabytes}m"));

    public async Task ReadOutAsync(IReadOnlyList<string> disks, string folder)
    {
        for (int first = 0; first < disks.Count; first += DisksOfOneGuest)
        {
            string[] some = [.. disks.Skip(first).Take(DisksOfOneGuest)];
            await ReadOutAsync(some, first, folder).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Disks that are mounted, in the guest, from /dev/vdd on; /dev/vdc takes a tar of their files.
    /// </summary>
    private async Task ReadOutAsync(string[] disks, int first, string folder)
    {
        string result = Path.Combine(machine.Folder, "files.tar");
        using (FileStream file = File.Create(result)) file.SetLength(ResultBytes);
        IEnumerable<string> steps = disks.Select((_, index) => string.Create(
            CultureInfo.InvariantCulture, $"read_out {(char)('d' + index)} {first + index}"));
        Job job = new(
            $$"""
            mkdir /tmp/files
            read_out() {
                mount -t xfs -o nouuid /dev/vd$1 /disk || { echo "no mount of disk $2"; return; }
                cp -r /disk /tmp/files/$2
                umount /disk
            }
            {{string.Join('\n', steps)}}
            tar cf /dev/vdc -C /tmp/files . && sync

            """,
            IsRoot: true);
        GuestResult read = await machine.RunAsync(
            job, [new GuestDisk(result, IsKept: true), .. disks.Select(disk => new GuestDisk(disk))])
            .ConfigureAwait(false);
        if (read.Failure is { } failure)
            throw new MachineException($"The disks were not read out: {failure}.");
        HostProgram.Require("tar", "-xf", result, "-C", folder);
        File.Delete(result);
    }
}
