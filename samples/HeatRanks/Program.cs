// Heat in a plate over the ranks of an MPI job, checkpointed, killed and restarted. See `HeatRanks --help`.
using System.CommandLine;
using HeatRanks;
using KillDemo;

SampleProgram program = new("heat-ranks");
ParseResult parsed = CommandLine.Build(DemoAsync, Rank.Run).Parse(args);
return await program.MainAsync(parsed, CommandLine.Misuses(parsed)).ConfigureAwait(false);

static async Task<int> DemoAsync(RanksDemo demo, RankOptions options, bool isJson, bool keepsDirectory)
{
    if (Directory.Exists(options.Directory) && Directory.EnumerateFileSystemEntries(options.Directory).Any())
    {
        throw new RunException(
            $"'{options.Directory}' is not empty. The demo begins a new computation; give it a new " +
            "directory.");
    }

    RanksReport report =
        await demo.RunAsync(isJson ? static _ => { }
    : Console.WriteLine).ConfigureAwait(false);
    if (isJson) Console.WriteLine(report.ToLine());
    else
    {
        Console.WriteLine(
            $"{(report.Equal ? "Equal, bit for bit" : "NOT EQUAL")}: {report.Kills} kills, {report.Ranks} " +
            $"ranks of {report.Mpi}, {report.Generations} generations, checksum {report.Checksum}, " +
            $"expected {report.ExpectedChecksum}, {report.Seconds} s.");
    }

    // What may show why the results differ is kept.
    if (report.Equal && !keepsDirectory) Directory.Delete(options.Directory, recursive: true);
    return report.Equal ? 0 : 1;
}
