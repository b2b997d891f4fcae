using System.Diagnostics;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Snapshot.Tool;
using Snapshot.Tool.Supervision;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>exec as a process: what a program sees and how it ends.</summary>
[Needs(Capability.NativeThreads, Programs = ["cc", "sh"])]
public sealed class ExecTests : IDisposable
{
    private const int Aborted = 128 + 6;
    private const string Slow = """
        #include <stdio.h>
        #include <unistd.h>
        int main(void)
        {
            int number;
            long sum = 0;
            FILE *file = fopen("made", "w");
            while (scanf("%d", &number) == 1) {
                sum += number;
                fprintf(file, "%d\n", number);
                fflush(file);
                usleep(2000);
            }
            return printf("%ld\n", sum) < 0;
        }
        """;

    private readonly ExecWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [MachineFact]
    public void Stdio_arguments_environment_and_exit_are_as_libc_has_them()
    {
        ToolRun[] runs = [.. ((string[][])
            [
                [_workshop.Ordinary("stdio")],
                _workshop.ExecWords("--", _workshop.Program("stdio", "-D_FORTIFY_SOURCE=2")),
            ])
            .Select(words => _workshop.Run(
                "\"$@\" \"$(mktemp -d \"$PWD/XXXXXX\")\" 'a b' '' > out; code=$?; cat out; exit $code",
                words,
                start => start.Environment["STDIO_TEST"] = "a  value"))];
        Assert.Equal(300 & 0xff, runs[0].ExitCode);
        Assert.Contains("first registered", runs[0].Out, StringComparison.Ordinal);
        Assert.Equal(runs[0], runs[1]);
    }

    [MachineFact]
    public void What_has_ended_is_not_run_again_and_what_aborts_is()
    {
        string program = _workshop.Program("stdio");
        Assert.Equal(new ToolRun(7, "", ""), Exec(program, ".", "quietly"));
        ToolRun again = Exec(program, ".", "quietly");
        Assert.Equal(7, again.ExitCode);
        Assert.Contains("note: the program has ended, with code 7", again.Error, StringComparison.Ordinal);
        ToolRun other = Exec(program, ".", "abort");
        Assert.Equal(ExitCode.Usage, other.ExitCode);
        Assert.Contains("the arguments '. quietly'", other.Error, StringComparison.Ordinal);
        Directory.Delete(_workshop.Store, recursive: true);
        Assert.Equal(Aborted, Exec(program, ".", "abort").ExitCode);
    }

    [MachineFact]
    public void A_signal_that_ends_it_loses_nothing()
    {
        const int signal = ProcessSignal.Terminate;
        string program = LinkSlow();
        string numbers = _workshop.Write("numbers", string.Join('\n', Enumerable.Range(1, 300)));
        using (Process process = StartSlow(program, numbers))
        {
            WaitUntilItWrites();
            ProcessSignal.Send(process.Id, signal);
            Assert.Equal(128 + signal, ExecWorkshop.End(process).ExitCode);
        }

        // Standard input is found by its path, and the file cut to what the image has.
        ToolRun run = _workshop.Run("exec \"$@\" < /dev/null", _workshop.ExecWords("--", program));
        Assert.True(run is { ExitCode: 0, Out: "45150\n" }, run.ToString());
        Assert.Contains("goes on from generation ", run.Error, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 300).Select(number => $"{number}"), File.ReadLines(
            _workshop.PathOf("made")));
    }

    [MachineFact]
    public void A_file_that_was_open_and_is_gone_is_named()
    {
        string program = LinkSlow(), made = _workshop.PathOf("made");
        string numbers = _workshop.Write("numbers", string.Join('\n', Enumerable.Range(1, 3000)));
        using (Process process = StartSlow(program, numbers))
        {
            WaitUntilItWrites();
            ProcessSignal.Send(process.Id, ProcessSignal.User1);
            using SnapshotStore store = WaitForGeneration();
            ExecWorkshop.Kill(process);
            process.WaitForExit();
        }

        string[] words = _workshop.ExecWords("--", program);
        File.WriteAllText(made, "");
        ToolRun shorter = _workshop.Run("exec \"$@\"", words);
        Assert.Equal(ExitCode.Environment, shorter.ExitCode);
        Assert.Contains(
            "/made is shorter than when the image was made", shorter.Error, StringComparison.Ordinal);
        File.Delete(made);
        ToolRun gone = _workshop.Run("exec \"$@\"", words);
        Assert.Equal(ExitCode.Environment, gone.ExitCode);
        Assert.Contains(
            "/made was open when the image was made and cannot be opened now", gone.Error,
            StringComparison.Ordinal);
    }

    [MachineFact]
    public void Standard_input_that_could_not_be_read_again_is_refused()
    {
        string program = LinkSlow();
        ToolRun piped = _workshop.Run("echo 1 | \"$@\"", _workshop.ExecWords("--", program));
        Assert.Equal(ExitCode.Environment, piped.ExitCode);
        Assert.Contains(
            "reads standard input, which is a pipe or a terminal", piped.Error, StringComparison.Ordinal);
        Directory.Delete(_workshop.Store, recursive: true);
        ToolRun empty = _workshop.Run("\"$@\" < /dev/null", _workshop.ExecWords("--", program));
        Assert.Equal(new ToolRun(0, "0\n", ""), empty);
    }

    [MachineFact]
    public void A_program_that_was_not_linked_for_it_is_refused_and_says_so_itself_where_it_was()
    {
        ToolRun refused = Exec(_workshop.Ordinary("stdio"));
        Assert.Equal(ExitCode.NotExecutable, refused.ExitCode);
        Assert.Contains(
            "snapshot-cc --program gcc -O2 stdio.native.c -o stdio.native", refused.Error,
            StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotExecutable, Exec("/bin/sh").ExitCode);
        Assert.Equal(ExitCode.NoProgram, Exec("./no-such-program").ExitCode);
        ToolRun direct = _workshop.Run("exec \"$@\"", [_workshop.Program("stdio")]);
        Assert.Equal(ExitCode.NotExecutable, direct.ExitCode);
        Assert.Contains("Start it by: snapshot exec", direct.Error, StringComparison.Ordinal);
    }

    private ToolRun Exec(params string[] program) =>
        _workshop.Run("exec \"$@\"", _workshop.ExecWords(["--", .. program]));

    private string LinkSlow()
    {
        ProgramResult linked = _workshop.Link("slow", "cc", _workshop.Write("slow.c", Slow));
        Assert.True(linked.ExitCode == 0, linked.ToString());
        return _workshop.PathOf("slow");
    }

    private Process StartSlow(string program, string input) =>
        _workshop.Start($"exec \"$@\" < {input}", _workshop.ExecWords("--", program));

    private void WaitUntilItWrites()
    {
        FileInfo made = new(_workshop.PathOf("made"));
        while (!made.Exists || made.Length < 100)
        {
            Thread.Sleep(5);
            made.Refresh();
        }
    }

    private SnapshotStore WaitForGeneration()
    {
        while (true)
        {
            SnapshotStore store = SnapshotStore.OpenReadOnly(_workshop.Store);
            if (store.Newest is not null) return store;
            store.Dispose();
            Thread.Sleep(10);
        }
    }
}
