using Snapshot.NativeThreads;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>Native threads in a session: stopped, captured, and gone on with in the next process.</summary>
[Needs(Capability.NativeThreads)]
public sealed class NativeHostTests : IDisposable
{
    private const string ThreadLocals =
        "__thread long moved[30] = { 1 }; long look(void) { return moved[3]; }";

    private readonly ModuleLibrary _library = new();
    private readonly TemporaryStore _store = new();

    [MachineFact]
    public void A_native_thread_that_waits_for_a_lock_of_an_async_handler_is_captured_waiting()
    {
        string module = _library.Scenes();
        using (TestProgram first = new("native-founding", _store.Path, module))
        {
            Assert.Equal(
                ["fresh", "handler: Continued, entered 0", "committed 1", "end: entered 1, too early 0"],
                first.ReadUntil("end:").Order(new InThisOrder("fresh", "handler", "committed", "end")));
        }

        using TestProgram second = new("native-founding", _store.Path, module);
        Assert.Equal(
            [
                "restarted: mutex held, wanting 1, entered 0", "handler: Restarted, entered 0",
                "end: entered 1, too early 0",
            ],
            second.ReadUntil("end:"));
    }

    [MachineTheory]
    [InlineData("wait_in_read", "it is in read of libc.so.6, a call that has not returned")]
    [InlineData("call_back", "managed code")]
    [InlineData("stay_critical", "in a critical section")]
    public void Who_cannot_be_stopped_is_named_in_time_and_goes_on(string function, string where)
    {
        using TestProgram program = new("native-late", _store.Path, _library.Scenes(), function);
        (int exitCode, string output, string error) = program.WaitForEnd();
        string[] lines = output.Split('\n');
        Assert.True(exitCode == 0, output + error);
        Assert.StartsWith("TimedOut: Checkpoint 1 was aborted", lines[0], StringComparison.Ordinal);
        Assert.Contains("native thread 'late' does not stop", lines[0], StringComparison.Ordinal);
        Assert.Contains(where, lines[0], StringComparison.Ordinal);
        Assert.Equal(["returned 1", "committed 1", ""], lines[1..]);
    }

    [MachineFact]
    public void Nobody_waits_for_a_thread_that_waits_in_a_blocked_call()
    {
        using TestProgram program = new(
            "native-late", _store.Path, _library.Scenes(), "wait_in_blocked_call");
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("committed 1\nreturned 1\ncommitted 2\n", output);
    }

    [MachineFact]
    public void Handlers_in_C_and_on_behalf_are_told_of_the_capture_and_of_each_way_out()
    {
        string module = _library.Scenes();
        using (TestProgram first = new("native-handlers", _store.Path, module))
            Assert.Equal(["C#: prepare", "C#: Continued", "C: 1 1 0"], first.ReadUntil("C: "));
        using TestProgram second = new("native-handlers", _store.Path, module);
        (int exitCode, string output, string error) = second.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("C#: Restarted\nC: 1 0 1\nreturned 0\n", output);
    }

    [MachineFact]
    public void Native_threads_and_threads_and_fibers_of_C_sharp_share_a_lock()
    {
        using TestProgram program = new("native-sharing", _store.Path, _library.Scenes());
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("total right\ncaptured\n", output);
    }

    [MachineFact]
    [Needs(Programs = ["gfortran"])]
    public void Fortran_has_the_same_locks()
    {
        string module = _library.Build(
            "fortran_scenes", "gfortran", Path.Combine(ModuleLibrary.Runtime, "snapshot_module.f90"), "scenes.f90");
        using TestProgram program = new("native-sharing", _store.Path, module);
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("total right\ncaptured\n", output);
    }

    [MachineFact]
    public void What_a_native_thread_asks_the_host_is_answered_once_however_often_it_is_killed()
    {
        string module = _library.Scenes();
        string last = "";
        for (int kills = 0; !last.StartsWith("wrong", StringComparison.Ordinal); kills++)
        {
            using TestProgram program = new("native-asking", _store.Path, module);
            for (int lines = kills < 5 ? 3 : int.MaxValue; lines > 0; lines--)
            {
                last = program.ReadUntil("asked", "wrong")[^1];
                if (last.StartsWith("wrong", StringComparison.Ordinal)) break;
            }
        }

        Assert.Equal("wrong 0, asked 3000", last);
    }

    [MachineFact]
    public void What_a_native_thread_asks_in_a_critical_section_is_answered_while_a_checkpoint_waits_for_it()
    {
        using TestProgram program = new("native-asking-critical", _store.Path, _library.Scenes());
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        Assert.Equal("committed 1\nwrong 0\n", output);
    }

    [MachineFact]
    public void Pointers_out_of_captured_memory_are_found_wherever_a_kernel_holds_them()
    {
        using TestProgram program = new("native-audited", _store.Path, _library.Scenes());
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, output + error);
        string[] lines = output.Split('\n');
        Assert.Equal("clean: 0", lines[0]);
        foreach (string where in (string[])["the stack of native thread 'holding'",
            "a variable of libscenes.so",
            "the heap of native modules"])
        {
            // The function has names of several standards.
            Assert.Contains(
                lines, line => line.StartsWith($"found in {where}: strto", StringComparison.Ordinal)
                && line.EndsWith(" of libc.so.6, True", StringComparison.Ordinal));
        }
    }

    [MachineFact]
    public void A_module_that_was_rebuilt_is_refused_at_restart()
    {
        string module = _library.Scenes();
        Assert.Equal(0, Load(module).ExitCode);
        _library.Scenes("-DREBUILT=1", "-O1");
        Refuses(Load(module), "libscenes.so was rebuilt since the checkpoint", "Restart with the file");
    }

    [MachineFact]
    public void A_module_that_was_changed_after_its_check_is_refused()
    {
        string module = _library.Scenes();
        ElfImage image = ElfImage.Open(module);
        byte[] file = File.ReadAllBytes(module);
        Assert.Equal(UnwinderKind.None, ModuleNote.Read(file.AsSpan(
            (int)ModuleNote.PlaceIn(image)!.Value.Start, ModuleNote.Size))!.Unwinder);
        file[(int)ElfNotes.Find(image, "GNU\0"u8, 3)!.Value.Start] ^= 1;
        File.WriteAllBytes(module, file);
        Refuses(Load(
            module), "It was changed after its check: its build id is ", "Link it again with snapshot-cc.");
    }

    [MachineFact]
    public void Another_module_in_its_place_is_refused_at_restart()
    {
        Assert.Equal(0, Load(_library.Scenes()).ExitCode);
        string other = _library.Build("others", "cc", "scenes.c");
        Refuses(Load(other), "The image has libscenes.so as its native module 1", "in the same order");
    }

    [MachineFact]
    public void Thread_locals_that_moved_are_refused_at_restart()
    {
        string module = _library.Scenes("-DTHREAD_LOCAL");
        Assert.Equal(0, Load(module).ExitCode);
        string other = _library.Ordinary(ThreadLocals);
        using TestProgram program = new("native-load", _store.Path, module, other);
        Refuses(program.WaitForEnd(), "thread-local variables", "Load the same modules in the same order");
    }

    [MachineFact]
    public void An_errno_that_moved_is_refused_at_restart()
    {
        string module = _library.Scenes();
        Assert.Equal(0, Load(module).ExitCode);
        Refuses(Load(module, ("LD_PRELOAD", _library.Ordinary(ThreadLocals))), "errno is", "LD_PRELOAD");
    }

    [MachineFact]
    public void A_module_whose_place_is_taken_is_refused()
    {
        using TestProgram program = new("native-place-taken", _store.Path, _library.Scenes());
        Refuses(program.WaitForEnd(), "was loaded at", "because that place was taken");
    }

    [MachineFact]
    public void A_signal_that_somebody_handles_is_refused()
    {
        using TestProgram program = new("native-signal-taken", _store.Path);
        Refuses(program.WaitForEnd(), "signal 42", "NativeOptions.Signal");
    }

    [MachineFact]
    public void A_process_has_one_host_of_native_threads()
    {
        using TestProgram program = new("native-twice", _store.Path);
        Refuses(program.WaitForEnd(), "A process has one session with native threads");
    }

    public void Dispose()
    {
        _library.Dispose();
        _store.Dispose();
    }

    private static void Refuses((int ExitCode, string Output, string Error) run, params string[] words)
    {
        Assert.NotEqual(0, run.ExitCode);
        foreach (string word in words) Assert.Contains(word, run.Error, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output, string Error) Load(
        string module, params (string, string)[] environment)
    {
        using TestProgram program = new(environment, "native-load", _store.Path, module);
        return program.WaitForEnd();
    }

    /// <summary>By what they begin with: lines of several threads.</summary>
    private sealed class InThisOrder(params string[] beginnings) : IComparer<string>
    {
        public int Compare(string? left, string? right) => Place(left!) - Place(right!);

        private int Place(string line) =>
            Array.FindIndex(beginnings, beginning => line.StartsWith(beginning, StringComparison.Ordinal));
    }
}
