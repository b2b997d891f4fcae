using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>
/// The rules for any code: participants across awaits, copies of locks, pointers made in unsafe code.
/// </summary>
public sealed class UseRuleTests
{
    private const string Types =
        "struct Header { public ArenaMutex Lock; public long N; } struct Outer { public Header Inner; } ";

    [Theory]
    [InlineData("using Participant me = s.Attach(\"a\"); await Task.Delay(1);", "await")]
    [InlineData(
        "using (Participant me = s.Attach(\"a\")) { if (s.IsRestarted) await Task.Delay(1); }", "await")]
    [InlineData(
        "Participant me = s.Attach(\"a\"); await Task.Delay(1); me.Dispose(); await Task.Delay(1);", "await")]
    [InlineData("Participant me = s.Attach(\"a\"); await s.CheckpointAsync(); me.Poll();", "await")]
    [InlineData(
        "using Participant me = s.Attach(\"a\"); await foreach (int i in Many()) { Use(i); }", "await")]
    [InlineData(
        "using Participant me = s.Attach(\"a\"); await using MemoryStream m = new(); Use(m);", "await")]
    public async Task SNAP1201_says_that_an_await_may_leave_the_thread_of_a_participant(
        string body, string place) =>
        Assert.Equal(
            [
                $"SNAP1201 [{place}] After this await the thread may be another than the one that attached " +
                "'me', "
                    + "which alone may use it",
            ],
            await Analysis.Of(
                "static async IAsyncEnumerable<int> Many() { await Task.Yield(); yield return 1; } "
                    + $"static async Task M(SnapshotSession s) {{ {body} }}"));

    [Theory]
    [InlineData(
        "static async Task M(SnapshotSession s) { await Task.Delay(1); using Participant me = " +
        "s.Attach(\"a\"); }")]
    [InlineData(
        "static async Task M(SnapshotSession s) { using (Participant me = s.Attach(\"a\")) me.Poll(); " +
        "await Task.Delay(1); }")]
    [InlineData(
        "static async Task M(SnapshotSession s) { Participant me = s.Attach(\"a\"); me.Dispose(); await " +
        "Task.Delay(1); }")]
    [InlineData(
        "static void M(SnapshotSession s) { using Participant me = s.Attach(\"a\"); "
        + "Func<Task> other = async () => await Task.Delay(1); Use(other); }")]
    public async Task SNAP1201_is_silent_where_nobody_is_attached_across_an_await(string method) =>
        Assert.Empty(await Analysis.Of(method));

    [Theory]
    [InlineData(
        "static void M(ref ArenaMutex a) { ArenaMutex copy = a; Use(copy.IsHeld); }", "a", "a", "ArenaMutex")]
    [InlineData(
        "static void M(Arena a) { Header h = a.Root<Header>(\"h\"); Use(h.N); }",
        "a.Root<Header>(\"h\")", "a.Root<Header>(\"h\")", "ArenaMutex")]
    [InlineData(
        "static void M(ArenaArray<Outer> a) { var o = a[0]; Use(o.Inner.N); }", "a[0]", "a[0]", "ArenaMutex")]
    [InlineData(
        "static void M(ref Header h, ref Header other) { h = other; }", "other", "other", "ArenaMutex")]
    [InlineData(
        "static void Take(Header h) { } static void M(ref Header h) { Take(h); }", "h", "h", "ArenaMutex")]
    [InlineData("static Header M(ref Header h) => h;", "h", "h", "ArenaMutex")]
    [InlineData("static ArenaBarrier M(ref ArenaBarrier b) { return b; }", "b", "b", "ArenaBarrier")]
    [InlineData("static void M(ref ArenaEvent e) { Use(e); }", "e", "e", "ArenaEvent")]
    [InlineData(
        "static (ArenaSemaphore, int) M(ref ArenaSemaphore s) { return (s, 1); }", "s", "s",
        "ArenaSemaphore")]
    [InlineData("static void M(in ArenaMutex m) { m.Enter(); }", "m", "m", "ArenaMutex")]
    [InlineData(
        "static readonly ArenaMutex s_m; static void M() { s_m.Enter(); }", "s_m", "s_m", "ArenaMutex")]
    [InlineData(
        "static readonly Header s_h; static void M() { s_h.Lock.Enter(); }", "s_h.Lock", "s_h.Lock",
        "ArenaMutex")]
    [InlineData(
        "static unsafe void M(Header* p) { Header h = *p; Use(h.N); }", "*p", "*p", "ArenaMutex")]
    [InlineData(
        "static void M(ArenaArray<Header> a) { foreach (Header h in a.AsSpan()) Use(h.N); }", "Header",
        "Header",
        "ArenaMutex")]
    [InlineData(
        "static void M() { ArenaMutex m = default; Action a = () => m.Enter(); a(); }", "() => m.Enter()",
        "() => m.Enter()", "ArenaMutex")]
    public async Task SNAP1202_says_where_a_lock_is_copied(
        string members, string place, string quoted, string type) =>
        Assert.Contains(
            $"SNAP1202 [{place}] '{quoted}' is copied here, and with it a lock ({type}) that the copy does " +
            "not share: "
                + "use a reference (ref)",
            (await Analysis.Of(Types + members)).Distinct());

    [Theory]
    [InlineData(
        "static void M(Arena a) { ref Header h = ref a.Root<Header>(\"h\"); h.Lock.Enter(); h.Lock = " +
        "default; }")]
    [InlineData(
        "static void Take(ref ArenaMutex m) { m.Enter(); } static void M(ref Header h) { Take(ref h.Lock); " +
        "}")]
    [InlineData("static void M(in ArenaMutex m) { Use(m.IsHeld); }")]
    [InlineData("static ref ArenaMutex M(ArenaPointer<Header> p) => ref p.Value.Lock;")]
    [InlineData(
        "static void M(ArenaArray<Header> a) { foreach (ref Header h in a.AsSpan()) h.Lock.Enter(); }")]
    [InlineData("static long M(ref Header h) { long n = h.N; return n; }")]
    [InlineData(
        "static void M(ArenaPointer<Header> p) { ArenaPointer<Header> q = p; q.Value.Lock.Enter(); }")]
    [InlineData("ArenaMutex _m; void M() { _m.Enter(); }")]
    [InlineData("static Header Make() => new Header { N = 1 }; static void M(ref Header h) { h = Make(); }")]
    public async Task SNAP1202_is_silent_where_the_lock_stays_where_it_is(string members) =>
        Assert.Empty(await Analysis.Of(Types + members));

    [Theory]
    [InlineData(
        "ArenaPointer<long> p = a.RootPointer<long>(\"n\"); Use(p);",
        "Arena.PointerTo(ref arena.Root<T>(name))")]
    [InlineData("ArenaPointer<long> p = array.Pointer; Use(p);", "ArenaArray.PointerTo(index)")]
    [InlineData("ArenaPointer<long> p = new(array.Pointer + 3); Use(p);", "ArenaArray.PointerTo(index)")]
    [InlineData("fixed (long* at = &array[3]) { ArenaPointer<long> p = at; Use(p); }", null)]
    [InlineData("ArenaPointer<long> p = &raw->A; Use(p);", null)]
    [InlineData(
        "Use(new ArenaPointer<Pair>((Pair*)Unsafe.AsPointer(ref a.Root<Pair>(\"n\"))));",
        "Arena.PointerTo(ref place)")]
    [InlineData("ArenaPointer<Pair> p = raw; Use(p);", null)]
    [InlineData("ArenaPointer<long> p = a.PointerTo(ref a.Root<long>(\"n\")); Use(p);", null)]
    [InlineData("ArenaPointer<long> p = array.PointerTo(3); Use(p);", null)]
    public async Task SNAP1203_hints_at_the_safe_way_to_a_pointer(string body, string? way)
    {
        string[] found = await Analysis.Of(
            $"static unsafe void M(Arena a, ArenaArray<long> array, Pair* raw) {{ {body} }}", andHints: true);
        if (way is null) Assert.Empty(found);
        else
            Assert.EndsWith(
                $"Make this ArenaPointer with {way}, which needs no unsafe code and checks that it lies in " +
                "the arena",
                Assert.Single(found), StringComparison.Ordinal);
    }
}
