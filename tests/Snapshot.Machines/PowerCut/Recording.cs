namespace Snapshot.Machines.PowerCut;

/// <summary>
/// A run of the heat diffusion in a guest, whose disk is recorded while generations are committed.
/// </summary>
/// <param name="machine">Boots the guest.</param>
/// <param name="fileSystem">On the disk.</param>
/// <param name="folder">Where the recording is put.</param>
internal sealed class Recording(Machine machine, IFileSystem fileSystem, string folder)
{
    /// <summary>The folder of the run on the disk: the store and the results file.</summary>
    internal const string RunName = "run";

    /// <summary>The run, without the folder.</summary>
    internal const string Arguments = "--json --size 192 --threads 2 --steps 3000 --every-steps 10";

    private const long LogBytes = 8L << 30;

    /// <summary>The disk as it was before the guest ran.</summary>
    internal string Before { get; } = Path.Combine(folder, "before.img");

    /// <summary>What the guest did.</summary>
    internal string Log { get; } = Path.Combine(folder, "writes.log");

    /// <summary>Where on the disk acknowledgements are: behind the file system.</summary>
    internal long AcknowledgementOffset => (long)fileSystem.Megabytes << 20;

    /// <summary>
    /// Boots the guest and waits until the run has ended. Returns the line that tells its result.
    /// </summary>
    /// <param name="withoutSync">Syncs of this kind are left out, see skip_sync.c; null: none.</param>
    /// <exception cref="MachineException">The run failed.</exception>
    internal async Task<string> MakeAsync(string? withoutSync)
    {
        fileSystem.Make(Before);
        using (FileStream file = File.OpenWrite(Before)) file.SetLength(AcknowledgementOffset + (1 << 20));
        using (FileStream file = File.Create(Log)) file.SetLength(LogBytes);
        string disk = Path.Combine(folder, "disk.img");
        HostProgram.Require("cp", "--sparse=always", Before, disk);

        GuestResult run = await machine.RunAsync(Job(withoutSync), new GuestDisk(disk, IsKept: true, Log))
            .ConfigureAwait(false);
        if (run.Failure is { } failure) throw new MachineException($"The recorded run: {failure}.");
        return run.Lines.Single(line => line.Contains("\"event\":\"finished\"", StringComparison.Ordinal));
    }

    private Job Job(string? withoutSync)
    {
        string preloaded =
            withoutSync is null ? "" : $"LD_PRELOAD=/job/skip_sync.so SKIP_SYNC={withoutSync} ";
        return new Job(
            $$"""
            mount -t {{fileSystem.Name}} /dev/vdc /disk || exit
            follow() {
                while read -r line; do
                    case "$line" in
                    *'"event":"committed"'*)
                        g=${line#*'"generation":'} g=${g%%,*}
                        {{Acknowledgement.Command("/dev/vdc", AcknowledgementOffset)}} || exit
                        echo "acknowledged $g" ;;
                    *'"event":"finished"'*) echo "$line" ;;
                    ended*) exit "${line#ended }" ;;
                    esac
                done
            }
            {
                {{preloaded}}dotnet /app/HeatDiffusion.dll run {{Arguments}} --store /disk/{{RunName}}
                echo "ended $?"
            } | follow

            """,
            IsRoot: true)
        {
            Files = withoutSync is null ? [] : [CompileSkipSync()],
        };
    }

    private string CompileSkipSync()
    {
        string library = Path.Combine(folder, "skip_sync.so");
        HostProgram.Require(
            "cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion",
            "-shared", "-fPIC",
            Path.Combine(AppContext.BaseDirectory, "skip_sync.c"), "-o", library);
        return library;
    }
}
