using Microsoft.CodeAnalysis;
using Snapshot.Analyzers;
using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>The rules that say what no state machine shows.</summary>
public sealed class FiberRuleTests
{
    private const string Wholes =
        "struct Part { public long Y; } struct Whole { public long X; public Part In; } ";

    [Theory]
    [InlineData("static async FiberTask M() { Nothing(); await Nothing(); }", "Nothing", "discarded")]
    [InlineData("static async FiberTask M() { _ = Number(); await Nothing(); }", "Number", "discarded")]
    [InlineData("static void M() { Action a = () => Nothing(); a(); }", "Nothing", "discarded")]
    [InlineData(
        "static async FiberTask M() { Fiber.Safepoint(); await Nothing(); }", "Fiber.Safepoint", "discarded")]
    [InlineData(
        "static async FiberTask M() { var t = Number(); await Nothing(); Use(await t); }", "Number",
        "stored")]
    [InlineData("static void M() { FiberTask[] all = [Nothing()]; Use(all); }", "Nothing", "stored")]
    [InlineData("static FiberTask s_kept = Nothing();", "Nothing", "stored")]
    [InlineData("static void M() { Use(Nothing()); }", "Nothing", "passed on")]
    [InlineData("static void M() { Use(Number().GetAwaiter().GetResult()); }", "Number", "used")]
    public async Task SNAP1106_says_what_happens_to_a_task_that_is_not_awaited(
        string members, string name, string happening)
    {
        Assert.Equal(
            [
                $"SNAP1106 [{name}()] The call of '{name.Split('.')[^1]}' is {happening} instead of awaited: "
                    + "the frames of fibers nest as calls do",
            ],
            await Analysis.Of(members));
    }

    [Theory]
    [InlineData("static FiberTask M() => Nothing();")]
    [InlineData("static FiberTask M(bool b) { return b ? Nothing() : default; }")]
    [InlineData("static FiberTask P => Nothing();")]
    public async Task SNAP1106_only_mentions_a_method_that_forwards_a_call(string members)
    {
        Assert.Empty(await Analysis.Of(members));
        Assert.Equal(
            [
                "SNAP1106 [Nothing()] The call of 'Nothing' is returned instead of awaited: "
                    + "the frames of fibers nest as calls do",
            ],
            await Analysis.Of(members, andHints: true));
    }

    [Fact]
    public async Task SNAP1106_is_not_for_the_library_itself() => Assert.Empty(
        await Analysis.In(Analysis.Compile(
        """
        namespace Snapshot;
        struct FiberTask { }
        class Scheduler
        {
            static FiberTask Begin() => default;
            static FiberTask Run() { FiberTask task = Begin(); return task; }
        }
        """)));

    [Theory]
    [InlineData(
        "static async FiberTask M(ArenaPointer<Whole> p) { p.Value.X = await Number(); }", "p.Value.X")]
    [InlineData(
        "static async FiberTask M(ArenaPointer<Whole> p) => p.Value.In.Y = await Number();", "p.Value.In.Y")]
    [InlineData("static async FiberTask M(ArenaArray<Whole> a) { a[1].X = 1 + await Number(); }", "a[1].X")]
    public async Task SNAP1111_says_that_a_reference_is_lost_across_the_await_of_what_is_assigned(
        string method, string target)
    {
        Assert.Equal(
            [
                $"SNAP1111 [{target}] '{target}' is reached through a reference that is lost across the " +
                "await; the C# "
                    +
                    "compiler does not say so, and the assignment throws NullReferenceException: await " +
                    "into a local "
                    + "first",
            ],
            await Analysis.Of(Wholes + method));
    }

    [Theory]
    [InlineData(
        "static async FiberTask M(ArenaPointer<Whole> p) { long x = await Number(); p.Value.X = x; }")]
    [InlineData("static async FiberTask M(Whole w) { w.In.Y = await Number(); Use(w); }")]
    [InlineData("static async FiberTask M(ArenaPointer<Whole> p) { p.Value.X = 1; await Nothing(); }")]
    public async Task SNAP1111_is_silent_where_nothing_is_lost(string method) =>
        Assert.Empty(await Analysis.Of(Wholes + method));

    [Theory]
    [InlineData(
        "Buffered b = default; unsafe { b.Cells[0] = 3; } await Nothing(); unsafe { Use(b.Cells[0]); }")]
    [InlineData("Buffered b = default; while (true) { await Nothing(); unsafe { b.Cells[0]++; } }")]
    [InlineData("Buffered b = Make(); await Nothing(); unsafe { Use(b.Cells[0]); }")]
    public async Task SNAP1107_names_a_fixed_buffer_that_an_await_clears(string statements)
    {
        Assert.Equal(
            [
                "SNAP1107 [b.Cells] Local 'b' of type 'Buffered' has a fixed buffer that is used before " +
                "and after an "
                    + "await; "
                    +
                    "the C# compiler forgets its content there without a word: use a struct with " +
                    "[InlineArray]",
            ],
            await Analysis.Of(
                $"static Buffered Make() => default; static async FiberTask M() {{ {statements} }}"));
    }

    [Theory]
    [InlineData("Buffered b = default; unsafe { b.Cells[0] = 3; Use(b.Cells[0]); } await Nothing();")]
    [InlineData("Buffered b = default; await Nothing(); unsafe { b.Cells[0] = 3; Use(b.Cells[0]); }")]
    [InlineData(
        "Buffered b = default; unsafe { b.Cells[0] = 3; } await Nothing(); unsafe { Use(b.Cells[0]); } " +
        "Use(b.Count);")]
    public async Task A_fixed_buffer_that_is_kept_or_not_needed_is_silent(string statements) =>
        Assert.Empty(await Analysis.Of($"static async FiberTask M() {{ {statements} }}"));

    [Theory]
    [InlineData("long x = Environment.CurrentManagedThreadId;", "Environment.CurrentManagedThreadId")]
    [InlineData("int x = Thread.CurrentThread.ManagedThreadId;", "Thread.ManagedThreadId")]
    [InlineData("long x = Environment.ProcessId;", "Environment.ProcessId")]
    [InlineData("long x = Stopwatch.GetTimestamp();", "Stopwatch.GetTimestamp")]
    [InlineData("long x; x = Environment.TickCount64 + 1000;", "Environment.TickCount64")]
    [InlineData("nint x = File.OpenHandle(\"a\").DangerousGetHandle();", "SafeHandle.DangerousGetHandle")]
    [InlineData("GCHandle x = GCHandle.Alloc(new Box());", "GCHandle.Alloc")]
    public async Task SNAP1108_names_the_source_of_a_value_that_dies_with_the_process(
        string assigned, string source) =>
        Assert.Equal(
            [$"SNAP1108 [x] 'x' comes from '{source}', is used after an await, and means nothing in " +
                "another process"],
            await Analysis.Of($"static async FiberTask M() {{ {assigned} await Nothing(); Use(x); }}"));

    [Theory]
    [InlineData("long x = Stopwatch.GetTimestamp(); Use(x); await Nothing();")]
    [InlineData("long x = 5; x = Stopwatch.GetTimestamp() - x; await Nothing(); Use(x);")]
    [InlineData("DateTime x = DateTime.UtcNow; await Nothing(); Use(x);")]
    public async Task A_duration_a_date_and_what_is_not_kept_are_silent(string statements) =>
        Assert.Empty(await Analysis.Of($"static async FiberTask M() {{ {statements} }}"));

    [Theory]
    [InlineData(
        "static async FiberTask M() { Fire(); } static async void Fire() => await Task.Yield();",
        "Fire()",
        "'Fire' is async void")]
    [InlineData(
        "static async FiberTask M() { Action a = async () => await Task.Yield(); a(); }",
        "async",
        "The lambda is async void")]
    [InlineData(
        "static async FiberTask M() { Task.Run(() => { }); }",
        "Task.Run(() => { })",
        "'Task.Run' queues to the thread pool")]
    [InlineData(
        "static async FiberTask M() { Log(); } static void Log() => Task.Run(() => { });",
        "Log()",
        "'Log' calls 'Task.Run'")]
    public async Task SNAP1109_says_what_a_fiber_starts_beside_itself(
        string members, string place, string what)
    {
        Assert.Equal(
            [
                $"SNAP1109 [{place}] {what}: "
                    + "this work is in no checkpoint, is not waited for, and is gone after a restart",
            ],
            await Analysis.Of(members, andHints: true));
    }

    [Theory]
    [InlineData("while (n > 0) n--;", "while")]
    [InlineData("for (int i = 0; i < n; i++) Use(i);", "for")]
    [InlineData("do { n--; } while (n > 0);", "do")]
    public async Task SNAP1110_points_at_a_loop_that_keeps_a_checkpoint_waiting(string loop, string keyword)
    {
        Assert.Equal(
            [
                $"SNAP1110 [{keyword}] This {keyword} loop in 'M' has no await and no bound that can be " +
                "seen: "
                    + "a checkpoint waits until it ends",
            ],
            await Analysis.Of(
                $"static async FiberTask M(long n) {{ {loop} await Nothing(); Use(n); }}", andHints: true));
    }

    [Theory]
    [InlineData("for (int i = 0; i < 8; i++) Use(i);")]
    [InlineData("foreach (int i in new[] { 1, 2 }) Use(i);")]
    [InlineData("while (n > 0) { n--; await Fiber.Safepoint(); }")]
    public async Task A_loop_that_ends_soon_or_awaits_is_silent(string loop) =>
        Assert.Empty(
            await Analysis.Of($"static async FiberTask M(long n) {{ {loop} Use(n); }}", andHints: true));

    [Theory]
    [InlineData(
        "async FiberTask M() => await Nothing();",
        "M",
        "Fiber method 'M' does not use its instance and can be static")]
    [InlineData(
        "static void M() => Fiber.Start(1, async n => await Nothing());",
        "async",
        "The lambda captures nothing and can be static")]
    public async Task What_captures_nothing_is_told_that_it_can_be_static(
        string members, string place, string message)
    {
        Assert.Equal([$"SNAP1102 [{place}] {message}"], await Analysis.Of(members, andHints: true));
        Assert.Empty(await Analysis.Of(members));
    }

    [Fact]
    public void Every_rule_has_its_number_once_and_explains_itself()
    {
        DiagnosticDescriptor[] rules = [.. new FiberAnalyzer().SupportedDiagnostics.OrderBy(rule => rule.Id)];
        Assert.Equal(
            Enumerable.Range(1101, 11).Select(number => $"SNAP{number}"), rules.Select(rule => rule.Id));
        Assert.All(rules, rule => Assert.Equal("Snapshot.Fibers", rule.Category));
        Assert.All(rules, rule => Assert.NotEmpty(rule.Description.ToString(null)));
        Assert.Equal(["SNAP1110"], rules.Where(rule => !rule.IsEnabledByDefault).Select(rule => rule.Id));
    }
}
