using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// What a frame in an arena cannot hold is refused at the first call, in words of the source; what the
/// compiler itself refuses, it refuses where the culprit is.
/// </summary>
public sealed class RefusedConstructTests
{
    private const string Before = """
        static class Calls
        {
            public static async FiberTask<int> Number() { await Fiber.Safepoint(); return 1; }
            public static void Use<T>(T value) { }
            public static string Text() => "";
        }
        class Box { public int F; public Box Self => this; }
        struct Parting { public async FiberTask DisposeAsync() { await Fiber.Safepoint(); } }

        """;

    private const string Temporary =
        "a temporary of the compiler (the enumerator of a foreach, the object of a using, the exception " +
        "kept for an await in a catch or finally, or part of an expression)";

    [Theory]
    [InlineData("a parameter that is not used after the await",
        "class C { static async FiberTask M(string text) { Calls.Use(text); await Fiber.Safepoint(); } }",
        "fiber method C.M", "parameter 'text' (String)")]
    [InlineData("a parameter that is a struct with a reference",
        "class C { static async FiberTask M(CancellationToken stop) { Calls.Use(stop); await " +
        "Fiber.Safepoint(); } }",
        "fiber method C.M", "parameter 'stop' (CancellationToken), whose field '_source' is a reference")]
    [InlineData("this of a class",
        "class C { int _n; async FiberTask M() { await Fiber.Safepoint(); _n++; } }",
        "fiber method C.M", "'this' (C)")]
    [InlineData("a local",
        "class C { static async FiberTask M() { string s = Calls.Text(); await Fiber.Safepoint(); " +
        "Calls.Use(s); } }",
        "fiber method C.M", "local 's' (String)")]
    [InlineData("two locals",
        "class C { static async FiberTask M() { int[] a = [1]; List<long> b = []; await Fiber.Safepoint(); " +
        "Calls.Use(a); Calls.Use(b); } }",
        "fiber method C.M", "local 'a' (Int32[])", "local 'b' (List<Int64>)")]
    [InlineData("a local with a reference deep inside",
        "struct Inner { public long N; public object O; } struct Outer { public int N; public Inner " +
        "Inside; }\nclass C { static async FiberTask M() { Outer o = default; await Fiber.Safepoint(); " +
        "Calls.Use(o); } }",
        "fiber method C.M", "local 'o' (Outer), whose field 'Inside', in it 'O', is a reference")]
    [InlineData("a tuple with a reference",
        "class C { static async FiberTask M() { var p = (1, Calls.Text()); await Fiber.Safepoint(); " +
        "Calls.Use(p); } }",
        "fiber method C.M", "local 'p' (ValueTuple<Int32, String>), whose field 'Item2' is a reference")]
    [InlineData("a delegate",
        "class C { static async FiberTask M() { Func<int> f = static () => 1; await Fiber.Safepoint(); " +
        "f(); } }",
        "fiber method C.M", "local 'f' (Func<Int32>)")]
    [InlineData("dynamic",
        "class C { static async FiberTask M() { dynamic d = 1; await Fiber.Safepoint(); " +
        "Calls.Use<object>(d); } }",
        "fiber method C.M", "local 'd' (Object)")]
    [InlineData("a captured variable of a lambda in the method",
        "class C { static async FiberTask M() { int n = 1; Action a = () => n++; a(); await " +
        "Fiber.Safepoint(); Calls.Use(n); } }",
        "fiber method C.M", "captured variables: 'n' (Int32)")]
    [InlineData("what an async lambda captures",
        "class C { static void M() { int n = 1; long k = 2; Func<FiberTask> f = async () => " +
        "{ await Fiber.Safepoint(); Calls.Use(n + k); }; f(); } }",
        "fiber lambda in C.M", "captured variables: 'n' (Int32), 'k' (Int64)")]
    [InlineData("what an async local function captures",
        "class C { static void M() { int n = 1; Func<FiberTask> f = Inner; f(); " +
        "async FiberTask Inner() { await Fiber.Safepoint(); Calls.Use(n); } } }",
        "fiber local function Inner in C.M", "captured variables: 'n' (Int32)")]
    [InlineData("foreach over an array",
        "class C { static async FiberTask M() { foreach (int i in new int[2]) await Fiber.Safepoint(); } }",
        "fiber method C.M", Temporary + " (Int32[])")]
    [InlineData("foreach over a list",
        "class C { static async FiberTask M() { foreach (long i in new List<long> { 1 }) await " +
        "Fiber.Safepoint(); } }",
        "fiber method C.M", Temporary + " (Enumerator<Int64>), whose field '_list' is a reference")]
    [InlineData("foreach over a string",
        "class C { static async FiberTask M() { foreach (char c in \"ab\") await Fiber.Safepoint(); } }",
        "fiber method C.M", Temporary + " (String)")]
    [InlineData("an assignment to a field of an object",
        "class C { static async FiberTask M() { new Box().Self.F += await Calls.Number(); } }",
        "fiber method C.M", Temporary + " (Box)")]
    [InlineData("an operand before the await",
        "class C { static void F(string s, int n) { } static async FiberTask M() " +
        "{ F(1.ToString(), await Calls.Number()); } }",
        "fiber method C.M", Temporary + " (String)")]
    [InlineData("using of an object",
        "class C { static async FiberTask M() { using (new MemoryStream()) await Fiber.Safepoint(); } }",
        "fiber method C.M", Temporary + " (MemoryStream)")]
    [InlineData("a using declaration",
        "class C { static async FiberTask M() { using MemoryStream m = new(); await Fiber.Safepoint(); } }",
        "fiber method C.M", "local 'm' (MemoryStream)")]
    [InlineData("await using",
        "class C { static async FiberTask M() { await using (new Parting()) { } } }",
        "fiber method C.M", Temporary + " (Object)")]
    [InlineData("await in finally",
        "class C { static async FiberTask M() { try { } finally { await Fiber.Safepoint(); } } }",
        "fiber method C.M", Temporary + " (Object)")]
    [InlineData("await in a catch that uses the exception",
        "class C { static async FiberTask M() { try { Calls.Text(); } catch (IOException e) " +
        "{ await Fiber.Safepoint(); Calls.Use(e); } } }",
        "fiber method C.M", "(IOException)")]
    [InlineData("await in a catch that throws again",
        "class C { static async FiberTask M() { try { Calls.Text(); } catch (IOException) " +
        "{ await Fiber.Safepoint(); throw; } } }",
        "fiber method C.M", Temporary + " (Object)")]
    public void Each_refused_construct_is_named(
        string construct, string source, string subject, params string[] culprits)
    {
        Exception? thrown = new FiberSnippet(Before + source).Call("C", "M");
        string message = Assert.IsType<InvalidOperationException>(thrown).Message;
        Assert.StartsWith(
            $"SNAP1001: {subject} keeps managed references across an await, so its frame cannot live in an " +
            "arena:\n  - ",
            message, StringComparison.Ordinal);
        string[] listed = [.. message.Split('\n').Where(
            line => line.StartsWith("  - ", StringComparison.Ordinal))];
        Assert.True(
            culprits.All(culprit => listed.Any(line => line.EndsWith(culprit, StringComparison.Ordinal))),
            $"{construct}: {string.Join(" and ", culprits)} are not in\n{message}");
        Assert.Contains("\nUse unmanaged values (ArenaPointer<T>", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(string), "parameter 'value' (String)")]
    [InlineData(typeof(List<int>), "parameter 'value' (List<Int32>)")]
    [InlineData(typeof(long), null)]
    public void A_generic_method_is_refused_for_the_type_arguments_that_it_cannot_keep(
        Type argument, string? culprit)
    {
        FiberSnippet snippet = new(
            Before +
            "class C { static async FiberTask M<T>(T value) { await Fiber.Safepoint(); Calls.Use(value); } " +
            "}");
        string? message = snippet.Call("C", "M", argument)?.Message;
        if (culprit is null) Assert.Null(message);
        else Assert.Contains(culprit, message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_refusal_does_not_wait_for_a_call_that_suspends() =>
        Assert.IsType<InvalidOperationException>(
        new FiberSnippet(
            "class C { static async FiberTask M(object o) { if (o != null) await Fiber.Yield(); } }")
            .Call("C", "M"));

    [Theory]
    [InlineData("class C { static async FiberTask M(string unused) { await Fiber.Safepoint(); } }")]
    [InlineData("class C { async FiberTask M() { await Fiber.Safepoint(); } }")]
    [InlineData(
        "class C { static void M() { Func<FiberTask> f = async () => await Fiber.Safepoint(); f(); } }")]
    public void A_reference_that_is_never_used_is_not_kept(string source) =>
        Assert.Null(new FiberSnippet(source).Call("C", "M"));

    [Fact]
    public void A_method_compiled_without_optimization_is_refused()
    {
        FiberSnippet debug = new(
            "class C { static async FiberTask M() { await Fiber.Safepoint(); } }", optimizes: false);
        string message = Assert.IsType<InvalidOperationException>(debug.Call("C", "M")).Message;
        Assert.StartsWith(
            "SNAP1002: fiber method C.M was compiled without optimization", message,
            StringComparison.Ordinal);
        Assert.Contains("<Optimize>true</Optimize>", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CS8377", "TaskAwaiter", "await Task.Delay(1)",
        "class C { static async FiberTask M() { await Task.Delay(1); } }")]
    [InlineData("CS8377", "TaskAwaiter<int>", "await Task.FromResult(1)",
        "class C { static async FiberTask<int> M() { return await Task.FromResult(1); } }")]
    [InlineData("CS8377", "ValueTaskAwaiter", "await default(ValueTask)",
        "class C { static async FiberTask M() { await default(ValueTask); } }")]
    [InlineData("CS0315", "YieldAwaiter", "await Task.Yield()",
        "class C { static async FiberTask M() { await Task.Yield(); } }")]
    [InlineData("CS8377", "ValueTaskAwaiter<bool>", "await foreach (int i in all) { }",
        "class C { static async FiberTask M(IAsyncEnumerable<int> all) { await foreach (int i in all) { } " +
        "} }")]
    [InlineData("CS4007", "Span<int>", "span",
        "class C { static async FiberTask M() { Span<int> span = new int[1]; await Fiber.Safepoint(); " +
        "span[0]++; } }")]
    [InlineData("CS9217", "ref", "r",
        "class C { static async FiberTask M(ArenaPointer<int> p) { ref int r = ref p.Value; await " +
        "Fiber.Safepoint(); r++; } }")]
    [InlineData("CS1996", "lock", "await Fiber.Safepoint()",
        "class C { static async FiberTask M() { lock (typeof(C)) { await Fiber.Safepoint(); } } }")]
    [InlineData(
        "CS1988", "ref", "n", "class C { static async FiberTask M(ref int n) { await Fiber.Safepoint(); } }")]
    [InlineData(
        "CS1988", "ref", "n", "class C { static async FiberTask M(in int n) { await Fiber.Safepoint(); } }")]
    [InlineData("CS1988", "ref", "n",
        "class C { static async FiberTask M(out int n) { n = 1; await Fiber.Safepoint(); } }")]
    [InlineData("CS4005", "pointer", "p",
        "unsafe class C { static async FiberTask M(int* p) { } }")]
    [InlineData("CS4004", "unsafe", "await Fiber.Safepoint()",
        "class C { static async FiberTask M() { unsafe { await Fiber.Safepoint(); } } }")]
    [InlineData("CS4004", "unsafe", "await Fiber.Safepoint()",
        "class C { static async FiberTask M() { unsafe { fixed (char* c = \"a\") { await " +
        "Fiber.Safepoint(); } } } }")]
    [InlineData("CS8178", "ArenaPointer<int>.Value", "p.Value",
        "class C { static async FiberTask M(ArenaPointer<int> p) { p.Value += await Calls.Number(); } }")]
    [InlineData("CS8377", "string", "M",
        "class C { static async FiberTask<string> M() { await Fiber.Safepoint(); return \"\"; } }")]
    [InlineData("CS8377", "int?", "M",
        "class C { static async FiberTask<int?> M() { await Fiber.Safepoint(); return 1; } }")]
    public void The_compiler_refuses_at_the_culprit(string code, string word, string marked, string source)
    {
        FiberSnippet snippet = new(Before + source);
        Assert.True(
            snippet.Errors.Any(error => error.Id == code
                && error.GetMessage(null).Contains(word, StringComparison.Ordinal)
                && FiberSnippet.Marked(error).TrimEnd(';') == marked),
            $"no {code} about '{word}' at '{marked}', but\n" + string.Join(
                '\n', snippet.Errors.Select(error => $"{error} at '{FiberSnippet.Marked(error)}'")));
    }

    [Fact]
    public void The_compiler_warns_of_a_call_that_is_not_awaited() => Assert.Contains(
        new FiberSnippet(
            Before + "class C { static async FiberTask M() { Calls.Number(); await Fiber.Safepoint(); } }")
            .Warnings,
        warning => warning.Id == "CS4014");
}
