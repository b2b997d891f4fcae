using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What is wrong with the image of a rank.</summary>
/// <param name="Rank">Whose image.</param>
/// <param name="Generation">Of the job.</param>
/// <param name="Code">What went wrong.</param>
/// <param name="Message">What, where, and what to do.</param>
internal sealed record JobProblem(int Rank, long Generation, SnapshotErrorCode Code, string Message);

/// <summary>What a check of a job found.</summary>
/// <param name="IsIntact">Whether every rank can restore every generation.</param>
/// <param name="Problems">What is wrong.</param>
/// <param name="ImageCount">Images that were read.</param>
/// <param name="ByteCount">Bytes that were read.</param>
internal sealed record JobReport(
    bool IsIntact, IReadOnlyList<JobProblem> Problems, long ImageCount, long ByteCount);

/// <summary><c>snapshot verify JOB</c>: every image by every entry of the job's manifest.</summary>
internal static class JobVerification
{
    internal static async Task<int> RunAsync(
        ToolConsole console, JobSurvey job, GenerationName asked, bool json, CancellationToken cancellation)
    {
        JobEntry[] entries =
            [.. job.Manifest.Entries.Where(entry => asked.Number is not { } one || entry.Generation == one)];
        if (asked.Tag is not null || entries.Length == 0)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"The job {job.Places.Directory} has no such generation; 'snapshot list' shows those it " +
                "has.");
        }

        List<JobProblem> problems = [];
        long images = 0, bytes = 0;
        foreach (RankSurvey rank in job.Ranks)
        {
            foreach (JobEntry entry in entries)
            {
                if (rank.Find(entry.Images[rank.Rank].ImageId) is not { } image)
                {
                    problems.Add(new JobProblem(
                        rank.Rank, entry.Generation, SnapshotErrorCode.NotFound,
                        rank.IsHere
                            ? "The store of the rank does not have the image."
                            : "The rank has no store here."));
                    continue;
                }

                using SnapshotStore store = SnapshotStore.OpenReadOnly(job.Places.StoreOf(rank.Rank));
                VerifyReport report = await ToolProgress.RunAsync(
                    console, $"Verifying rank {rank.Rank}",
                    progress => store.VerifyAsync(image.Generation, progress, cancellation));
                images += report.ImageCount;
                bytes += report.ByteCount;
                problems.AddRange(report.Problems.Select(problem => new JobProblem(
                    rank.Rank, entry.Generation, problem.Code, problem.Message)));
            }
        }

        JobReport result = new(problems.Count == 0, problems, images, bytes);
        if (json) console.WriteJson(result, ToolJson.Default.JobReport);
        else Print(console.Results, result);
        return result.IsIntact ? ExitCode.Fine : ExitCode.Damage;
    }

    private static void Print(IAnsiConsole console, JobReport report)
    {
        string read =
            $"{Readable.Count(report.ImageCount, "image")}, {Readable.Bytes(report.ByteCount)} read";
        if (report.IsIntact)
        {
            console.Good($"Intact: {read}");
            return;
        }

        Table table = Tables.Create(">Rank", ">Generation", "Damage", "What is wrong").Folding(3);
        foreach (JobProblem problem in report.Problems)
        {
            table.Add(
                Readable.Number(problem.Rank), Readable.Number(problem.Generation), problem.Code.ToString(),
                problem.Message);
        }

        console.Print(table);
        console.Bad($"\nDamaged: {Readable.Count(report.Problems.Count, "problem")}; {read}");
    }
}
