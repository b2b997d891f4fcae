namespace Snapshot.Machines;

/// <summary>A file that a guest sees as a disk. The first one is /dev/vda, the next /dev/vdb.</summary>
/// <param name="File">What is on it.</param>
/// <param name="IsKept">
/// Whether what the guest writes gets into the file, or is forgotten when it ends.
/// </param>
/// <param name="Log">The file into which each write and flush is recorded, or null.</param>
internal sealed record GuestDisk(string File, bool IsKept = false, string? Log = null)
{
    /// <summary>The options that give qemu this disk.</summary>
    /// <param name="index">The number of the disk.</param>
    internal IEnumerable<string> Options(int index)
    {
        if (Log is null)
        {
            string snapshot = IsKept ? "off" : "on";
            return
            [
                "-drive", $"file={File},format=raw,if=none,id=plain{index},snapshot={snapshot}",
                // Named by itself, so that the order of the disks is that of these options.
                "-device", $"virtio-blk-pci,drive=plain{index}",
            ];
        }

        // blklogwrites has the format of the kernel's dm-log-writes. The cache makes the guest send flushes.
        return
        [
            "-blockdev", $"driver=file,filename={File},node-name=file{index}",
            "-blockdev", $"driver=raw,file=file{index},node-name=raw{index}",
            "-blockdev", $"driver=file,filename={Log},node-name=logfile{index}",
            "-blockdev", $"driver=raw,file=logfile{index},node-name=log{index}",
            "-blockdev",
            $"driver=blklogwrites,file=raw{index},log=log{index},node-name=recorded{index}," +
            "log-sector-size=512",
            "-device", $"virtio-blk-pci,drive=recorded{index},write-cache=on",
        ];
    }
}
