using System.Globalization;

namespace Snapshot.Machines.PowerCut;

/// <summary>Records a run, cuts the power at random moments, and checks what is left.</summary>
/// <param name="machine">Boots the guests.</param>
/// <param name="fileSystem">On the recorded disk.</param>
internal sealed class PowerCuts(Machine machine, IFileSystem fileSystem)
{
    /// <summary>How many disks there are at a time.</summary>
    private const int Batch = 60;

    /// <summary>After each cut of so many the run goes on to its end.</summary>
    internal int GoOnEvery { get; init; } = 10;

    /// <summary>Told how it gets on.</summary>
    internal Action<string> Say { get; init; } = static _ => { };

    /// <summary>Does it.</summary>
    /// <param name="count">How many cuts.</param>
    /// <param name="seed">Of the cuts.</param>
    /// <param name="withoutSync">Syncs of this kind are left out, see skip_sync.c; null: none.</param>
    internal async Task<PowerCutReport> RunAsync(int count, int seed, string? withoutSync)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-powercut-");
        try
        {
            Recording recording = new(machine, fileSystem, folder.FullName);
            string result = await recording.MakeAsync(withoutSync).ConfigureAwait(false);
            using WriteLog log = new(recording.Log);
            IReadOnlyList<Acknowledgement> acknowledged =
                Acknowledgement.AllIn(log, recording.AcknowledgementOffset);
            Say($"Recorded {log}; {acknowledged.Count} generations were acknowledged.");

            CutDisk disk = new(log, recording.Before);
            List<string> findings = [];
            int done = 0;
            foreach (Cut[] cuts in Cut.Choose(count, log.Entries.Count, acknowledged, seed).Chunk(Batch))
            {
                string[] found = await CheckAsync(
                    disk, cuts, done, acknowledged, new StoreCheck(result), folder)
                    .ConfigureAwait(false);
                findings.AddRange(found);
                done += cuts.Length;
                Say($"{done} cuts, {findings.Count} findings.");
            }

            return new PowerCutReport(count, acknowledged.Count, log.ToString(), findings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<string[]> CheckAsync(
        CutDisk disk, Cut[] cuts, int before, IReadOnlyList<Acknowledgement> acknowledged, StoreCheck check,
        DirectoryInfo folder)
    {
        string[] files = [.. cuts.Select((cut, index) => Path.Combine(folder.FullName, $"cut-{index}.img"))];
        for (int index = 0; index < cuts.Length; index++) disk.Write(cuts[index], files[index]);
        DirectoryInfo read = folder.CreateSubdirectory("read");
        await fileSystem.ReadOutAsync(files, read.FullName).ConfigureAwait(false);

        List<string> findings = [];
        for (int index = 0; index < cuts.Length; index++)
        {
            Cut cut = cuts[index];
            long[] promised = [.. acknowledged.Where(one => one.Position < cut.Position).Select(
                one => one.Generation)];
            string root = Path.Combine(read.FullName, index.ToString(CultureInfo.InvariantCulture));
            string? finding = Directory.Exists(root) ? null : "the file system cannot be recovered";
            string run = Path.Combine(root, Recording.RunName);
            finding ??= await StoreCheck.FindAsync(run, promised).ConfigureAwait(false);
            if ((before + index) % GoOnEvery == 0) finding ??= check.GoOn(run);
            if (finding is not null) findings.Add($"{cut}: {finding}");
        }

        read.Delete(recursive: true);
        foreach (string file in files) File.Delete(file);
        foreach (string finding in findings) Say(finding);
        return [.. findings];
    }
}
