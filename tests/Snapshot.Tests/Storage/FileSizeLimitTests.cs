using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>
/// A process under <c>ulimit -f</c> learns of it by an error, and is not killed by SIGXFSZ.
/// </summary>
public sealed class FileSizeLimitTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void An_image_beyond_the_limit_is_an_error_and_what_the_program_does_about_the_signal_is_left_alone()
    {
        // In units of 1024 bytes. The runtime's own double mapping of code fails under such a limit.
        const string limited =
            "ulimit -c 0; ulimit -f 4096; export DOTNET_EnableWriteXorExecute=0; exec dotnet exec \"$@\"";
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProgramResult run = Repository.Run(
            AppContext.BaseDirectory, "bash", "-c", limited, "bash", program, "file-limit", _store.Path);
        string[] expected =
        [
            "committed 1", "failed StoreIo 27", "committed 2", "restarted 2 with 2", "dispositions as before",
        ];
        Assert.Equal(expected, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        // The write of its own killed it: 128 + SIGXFSZ.
        Assert.True(run.ExitCode == 128 + 25, run.ToString());
    }
}
