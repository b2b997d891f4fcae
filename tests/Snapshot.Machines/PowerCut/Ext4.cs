using System.Globalization;

namespace Snapshot.Machines.PowerCut;

/// <summary>ext4 as mke2fs makes it. Its tools recover and read it without a kernel.</summary>
internal sealed class Ext4 : IFileSystem
{
    /// <summary>Of e2fsck, when what it found is put right.</summary>
    private const int Corrected = 1;

    public string Name => "ext4";

    public int Megabytes => 64;

    public void Make(string file) => HostProgram.Require(
        "mke2fs", "-q", "-t", "ext4", "-b", "4096", file,
        string.Create(CultureInfo.InvariantCulture, $"{Megabytes}M"));

    public Task ReadOutAsync(IReadOnlyList<string> disks, string folder)
    {
        for (int index = 0; index < disks.Count; index++)
        {
            // Replays the journal, and looks at everything as well.
            if (HostProgram.Run("e2fsck", "-fy", disks[index]).ExitCode > Corrected) continue;
            string target = Path.Combine(folder, index.ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(target);
            HostProgram.Require("debugfs", "-R", $"rdump / {target}", disks[index]);
        }

        return Task.CompletedTask;
    }
}
