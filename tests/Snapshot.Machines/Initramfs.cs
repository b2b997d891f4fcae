namespace Snapshot.Machines;

/// <summary>
/// The first file system of a guest: loads the modules, mounts the root image, and goes over to it.
/// </summary>
internal static class Initramfs
{
    /// <summary>Of the disks, and of the file systems that are on them.</summary>
    private static readonly string[] s_modules = ["virtio_pci", "virtio_blk", "ext4", "xfs"];

    /// <summary>Makes it.</summary>
    /// <param name="kernel">Whose modules.</param>
    /// <param name="busybox">The static program.</param>
    /// <param name="folder">Where to put it; returns its path there.</param>
    internal static string Make(KernelFiles kernel, string busybox, string folder)
    {
        string tree = Directory.CreateDirectory(Path.Combine(folder, "initramfs")).FullName;
        foreach (string name in (string[])["bin", "proc", "sys", "dev", "root", "modules"])
            Directory.CreateDirectory(Path.Combine(tree, name));
        File.Copy(busybox, Path.Combine(tree, "bin/busybox"));
        IReadOnlyList<string> modules = kernel.CopyModules(s_modules, Path.Combine(tree, "modules"));
        string init = Path.Combine(tree, "init");
        File.WriteAllText(init, Script(modules));
        File.SetUnixFileMode(init, (UnixFileMode)0b111_101_101);

        string image = Path.Combine(folder, "initramfs.gz");
        HostProgram.Require(
            "sh", "-c", "cd \"$1\" && find . | \"$0\" cpio -o -H newc 2>/dev/null | gzip -1 >\"$2\"",
            busybox, tree, image);
        return image;
    }

    private static string Script(IEnumerable<string> modules) =>
        $"""
        #!/bin/busybox sh
        b=/bin/busybox
        $b mount -t proc proc /proc
        $b mount -t sysfs sys /sys
        $b mount -t devtmpfs dev /dev
        {string.Join('\n', modules.Select(file => $"$b insmod /modules/{file}"))}
        $b mount -t ext4 /dev/vda /root || exec $b poweroff -f
        exec $b switch_root /root /init

        """;
}
