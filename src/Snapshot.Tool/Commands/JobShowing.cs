using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>The image of one rank.</summary>
/// <param name="Rank">Whose.</param>
/// <param name="Generation">The number that it has in the rank's own store.</param>
/// <param name="ImageId">What names it.</param>
/// <param name="FileBytes">Its length when it was committed.</param>
/// <param name="IsHere">Whether the rank's own store, in this directory, has it.</param>
/// <param name="CopyIsHere">Whether a copy of it is in this directory.</param>
internal sealed record JobImage(
    int Rank, long Generation, Guid ImageId, long FileBytes, bool IsHere, bool CopyIsHere);

/// <summary>A generation of a job.</summary>
/// <param name="Generation">Its number.</param>
/// <param name="Step">Where the program was.</param>
/// <param name="Published">When it was published.</param>
/// <param name="Levels">The levels that all ranks have copied it to.</param>
/// <param name="Images">Of all ranks.</param>
internal sealed record JobImages(
    long Generation, long Step, DateTimeOffset Published, IReadOnlyList<string> Levels,
    IReadOnlyList<JobImage> Images);

/// <summary><c>snapshot show JOB</c>: the images of one generation of a job.</summary>
internal static class JobShowing
{
    internal static void Show(ToolConsole console, JobSurvey job, GenerationName asked, bool json)
    {
        JobEntry entry = HeldJob.EntriesOf(job, asked)[^1];
        RankSurvey[] copies = [.. job.Copies];
        JobImages shown = new(
            entry.Generation, entry.Step, entry.Published, JobListing.LevelsOf(entry),
            [
                .. entry.Images.Select((image, rank) => new JobImage(
                    rank, image.Generation, image.ImageId, image.FileBytes,
                    job.Ranks[rank].Find(image.ImageId) is not null,
                    copies.Any(copy => copy.Rank == rank && copy.Find(image.ImageId) is not null))),
            ]);
        if (json) console.WriteJson(shown, ToolJson.Default.JobImages);
        else Print(console.Results, shown);
    }

    private static void Print(IAnsiConsole console, JobImages shown)
    {
        console.Heading($"Generation {Readable.Number(shown.Generation)} of a job");
        console.Facts(
            ("step", Readable.Number(shown.Step)),
            ("published", Readable.Time(shown.Published)),
            ("copies", shown.Levels.Count == 0 ? "none" : string.Join(", ", shown.Levels)));
        Table table = Tables.Create(">Rank", ">In its store", "Image id", ">Size", "Here").Folding(2);
        foreach (JobImage image in shown.Images)
        {
            string[] here = [.. Here(image)];
            table.Add(
                Readable.Number(image.Rank), Readable.Number(image.Generation), image.ImageId.ToString("N"),
                Readable.Bytes(image.FileBytes), here.Length == 0 ? "–" : string.Join(", ", here));
        }

        console.Print(table);
    }

    private static IEnumerable<string> Here(JobImage image)
    {
        if (image.IsHere) yield return "own";
        if (image.CopyIsHere) yield return "copy";
    }
}
