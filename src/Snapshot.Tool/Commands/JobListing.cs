using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>A generation of a job.</summary>
/// <param name="Generation">Its number in the job.</param>
/// <param name="Step">Where the program was.</param>
/// <param name="Published">When it was published.</param>
/// <param name="RanksComplete">The ranks whose stores have their image.</param>
/// <param name="Bytes">The length of all images when they were committed.</param>
/// <param name="Levels">The levels that all ranks have copied it to: partner, shared.</param>
internal sealed record JobRow(
    long Generation, long Step, DateTimeOffset Published, int RanksComplete, long Bytes,
    IReadOnlyList<string> Levels);

/// <summary>What a job holds.</summary>
/// <param name="Ranks">The number of ranks.</param>
/// <param name="Generations">Those that are published, oldest first.</param>
/// <param name="Orphans">Images of ranks that are in no generation.</param>
internal sealed record JobList(int Ranks, IReadOnlyList<JobRow> Generations, int Orphans);

/// <summary><c>snapshot list JOB</c>: the published generations of a job.</summary>
internal static class JobListing
{
    internal static void Show(ToolConsole console, JobSurvey job, bool json)
    {
        JobList list = new(
            job.Manifest.Ranks,
            [
                .. job.Manifest.Entries.Select(entry => new JobRow(
                    entry.Generation, entry.Step, entry.Published, job.RanksWith(entry),
                    entry.Images.Sum(image => image.FileBytes), LevelsOf(entry))),
            ],
            job.Ranks.Sum(rank => rank.Orphans.Count));
        if (json) console.WriteJson(list, ToolJson.Default.JobList);
        else Print(console.Results, job, list);
        foreach (RankSurvey rank in job.Ranks.Where(rank => !rank.IsHere))
            console.Note(
                $"{job.Places.StoreOf(rank.Rank)}: there is no store here; it may be on another host.");
    }

    internal static IReadOnlyList<string> LevelsOf(JobEntry entry) =>
    [
        .. entry.Levels.HasFlag(JobLevels.Partner) ? (string[])["partner"] : [],
        .. entry.Levels.HasFlag(JobLevels.Shared) ? (string[])["shared"] : [],
    ];

    private static void Print(IAnsiConsole console, JobSurvey job, JobList list)
    {
        Table table =
            Tables.Create(">Generation", ">Step", "Published", ">Ranks", ">Size", "Copies").Folding(2);
        foreach (JobRow row in list.Generations)
        {
            table.Add(
                Readable.Number(row.Generation), Readable.Number(row.Step), Readable.Time(row.Published),
                $"{row.RanksComplete} of {list.Ranks}", Readable.Bytes(row.Bytes),
                row.Levels.Count == 0 ? "–" : string.Join(", ", row.Levels));
        }

        console.Print(table);
        console.Line("");
        string orphans = list.Orphans == 0
            ? ""
            : $", and {Readable.Count(list.Orphans, "image")} of checkpoints that were not published";
        console.Line(
            $"{Readable.Count(list.Generations.Count, "generation")} of " +
            $"{Readable.Count(list.Ranks, "rank")} in {job.Places.Directory}{orphans}");
        if (job.Manifest.RestartGeneration is > 0 and long chosen)
            console.Line(
                $"The next restart takes generation {Readable.Number(chosen)} ('snapshot rollback').");
    }
}
