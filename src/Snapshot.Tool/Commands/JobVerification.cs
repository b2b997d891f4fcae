using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>What is wrong with the image of a rank.</summary>
/// <param name="Rank">Whose image.</param>
/// <param name="Level">local: in its own store; partner: in the store of its copies.</param>
/// <param name="Generation">Of the job.</param>
/// <param name="Code">What went wrong.</param>
/// <param name="Message">What, where, and what to do.</param>
internal sealed record JobProblem(
    int Rank, string Level, long Generation, SnapshotErrorCode Code, string Message);

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
        JobEntry[] entries = [.. HeldJob.EntriesOf(job, asked)];
        List<JobProblem> problems = [];
        long images = 0, bytes = 0;
        foreach (RankSurvey rank in job.Ranks) await VerifyAsync(rank, entries, "local");

        // Partners have what the manifest says they have; the stores of copies may be on other hosts.
        JobEntry[] copied = [.. entries.Where(entry => entry.Levels.HasFlag(JobLevels.Partner))];
        foreach (RankSurvey copies in job.Copies) await VerifyAsync(copies, copied, "partner");

        async Task VerifyAsync(RankSurvey rank, JobEntry[] wanted, string level)
        {
            foreach (JobEntry entry in wanted)
            {
                if (rank.Find(entry.Images[rank.Rank].ImageId) is not { } image)
                {
                    problems.Add(new JobProblem(
                        rank.Rank, level, entry.Generation, SnapshotErrorCode.NotFound,
                        rank.IsHere
                            ? "The store does not have the image."
                            : "The rank has no store here; it may be on another host."));
                    continue;
                }

                using SnapshotStore store = SnapshotStore.OpenReadOnly(rank.Directory);
                VerifyReport report = await ToolProgress.RunAsync(
                    console, $"Verifying {Path.GetFileName(rank.Directory)}",
                    progress => store.VerifyAsync(image.Generation, progress, cancellation));
                images += report.ImageCount;
                bytes += report.ByteCount;
                problems.AddRange(report.Problems.Select(problem => new JobProblem(
                    rank.Rank, level, entry.Generation, problem.Code, problem.Message)));
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

        Table table = Tables.Create(">Rank", "Level", ">Generation", "Damage", "What is wrong").Folding(4);
        foreach (JobProblem problem in report.Problems)
        {
            table.Add(
                Readable.Number(problem.Rank), problem.Level, Readable.Number(problem.Generation),
                problem.Code.ToString(), problem.Message);
        }

        console.Print(table);
        console.Bad($"\nDamaged: {Readable.Count(report.Problems.Count, "problem")}; {read}");
    }
}
