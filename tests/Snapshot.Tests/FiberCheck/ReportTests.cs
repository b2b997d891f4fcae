using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;
using Snapshot.FiberCheck;
using Xunit;

namespace Snapshot.Tests.FiberCheck;

/// <summary>What is printed, in which order, with which symbols, and what the program ends with.</summary>
public sealed class ReportTests
{
    private const string Bad =
        "static class C { static async FiberTask M() " +
        "{ /*!*/string s = Calls.Text(); await Fiber.Safepoint(); Calls.Use(s); } }";

    private const string Text =
        ": error SNAP1001: fiber method 'C.M' keeps a managed reference across an await: local 's' of type " +
        "string. Keep an unmanaged value (ArenaPointer<T>, ArenaArray<T>, a struct, an index) instead, or " +
        "end its use before the await.";

    [Fact]
    public void Without_optimization_there_is_one_error_for_the_assembly()
    {
        using FiberSource compiled = new(
            "static class C { static async FiberTask A() { await Fiber.Safepoint(); } " +
            "static async FiberTask B() { await Fiber.Safepoint(); } " +
            "static async FiberTask D() { await Fiber.Safepoint(); } }",
            OptimizationLevel.Debug);
        string error = Assert.Single(compiled.Check());
        Assert.StartsWith(FiberSource.FileName + "(", error, StringComparison.Ordinal);
        Assert.EndsWith(
            ": error SNAP1002: fiber method 'Calls.Number', fiber method 'C.A', fiber method 'C.B' and 1 " +
            "more: compiled without optimization, so that frames are managed objects, which cannot live in " +
            "an arena. Set <Optimize>true</Optimize> for this configuration; debugging works with it.",
            error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_librarys_own_fiber_methods_pass()
    {
        CheckOptions options = new(
            typeof(SnapshotSession).Assembly.Location, [.. FiberSource.References], []);
        using ReferenceSet references = new(options.References);
        using MetadataAssembly library = MetadataAssembly.Open(options.Assembly, references);
        Assert.NotEmpty(StateMachine.In(library));
        Assert.Empty(FiberChecker.Check(options));
    }

    [Fact]
    public void Errors_come_in_the_order_of_the_source()
    {
        using FiberSource compiled = new(
            """
            static class C
            {
                static async FiberTask B()
                {
                    /*!*/string s = Calls.Text();
                    /*!*/object o = new();
                    await Fiber.Safepoint();
                    Calls.Use((o, s));
                }
                static async FiberTask A(int[] a)
                {
                    /*!*/a[0] = 1;
                    await Fiber.Safepoint();
                }
            }
            """);
        Assert.Equal(
            [compiled.Marked(0), compiled.Marked(1), compiled.Marked(2)],
            compiled.Check().Select(error => error[..error.IndexOf(": error", StringComparison.Ordinal)]));
    }

    [Fact]
    public void Symbols_may_be_in_the_assembly()
    {
        using FiberSource compiled = new(Bad, symbols: DebugInformationFormat.Embedded);
        Assert.False(File.Exists(compiled.Symbols));
        Assert.Equal([compiled.Marked() + Text], compiled.Check());
    }

    [Fact]
    public void Without_symbols_the_error_is_the_assemblys()
    {
        using FiberSource compiled = new(Bad);
        File.Delete(compiled.Symbols);
        Assert.Equal([compiled.Assembly + " " + Text], compiled.Check());
    }

    [Fact]
    public void A_source_that_the_compiler_renamed_is_named_as_it_is_on_disk()
    {
        using FiberSource compiled = new(Bad);
        string real = compiled.Marked().Replace("/source/", "/home/me/", StringComparison.Ordinal);
        Assert.Equal([real + Text], compiled.Check(("/elsewhere/", "/other/"), ("/home/me/", "/source/")));
    }

    [Fact]
    public void The_program_takes_a_file_of_arguments_and_says_by_its_exit_code_what_it_found()
    {
        using FiberSource bad = new(Bad);
        string[] arguments =
            [.. FiberSource.References.Select(path => "-r:" + path), "-pathmap:/home/me/=/source/,/b/=/c/"];
        string file = Path.Combine(Path.GetDirectoryName(bad.Assembly)!, "arguments.rsp");
        File.WriteAllLines(file, arguments);
        string real = bad.Marked().Replace("/source/", "/home/me/", StringComparison.Ordinal);
        Assert.Equal((ExitCode.Refused, real + Text + "\n"), Run(bad.Assembly, "@" + file));

        using FiberSource good = new("");
        Assert.Equal((ExitCode.Clean, ""), Run(good.Assembly, "@" + file));
    }

    [Fact]
    public void What_cannot_be_read_is_one_line_and_another_exit_code()
    {
        using FiberSource compiled = new(Bad);
        AssertUnreadable("Could not find file", compiled.Assembly + ".not");
        AssertUnreadable("not a .NET assembly", compiled.Symbols);
        AssertUnreadable("unknown option '-x'", compiled.Assembly, "-x");
        AssertUnreadable("usage:");
    }

    [Fact]
    public void A_struct_that_is_in_no_reference_is_not_guessed_at()
    {
        using FiberSource compiled = new(
            "class C { static async FiberTask M() { Guid g = default; await Fiber.Safepoint(); " +
            "Calls.Use(g); } }");
        string library = typeof(SnapshotSession).Assembly.Location;
        AssertUnreadable(
            "type Guid is in none of the referenced assemblies", compiled.Assembly, "-r:" + library);
    }

    private static void AssertUnreadable(string reason, params string[] arguments)
    {
        (int exitCode, string output) = Run(arguments);
        Assert.Equal(ExitCode.Unreadable, exitCode);
        Assert.StartsWith("Snapshot.FiberCheck : error SNAP1000: ", output, StringComparison.Ordinal);
        Assert.Contains(reason, output, StringComparison.Ordinal);
        Assert.Equal(output.Length - 1, output.IndexOf('\n', StringComparison.Ordinal));
    }

    private static (int ExitCode, string Output) Run(params string[] arguments)
    {
        using StringWriter output = new();
        return (CheckCommand.Run(arguments, output), output.ToString());
    }
}
