using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>
/// What the compiler keeps a reference for is reported, at its place and by its name. That it does keep one
/// is looked up in the state machine it made.
/// </summary>
public sealed class RefusedConstructTests
{
    [Theory]
    [InlineData(
        "static async FiberTask M(string text) { Use(text); await Nothing(); }",
        "text",
        "string",
        "is a reference")]
    [InlineData(
        "static async FiberTask M(Labelled label) { Use(label.Number); }",
        "label",
        "Labelled",
        "holds a reference")]
    [InlineData(
        "static async FiberTask M<T>(T x) { Use(x); }", "x", "T", "is not constrained to be unmanaged")]
    [InlineData(
        "static async FiberTask M<T>(T x) where T : struct { Use(x); }",
        "x",
        "T",
        "is not constrained to be unmanaged")]
    [InlineData(
        "class In<T> { static async FiberTask M(T x) { Use(x); } }",
        "x",
        "T",
        "is not constrained to be unmanaged")]
    [InlineData(
        "static void Go() => Fiber.Start(1, static n => M(\"\")); static async FiberTask M(string s) => " +
        "Use(s);",
        "s",
        "string",
        "is a reference")]
    public Task SNAP1101_names_a_managed_parameter(string members, string name, string type, string reason) =>
        Check(
            members,
            $"SNAP1101 [{name}] Parameter '{name}' of 'M' is of type '{type}', which {reason}: "
                + "the frame of a fiber cannot keep it");

    [Theory]
    [InlineData("int _n; async FiberTask M() { _n++; await Nothing(); }", "Program")]
    [InlineData("int _n; async FiberTask M() { await Nothing(); Action a = () => _n++; a(); }", "Program")]
    [InlineData("class In(long n) { async FiberTask M() { await Nothing(); Use(n); } }", "Program.In")]
    [InlineData(
        "struct S { public string Text; public async FiberTask M() { await Nothing(); Use(Text); } }",
        "Program.S")]
    [InlineData(
        "struct S<T> { public T Value; public async FiberTask M() { await Nothing(); Use(Value); } }",
        "Program.S<T>")]
    public Task SNAP1102_names_a_method_that_uses_its_instance(string members, string type) => Check(
        members, $"SNAP1102 [M] Fiber method 'M' uses its instance of '{type}', which its frame cannot keep");

    [Theory]
    [InlineData(
        "static void M(int n) => Fiber.Start(1, async a => { await Nothing(); Use(n); });", "async", "'n'")]
    [InlineData(
        "int _n; void M() => Fiber.Start(1, async a => { await Nothing(); Use(_n); });", "async", "'this'")]
    [InlineData(
        "static void M(int n, int k) { Fiber.Start(1, In); async FiberTask In(int a) { Use(n + k); } }",
        "In",
        "'n', 'k'")]
    [InlineData(
        "static void M(int n) { Fiber.Start(1, In); async FiberTask In(int a) => Add(); void Add() => n++; }",
        "In",
        "'n'")]
    public Task SNAP1102_names_what_is_captured(string members, string place, string captured) => Check(
        members,
        $"SNAP1102 [{place}] {(place == "In" ? "Fiber method 'In'" : "The lambda")} captures {captured}, "
            + "which its frame would keep by reference");

    [Theory]
    [InlineData(
        "static async FiberTask M(long n) { string s = Name(n); await Nothing(); Use(s); }", "s", "string")]
    [InlineData(
        "static async FiberTask M(long n) { string s = Name(n); Use(await Number() + s.Length); }",
        "s",
        "string")]
    [InlineData(
        "static async FiberTask M(long n) { string s = \"\"; while (n-- > 0) { Use(s); await Nothing(); } }",
        "s",
        "string")]
    [InlineData("static async FiberTask M<T>() { T? x = default; await Nothing(); Use(x); }", "x", "T")]
    [InlineData(
        "static async FiberTask M() { Labelled l = default; await Nothing(); Use(l.Number); }",
        "l",
        "Labelled")]
    [InlineData(
        "static async FiberTask M() { string s = \"a\"; try { await Nothing(); s = \"b\"; } catch { } " +
        "Use(s); }",
        "s",
        "string")]
    [InlineData(
        "static async FiberTask M(object? o) { o = 1; if (o is string s) { await Nothing(); Use(s); } }",
        "s",
        "string")]
    [InlineData(
        "static async FiberTask M() { int[] a = [1]; await Nothing(); foreach (int x in a) Use(x); }",
        "a",
        "int[]")]
    public Task SNAP1103_names_a_local_that_is_used_after_an_await(
        string members, string name, string type) => Check(
        members,
        $"SNAP1103 [{name}] Local '{name}' of type '{type}' is used after an await: the frame of a fiber " +
        "cannot keep "
            + $"a reference",
        ignored: "SNAP1101");

    [Theory]
    [InlineData("static async FiberTask M() { using var s = new MemoryStream(); await Nothing(); }", "s")]
    [InlineData("static async FiberTask M() { using (MemoryStream s = new()) await Nothing(); }", "s")]
    public Task SNAP1103_names_a_local_that_is_disposed_of_after_an_await(string members, string name) =>
        Check(
            members,
            $"SNAP1103 [{name}] Local '{name}' of type 'MemoryStream' is disposed of after an await: "
                + "the frame of a fiber cannot keep a reference");

    [Theory]
    [InlineData(
        "static async FiberTask M() { int x = 1; Action a = () => x++; a(); await Nothing(); x = 3; }", "x")]
    [InlineData(
        "static async FiberTask M(int n) { Action a = () => n++; a(); await Nothing(); Use(n); }", "n")]
    public Task SNAP1103_names_a_variable_in_a_closure(string members, string name) => Check(
        members,
        $"SNAP1103 [{name}] Captured variable '{name}' is used after an await: "
            + "the frame of a fiber cannot keep the object it lives in");

    [Theory]
    [InlineData("static async FiberTask M(long n) { UseText(Name(n), await Number()); }", "Name(n)")]
    [InlineData("static async FiberTask M(long n) { string s = Name(n); UseText(s, await Number()); }", "s")]
    [InlineData("static async FiberTask M(long n) { UseBoth(n, await Number()); }", "n")]
    [InlineData("static async FiberTask M(long n) { UseBoth(typeof(int), await Number()); }", "typeof(int)")]
    [InlineData(
        "static async FiberTask M(long n) { string s = Name(n) + await Number(); Use(s); }", "Name(n)")]
    [InlineData("static async FiberTask M(long n) { string s = Name(n); s += await Number(); Use(s); }", "s")]
    [InlineData("static async FiberTask M(long n) { Use($\"{n} {await Number()}\"); }", "n")]
    [InlineData("static async FiberTask M() { Box b = new(); b.Value = await Number(); }", "b")]
    [InlineData("static async FiberTask M() { Box b = new(); b.Value += await Number(); }", "b")]
    [InlineData("static async FiberTask M() { long[] a = [0]; a[0] = await Number(); }", "a")]
    [InlineData("static async FiberTask M() { new List<long>().Add(await Number()); }", "new List<long>()")]
    [InlineData(
        "static async FiberTask M() { Use(new Box { Value = await Number() }); }",
        "new Box { Value = await Number() }")]
    [InlineData(
        "static async FiberTask M() { List<long> l = [await Number()]; Use(l); }", "[await Number()]")]
    [InlineData(
        "static async FiberTask M(long n) { UseText(Name(n), n > 1 ? await Number() : 3); }", "Name(n)")]
    [InlineData(
        "static async FiberTask M(long n) { UseText(Name(n) ?? \"\", await Number()); }", "Name(n) ?? \"\"")]
    [InlineData(
        "static async FiberTask M(long n) { var t = (Name(n), await Number()); Use(t.Item1); }", "Name(n)")]
    [InlineData(
        "static async FiberTask M() { using (new MemoryStream()) await Nothing(); }", "new MemoryStream()")]
    public Task SNAP1103_quotes_a_value_that_waits_for_an_await(string members, string value) => Check(
        members,
        $"SNAP1103 [{value}] The value of '{value}', which is or becomes a reference, is needed after an " +
        "await: "
            + "the frame of a fiber cannot keep it");

    [Theory]
    [InlineData("int n", "new int[n]", "the array")]
    [InlineData("int n", "Name(n)", "the string")]
    [InlineData("int n", "new List<long>(n)", "an enumerator 'List<long>.Enumerator'")]
    [InlineData("int n", "Enumerable.Range(0, n)", "an enumerator 'IEnumerator<int>'")]
    [InlineData(
        "int n",
        "new Dictionary<int, int>(n).Keys",
        "an enumerator 'Dictionary<int, int>.KeyCollection.Enumerator'")]
    public Task SNAP1104_names_what_a_loop_keeps(string parameter, string collection, string kept) => Check(
        $"static async FiberTask M({parameter}) {{ foreach (var x in {collection}) {{ Use(x); await " +
        "Nothing(); } }",
        $"SNAP1104 [{collection}] foreach over '{collection}' keeps {kept} across an await, "
            + "which the frame of a fiber cannot");

    [Fact]
    public async Task SNAP1104_is_there_before_the_compiler_refuses_a_ref_struct()
    {
        string[] found = await Analysis.Of(
            "static async FiberTask M(ArenaArray<int> a) { foreach (int x in a.AsSpan()) await Nothing(); }");
        Assert.Equal(
            [
                "SNAP1104 [a.AsSpan()] foreach over 'a.AsSpan()' keeps the ref struct " +
                "'Span<int>.Enumerator' across an "
                    + "await, "
                    + "which the frame of a fiber cannot",
            ],
            found);
    }

    [Theory]
    [InlineData("try { await Nothing(); } finally { await Number(); }", "this one is in a finally block")]
    [InlineData(
        "try { Use(1); } finally { if (DateTime.Now.Day == 1) await Number(); }",
        "this one is in a finally block")]
    [InlineData("await using (new Closing()) Use(1);", "'await using' disposes in a finally block")]
    [InlineData("await using Closing c = new();", "'await using' disposes in a finally block")]
    [InlineData(
        "try { await Nothing(); } catch (Exception e) { Use(e); await Nothing(); }",
        "this one is in a catch clause that uses its exception ('e')")]
    [InlineData(
        "try { Use(1); } catch (Exception e) { await Nothing(); Use(e); }",
        "this one is in a catch clause that uses its exception ('e')")]
    [InlineData(
        "try { await Nothing(); } catch (Exception e) when (e.Message == \"\") { Use(e); await Nothing(); }",
        "this one is in a catch clause that uses its exception ('e')")]
    [InlineData(
        "try { Use(1); } catch (IOException) { await Nothing(); throw; }",
        "this one is in a catch clause that uses its exception ('throw;')")]
    [InlineData(
        "try { await Nothing(); } catch { if (DateTime.Now.Day == 1) throw; await Nothing(); }",
        "this one is in a catch clause that uses its exception ('throw;')")]
    public Task SNAP1105_says_where_an_exception_would_wait(string statements, string reason) => Check(
        $"static async FiberTask M() {{ {statements} }}",
        $"SNAP1105 [await] The frame of a fiber cannot keep an exception across an await: {reason}");

    /// <param name="members">The source; the compiler must keep a reference for it.</param>
    /// <param name="expected">The one diagnostic.</param>
    /// <param name="ignored">A rule that has its say about the source as well.</param>
    private static async Task Check(string members, string expected, string? ignored = null)
    {
        Assert.NotEmpty(Analysis.ReferencesKept(members));
        string[] found = await Analysis.Of(members);
        Assert.Equal(
            [expected],
            found.Where(line => ignored is null || !line.StartsWith(ignored, StringComparison.Ordinal)));
    }
}
