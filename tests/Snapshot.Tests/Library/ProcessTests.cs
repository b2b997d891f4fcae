using System.Diagnostics;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Library;

/// <summary>What the library does to the process that uses it: scenes of process.c.</summary>
[Needs(Programs = ["cc"], Toolchain = true)]
public sealed class ProcessTests(ITestOutputHelper output) : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();
    private string? _program;

    private string Program => _program ??= _workshop.Build(
        [Path.Combine(LibraryWorkshop.Sources, "process.c")], "cc", "-std=c11", "-D_GNU_SOURCE", "-Wall",
        "-Wextra", "-Wconversion", "-Werror");

    private string Store => _workshop.PathOf("store");

    [MachineFact]
    public void It_continues_from_another_folder_with_an_empty_environment()
    {
        Assert.Equal("from 0 to 1, count 1\n", Shell($"exec env -i {Program} use {Store}").Good());
        Assert.Equal("from 1 to 2, count 2\n", Shell($"cd / && exec env -i {Program} use {Store}").Good());
    }

    [MachineFact]
    public void Only_handlers_that_the_runtime_needs_are_installed() => Assert.Equal(
        "before\nopened 8 11 34\nclosed 8 11 34\n",
        Shell($"exec env --default-signal {Program} dispositions {Store}").Good());

    [MachineFact]
    public void What_was_ignored_stays_so() => Assert.Equal(
        "before 13-ignored\nopened 8 11 13-ignored 34\nclosed 8 11 13-ignored 34\n",
        Shell($"exec env --default-signal --ignore-signal=PIPE {Program} dispositions {Store}").Good());

    [MachineFact]
    public void A_pipe_that_nobody_reads_ends_the_program() => Assert.Equal(
        "line 0\n141\n",
        Run(
            "bash", "-c",
            $"env --default-signal=PIPE {Program} print {Store} | head -n 1; echo ${{PIPESTATUS[0]}}")
            .Good());

    [MachineFact]
    public void Memory_that_devices_write_is_in_the_images_and_a_range_outlives_its_session() => Assert.Equal(
        "as written 1\nas written 1\nas written 1\nINVALID_ARGUMENT\nMISUSE\n",
        Run("devices").Good());

    [MachineTheory]
    [InlineData("segv-before")]
    [InlineData("segv-after")]
    public void A_fault_of_the_program_reaches_its_handler(string scene) =>
        Assert.Equal("handled 11, generation 2\n", Run(scene).Good());

    [MachineFact]
    public void A_fault_without_a_handler_ends_the_program_as_always() =>
        Assert.Equal(139, Run("segv").ExitCode);

    [MachineFact]
    public void Who_takes_the_signal_of_the_runtime_is_told()
    {
        string told = Run("runtime-signal").Good();
        Assert.StartsWith(
            "MISUSE: Signal 34 (SIGRTMIN) belongs to libsnapshot", told, StringComparison.Ordinal);
        Assert.Contains(Program, told, StringComparison.Ordinal);
    }

    [MachineFact]
    public void A_checkpoint_is_due_by_limit_and_by_signal_once() => Assert.Equal(
        """
        limit: 4, last signal 0
        limit again: 0, last signal 0
        signal: 2, last signal 10
        signal again: 0, last signal 10
        own handler saw 10
        term: 2, last signal 15

        """,
        Run("due").Good());

    [MachineFact]
    public void Arrays_are_made_in_the_window_of_the_session_if_there_is_such_a_one()
    {
        string told = Run("windowed").Good();
        Assert.StartsWith("INVALID_ARGUMENT: Index must be from 0 to 847.", told, StringComparison.Ordinal);
        Assert.EndsWith("in window 1\n", told, StringComparison.Ordinal);
    }

    [MachineFact]
    public void A_forked_child_is_told_so_and_leaves_the_store_alone() => Assert.Equal(
        """
        array (nil) FORKED
        checkpoint FORKED
        poll 0, slow FORKED
        open FORKED
        close 0
        child 0
        generation 2

        """,
        Run("fork-child").Good());

    [MachineFact]
    public void A_forked_child_does_not_keep_the_store_when_its_parent_was_killed()
    {
        using Process parent = Process.Start(
            new ProcessStartInfo(Program, ["fork-hold", Store]) { RedirectStandardOutput = true })!;
        Assert.Equal("held", parent.StandardOutput.ReadLine());
        int child = int.Parse(File.ReadAllText($"/proc/{parent.Id}/task/{parent.Id}/children").Trim());
        try
        {
            parent.Kill();
            parent.WaitForExit();
            Assert.Equal("from 1 to 2, count 2\n", Run("use").Good());
            Assert.True(Directory.Exists($"/proc/{child}"), "the child has ended, and showed nothing");
        }
        finally
        {
            using Process left = Process.GetProcessById(child);
            left.Kill();
        }
    }

    [MachineFact]
    [Needs(Capability.PagesOnDemand)]
    public void A_child_forked_during_a_lazy_restart_has_all_memory()
    {
        Assert.Equal("", Run("fork-lazy").Good());
        for (int i = 0; i < 5; i++) Assert.Equal("wrong 0\n", Run("fork-lazy").Good());
    }

    [MachineFact]
    public void Closing_the_library_leaves_it_where_its_handlers_are()
    {
        string loader = _workshop.PathOf("loader");
        Repository.Run(
            _workshop.PathOf(""), "cc", "-D_GNU_SOURCE", $"-I{LibraryWorkshop.Headers}", "-o", loader,
            Path.Combine(LibraryWorkshop.Sources, "loader.c"), "-ldl").Good();
        string library = Path.Combine(_workshop.Libraries, "libsnapshot.so.0");
        Assert.Equal(
            "open 0 close 0\nopen 0 close 0\n", Run(loader, library, Store).Good());
    }

    [MachineFact]
    public void Garbage_is_collected_while_threads_are_in_all_exports()
    {
        ProcessStartInfo start = new(Program, ["collected", Store]);
        start.Environment["DOTNET_GCgen0size"] = "10000"; // hexadecimal: a collection for each 64 KiB
        Assert.Equal("generation 20\n", Repository.Run(start).Good());
    }

    [MachineFact]
    public void A_thread_that_ended_without_detaching_is_noticed() =>
        Assert.Equal("generation 1\nattach 0\n", Run("ended-thread").Good());

    [MachineFact]
    public void An_error_that_nobody_waits_for_is_told_by_the_next_call()
    {
        string[] told = Run("late-error").Good().Split('\n');
        Assert.Equal("first 0", told[0]);
        Assert.Equal(
            "second STORE_IO, \"This checkpoint was taken; an earlier one failed after its capture\"", told[1]);

        // The second may have been written in time, or have failed as the first did.
        Assert.Contains(told[2], (string[])["closed ?", "closed STORE_IO"]);
    }

    [MachineTheory]
    [InlineData(8_000_000)]
    [InlineData(4_000_000)]
    public void Defaults_fit_into_the_address_space_that_the_process_may_have(int kilobytes) => Assert.Equal(
        "from 0 to 1, count 1\n", Shell($"ulimit -v {kilobytes}; exec {Program} use {Store}").Good());

    /// <remarks>Figures are told, not judged: the machine may be busy. The memory is not a matter of
    /// time.</remarks>
    [MachineFact]
    public void It_costs_little()
    {
        string costs = Run("costs").Good();
        output.WriteLine(costs);
        string memory = costs.Split('\n').Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        Assert.InRange(int.Parse(
            memory.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]), 1, 40 << 10);
    }

    public void Dispose() => _workshop.Dispose();

    private ProgramResult Run(string scene) => Run(Program, scene, Store);

    private ProgramResult Run(string program, params string[] arguments) =>
        Repository.Run(_workshop.PathOf(""), program, arguments);

    private ProgramResult Shell(string line) => Run("sh", "-c", line);
}
