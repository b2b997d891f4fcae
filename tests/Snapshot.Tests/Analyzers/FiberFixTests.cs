using Microsoft.CodeAnalysis.CodeFixes;
using Snapshot.CodeFixes;
using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>Each fix changes the source to what is written here, and that compiles.</summary>
public sealed class FiberFixTests
{
    [Theory]
    [InlineData(
        "static async FiberTask Run<T>(T value)\n{\n    await Nothing();\n    Use(value);\n}",
        "static async FiberTask Run<T>(T value) where T : unmanaged\n{\n    await Nothing();\n    " +
        "Use(value);\n}")]
    [InlineData(
        "static async FiberTask Run<T>(T value) where T : struct, IComparable\n{\n    Use(value);\n}",
        "static async FiberTask Run<T>(T value) where T : unmanaged, IComparable\n{\n    Use(value);\n}")]
    [InlineData(
        "static async FiberTask Run<T>(T value) where T : notnull, new() => Use(value);",
        "static async FiberTask Run<T>(T value) where T : unmanaged => Use(value);")]
    [InlineData(
        "class Inner<T> : Box\n{\n    static async FiberTask Run(T value) => Use(value);\n}",
        "class Inner<T> : Box where T : unmanaged\n{\n    static async FiberTask Run(T value) => " +
        "Use(value);\n}")]
    [InlineData("static async FiberTask Run<T>(T value) where T : class => Use(value);", null)]
    [InlineData("static async FiberTask Run(string value) => Use(value);", null)]
    public Task A_type_parameter_is_constrained(string before, string? after) =>
        Check(new UnmanagedConstraintFix(), before, after);

    [Theory]
    [InlineData(
        "public async FiberTask Run() => await Nothing();\nFiberTaskless Start() => new(this);\n"
            + "class FiberTaskless(Program program) { internal Program Program => program; }",
        "public static async FiberTask Run() => await Nothing();\nFiberTaskless Start() => new(this);\n"
            + "class FiberTaskless(Program program) { internal Program Program => program; }")]
    [InlineData(
        "/// <summary>Runs.</summary>\nasync FiberTask Run() => await Nothing();\n"
            + "static async FiberTask Other() { }\nasync FiberTask Third() => await this.Run();",
        "/// <summary>Runs.</summary>\nstatic async FiberTask Run() => await Nothing();\n"
            + "static async FiberTask Other() { }\nasync FiberTask Third() => await Run();")]
    [InlineData(
        "static void Go() => Fiber.Start(1, async count => await Nothing());",
        "static void Go() => Fiber.Start(1, static async count => await Nothing());")]
    [InlineData(
        "static void Go()\n{\n    Fiber.Start(1, Run);\n    async FiberTask Run(int count) => await " +
        "Nothing();\n}",
        "static void Go()\n{\n    Fiber.Start(1, Run);\n    static async FiberTask Run(int count) => await "
            + "Nothing();\n}")]
    [InlineData("static void Go(int n) => Fiber.Start(1, async count => Use(n));", null)]
    [InlineData(
        "async FiberTask Run() => await Nothing();\nstatic async FiberTask Other() => await new " +
        "Program().Run();",
        null)]
    public Task What_captures_nothing_is_made_static(string before, string? after) =>
        Check(new StaticModifierFix(), before, after);

    [Theory]
    [InlineData(
        """
            static async FiberTask Run(ArenaArray<long> cells)
            {
                long sum = 0;
                // adds them up
                foreach (long cell in cells.AsSpan())
                {
                    sum += cell;
                    await Fiber.Safepoint();
                }
            }
        """,
        """
            static async FiberTask Run(ArenaArray<long> cells)
            {
                long sum = 0;
                // adds them up
                for (long i = 0; i < cells.Length; i++)
                {
                    long cell = cells[i];
                    sum += cell;
                    await Fiber.Safepoint();
                }
            }
        """)]
    [InlineData(
        """
            static readonly int[] s_table = [1, 2];
            static async FiberTask Run(int i)
            {
                foreach (var entry in s_table)
                    Use(entry + i + await Number());
            }
        """,
        """
            static readonly int[] s_table = [1, 2];
            static async FiberTask Run(int i)
            {
                for (int j = 0; j < s_table.Length; j++)
                {
                    var entry = s_table[j];
                    Use(entry + i + await Number());
                }
            }
        """)]
    [InlineData(
        "static int[] s_table = []; static async FiberTask Run() { foreach (int a in s_table) await " +
        "Nothing(); }",
        null)]
    [InlineData("static async FiberTask Run() { foreach (int a in new List<int>()) await Nothing(); }", null)]
    [InlineData(
        "static async FiberTask Run(ArenaArray<int> a) { foreach (int b in a.AsSpan()) { await Nothing(); " +
        "a = "
            + "default; } }",
        null)]
    public Task A_loop_goes_over_an_index(string before, string? after) =>
        Check(new IndexedLoopFix(), before, after);

    [Theory]
    [InlineData(
        """
            static async FiberTask Run()
            {
                try
                {
                    await Number();
                }
                catch (IOException error)
                {
                    Use(error.Message);
                    await Nothing();
                }

                await Nothing();
            }
        """,
        """
            static async FiberTask Run()
            {
                bool caught = false;
                try
                {
                    await Number();
                }
                catch (IOException error)
                {
                    Use(error.Message);
                    caught = true;
                }
                if (caught)
                {
                    await Nothing();
                }

                await Nothing();
            }
        """)]
    [InlineData(
        "static async FiberTask Run() { try { await Number(); } catch (Exception e) { await Nothing(); " +
        "Use(e); } }",
        null)]
    [InlineData(
        "static async FiberTask Run() { try { await Number(); } catch (Exception) { await Nothing(); " +
        "throw; } }", null)]
    [InlineData(
        "static async FiberTask Run() { try { await Number(); } catch (Exception e) { Use(e); await " +
        "Nothing(); } "
            + "finally { Use(1); } }",
        null)]
    [InlineData(
        "static async FiberTask Run() { long a; try { a = await Number(); } "
            + "catch (Exception e) { Use(e); a = await Number(); } Use(a); }",
        null)]
    [InlineData(
        "static async FiberTask Run() { try { await Number(); } "
            + "catch (Exception e) { long a = e.Message.Length; await Nothing(); Use(a); } }",
        null)]
    [InlineData("static async FiberTask Run() { try { Use(1); } finally { await Nothing(); } }", null)]
    public Task An_await_moves_behind_the_catch_clause(string before, string? after) =>
        Check(new AwaitAfterCatchFix(), before, after);

    [Theory]
    [InlineData(
        "static async FiberTask Run() { Nothing(); await Nothing(); }",
        "static async FiberTask Run() { await Nothing(); await Nothing(); }")]
    [InlineData(
        "static async FiberTask Run() { Fiber.Safepoint(); }",
        "static async FiberTask Run() { await Fiber.Safepoint(); }")]
    [InlineData(
        "static async FiberTask Run() { _ = Number(); }",
        "static async FiberTask Run() { await Number(); }")]
    [InlineData(
        "static async FiberTask Run() { Use(Number()); }",
        "static async FiberTask Run() { Use(await Number()); }")]
    [InlineData(
        "static async FiberTask Run() { Use(Number().ToString()); }",
        "static async FiberTask Run() { Use((await Number()).ToString()); }")]
    [InlineData(
        "static async FiberTask Run()\n{\n    FiberTask<long> one = Number();\n    Use(1 + await one);\n}",
        "static async FiberTask Run()\n{\n    long one = await Number();\n    Use(1 + one);\n}")]
    [InlineData(
        "static async FiberTask Run()\n{\n    var one = Number();\n    Use(await one);\n}",
        "static async FiberTask Run()\n{\n    var one = await Number();\n    Use(one);\n}")]
    [InlineData(
        "static async FiberTask Run()\n{\n    FiberTask one = Nothing();\n    Use(1);\n    await one;\n}",
        "static async FiberTask Run()\n{\n    await Nothing();\n    Use(1);\n}")]
    [InlineData("static async FiberTask Run() { var one = Nothing(); Use(one); await one; }", null)]
    [InlineData("static void Run() { Nothing(); }", null)]
    public Task A_call_is_awaited(string before, string? after) => Check(new AwaitCallFix(), before, after);

    [Theory]
    [InlineData(
        "static FiberTask<long> Run() => Number();",
        "static async FiberTask<long> Run() => await Number();")]
    [InlineData(
        """
            static FiberTask Run(bool twice)
            {
                if (!twice) return Nothing();
                if (DateTime.Now.Year == 1) return default;
                return twice ? Nothing() : Fiber.Delay(TimeSpan.Zero);
            }
        """,
        """
            static async FiberTask Run(bool twice)
            {
                if (!twice)
                {
                    await Nothing();
                    return;
                }
                if (DateTime.Now.Year == 1) return;
                await (twice ? Nothing() : Fiber.Delay(TimeSpan.Zero));
            }
        """)]
    [InlineData("static FiberTask<long> Run(ref int count) { count++; return Number(); }", null)]
    [InlineData("static unsafe FiberTask<long> Run(int* count) => Number();", null)]
    public Task A_method_that_returns_a_task_becomes_async(string before, string? after) =>
        Check(new AsyncForwarderFix(), before, after);

    /// <summary>How lines are indented, and empty ones, are left to the formatter.</summary>
    private static async Task Check(CodeFixProvider fix, string before, string? after) =>
        Assert.Equal(Lines(after), Lines(await FixRun.Apply(fix, before)));

    private static string[]? Lines(string? text) =>
        text?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
