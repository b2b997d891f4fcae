using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;
using Snapshot.Tests.Faults;
using Snapshot.Tests.HeatDiffusion;
using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>
/// A file of the program that is kept in step with images: a sync of it that failed is told.
/// </summary>
public sealed partial class DurableFileTests : IDisposable
{
    private static readonly string[] s_folders = ["src", "samples", "bench"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-durable-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(1, 5)] // by stream; EIO
    [InlineData(2, 28)] // by handle; ENOSPC
    [InlineData(3, 122)] // by stream; EDQUOT
    public void A_failed_sync_is_told_with_its_errno(int nth, int errno)
    {
        string path = Path.Combine(_folder.FullName, "log.txt");
        using TestProgram program = new(RigLibrary.FailSync("log.txt", nth, errno), "durable-flush", path);
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);

        // What was written through the stream stays in its buffer until the stream is flushed.
        string[] expected = ["flushed, 5 bytes", "flushed, 5 bytes", "flushed, 15 bytes"];
        expected[nth - 1] = $"failed StoreIo {errno} {(nth == 2 ? "" : path)}";
        Assert.Equal(expected, output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void What_is_not_open_or_not_there_is_refused()
    {
        Assert.Throws<ArgumentNullException>(() => DurableFile.Flush((FileStream)null!));
        Assert.Throws<ArgumentNullException>(() => DurableFile.Flush((SafeFileHandle)null!));
        FileStream closed = File.Create(Path.Combine(_folder.FullName, "closed"));
        SafeFileHandle handle = closed.SafeFileHandle;
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => DurableFile.Flush(closed));
        Assert.Throws<ObjectDisposedException>(() => DurableFile.Flush(handle));
    }

    /// <summary>
    /// The sample's results file: its handler fails the checkpoint, and the next run makes it good.
    /// </summary>
    [Fact]
    public void A_failed_sync_of_a_sample_s_results_ends_its_run_and_the_next_run_has_the_right_result()
    {
        string store = Path.Combine(_folder.FullName, "run");
        string[] run = ["run", "--size", "40", "--steps", "200", "--threads", "2", "--every-steps", "20",
            "--store",
            store, "--json"];
        string heat = Path.Combine(AppContext.BaseDirectory, "HeatDiffusion");
        string[] faults = [.. RigLibrary.FailSync("results.txt", 2, 5).Select(
            fault => $"{fault.Name}={fault.Value}")];
        ProgramResult failed = Repository.Run(_folder.FullName, "env", [.. faults, heat, .. run]);
        Assert.True(failed.ExitCode == 1, failed.ToString());
        Assert.Contains("results.txt: Input/output error (errno 5)", failed.Error, StringComparison.Ordinal);

        ProgramResult next = Repository.Run(_folder.FullName, heat, run);
        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Contains(
            PlainHeat.ChecksumOf(global::HeatDiffusion.HeatOptions.ShippedInput, 40, 200), next.Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_here_relies_on_a_sync_of_the_runtime_which_tells_no_error()
    {
        string[] uses = [.. s_folders
            .SelectMany(folder => Repository.Sources(folder, ".cs", ".ps1"))
            .Append(Path.Combine(Repository.Root, "README.md"))
            .Concat(Repository.Sources("docs", ".md"))
            .SelectMany(file => File.ReadLines(file)
                .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
                .Where(line => RuntimeSync().IsMatch(line))
                .Select(line => $"{Repository.Relative(file)}: {line.Trim()}"))];
        Assert.True(uses.Length == 0, string.Join('\n', uses));
    }

    [GeneratedRegex(
        @"\w\.Flush\((flushToDisk: )?true\)|RandomAccess\.FlushToDisk\(|FileOptions\.WriteThrough")]
    private static partial Regex RuntimeSync();
}
