using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>
/// What a frame in an arena can keep raises no alarm; the compiler's own state machines are the witnesses.
/// </summary>
public sealed class AcceptedConstructTests
{
    public static TheoryData<string> Constructs =>
    [
        // Control flow and calls.
        "static async FiberTask M(long n) { for (long i = 0; i < n; i++) { await Nothing(); if (i == 3) " +
        "break; } }",
        "static async FiberTask M(long n) { while (n-- > 0) { string s = Name(n); Use(s); await Nothing(); " +
        "} }",
        "static async FiberTask M(long n) { string s = \"\"; while (n-- > 0) { s = Name(n); Use(s); await " +
        "Nothing(); "
            + "} }",
        "static async FiberTask M(long n) { switch (Name(n)) { case \"a\": await Nothing(); break; " +
        "default: break; } }",
        "static async FiberTask M(long n) { long r = Name(n) switch { \"a\" => await Number(), _ => n }; " +
        "Use(r); }",
        "static async FiberTask M(long n) { if (n > 0) await M(n - 1); Use(await Number() + await " +
        "Number()); }",
        "static async FiberTask<T> M<T>(T x) where T : unmanaged { await Nothing(); return x; }",
        "static async FiberTask<(int, long)> M((int A, long B) x) { await Nothing(); return x; }",
        "static async FiberTask M(long n) { var (a, b) = (await Number(), await Number()); Use(a + b + n); }",
        "static async FiberTask M(bool b) => await (b ? Nothing() : Fiber.Delay(TimeSpan.Zero));",

        // Exceptions.
        "static async FiberTask M(long n) { try { await Nothing(); } finally { n++; } await Nothing(); " +
        "Use(n); }",
        "static async FiberTask M() { try { await Nothing(); } catch (IOException e) { Use(e); } await " +
        "Nothing(); }",
        "static async FiberTask M() { try { await Nothing(); } catch (Exception e) when (e.Message == " +
        "\"\") { throw; "
            + "} }",
        "static async FiberTask M() { try { await Nothing(); } catch { await Nothing(); } }",
        "static async FiberTask M() { try { await Nothing(); } catch (Exception) { await Nothing(); } }",
        "static async FiberTask M() { try { await Nothing(); } catch (Exception e) when (e.Message == " +
        "\"\") { await "
            + "Nothing(); } }",
        "static async FiberTask M() { try { Use(1); } catch (Exception e) { Use(e); await Nothing(); } }",
        "static async FiberTask M() { await Nothing(); try { Use(1); } catch (Exception e) { Use(e); await " +
        "Nothing(); "
            + "} }",
        "static async FiberTask M() { try { await Nothing(); } catch (IOException e) { Use(e); } catch { " +
        "await "
            + "Nothing(); } }",
        "static async FiberTask M() { string s = \"a\"; try { await Nothing(); s = \"b\"; } finally { " +
        "Use(1); } "
            + "Use(s); }",
        "static async FiberTask M() { string s; try { await Nothing(); s = \"b\"; } catch { s = \"c\"; } " +
        "Use(s); }",

        // Values.
        "static async FiberTask M(int? a, decimal b, DateTime c, Guid d) { await Nothing(); Use(a); " +
        "Use(b); Use(c); "
            + "Use(d); }",
        "static async FiberTask M() { Four a = default; a[1] = 3; await Nothing(); Use(a[1]); foreach " +
        "(long x in a) "
            + "await Nothing(); }",
        "static async FiberTask M() { var v = System.Runtime.Intrinsics.Vector256<long>.One; await " +
        "Nothing(); Use(v); "
            + "}",
        "static async FiberTask M() { Pair p = default; p.A = await Number(); p.B += await Number(); " +
        "Use(p.A + p.B); }",
        "static async FiberTask M(ArenaPointer<Pair> p) { long r = await Number(); p.Value.A += r; unsafe " +
        "{ Pair* q = "
            + "p; q->B++; } }",
        "static async FiberTask M(ArenaArray<long> a) { for (long i = 0; i < a.Length; i++) { a[i]++; await "
            + "Nothing(); } }",
        "static async FiberTask M() { const string s = \"a\"; await Nothing(); Use(s); }",

        // Functions.
        "static void M() => Fiber.Start(1L, static async n => { await Nothing(); Use(n); });",
        "static void M() => Fiber.Start(1L, static n => Inner(n)); static async FiberTask Inner(long n) => " +
        "await "
            + "Nothing();",
        "static void M() { Fiber.Start(1L, Inner); static async FiberTask Inner(long n) => await " +
        "Nothing(); }",
        "static async FiberTask M() { Use(Inner(1)); await Nothing(); static long Inner(long n) => n; }",
        "static async FiberTask M() { Func<long, long> f = static n => n + 1; Use(f(1)); await Nothing(); }",
        "static async FiberTask M() { int x = 1; Action a = () => x++; a(); await Nothing(); }",
        "static async FiberTask M() { int x = 1; void Add() => x++; Add(); await Nothing(); Add(); Use(x); }",
        "static async FiberTask M() { for (int i = 0; i < 3; i++) { int x = i; Action a = () => x++; a(); " +
        "await "
            + "Nothing(); } }",
        "struct S { private long _n; public async FiberTask M() { _n++; await Nothing(); Use(_n); } }",
        "async FiberTask M() { await Nothing(); Use(nameof(M)); }",
        "static async FiberTask M(string unused) => await Nothing();",

        // Scopes and loops over structs.
        "static async FiberTask M() { using (await Fiber.CriticalSection()) await Nothing(); }",
        "static async FiberTask M() { using FiberCriticalSection section = await Fiber.CriticalSection(); " +
        "await "
            + "Nothing(); }",
        "static async FiberTask M() { using (MemoryStream s = new()) { Use(s); } await Nothing(); }",
        "static async FiberTask M() { foreach (int x in new Numbers()) { Use(x); await Nothing(); } }",
        "static async FiberTask M() { await foreach (int x in new Numbers()) { Use(x); await Nothing(); } }",
        "static async FiberTask M() { await Nothing(); foreach (int x in new int[3]) Use(x); await " +
        "Nothing(); }",
        "static async FiberTask M(int n) { foreach (int x in new int[n]) { if (x > 1) { await Nothing(); " +
        "break; } } }",

        // References between awaits.
        "static async FiberTask M() { Span<long> s = stackalloc long[3]; s[0] = 1; Use(s[0]); await " +
        "Nothing(); }",
        "static async FiberTask M(ArenaArray<long> a) { ref long x = ref a[0]; x++; await Nothing(); }",
        "static async FiberTask M() { lock (typeof(Program)) { Use(1); } await Nothing(); }",
        "static async FiberTask M(long n) { string s = Name(n); Use(s + n); await Nothing(); }",
        "static async FiberTask M(long n) { string s; s = Name(n); Use(s); await Nothing(); s = Name(2); " +
        "Use(s); }",
        "static async FiberTask M() { object o = Name(1); if (o is string s && s.Length > 1) await " +
        "Nothing(); }",
        "static async FiberTask M<T>() { T? x = default; Use(x); await Nothing(); }",
        "static async FiberTask M() { Labelled l = default; l.Text = \"a\"; await Nothing(); l.Text = \"b\"; "
            + "Use(l.Text); }",
        "static async FiberTask M() { UseText(\"a\", await Number()); UseText(null, await Number()); " +
        "Use(\"a\" + "
            + "await Number()); }",
        "static async FiberTask M() { long[] a = [1, await Number()]; Use(a); long[] b = new[] { 1, await " +
        "Number() }; "
            + "Use(b); }",
        "static async FiberTask M() { string s = Name(1) ?? Name(await Number()); Use(s); }",
        "static async FiberTask M() { string? s = null; s ??= Name(await Number()); Use(s); }",
        "static async FiberTask M() { string s; string t; (s, t) = (\"\", \"\"); await Nothing(); (s, t) = " +
        "(\"\", "
            + "\"\"); Use(s + t); }",
        "static async FiberTask M() { Box? box = new(); Use(box?.Name); await Nothing(); }",
        "static async FiberTask M(long n) { Use($\"{await Number()} {Name(n)}\"); }",
    ];

    [Theory]
    [MemberData(nameof(Constructs))]
    public async Task An_accepted_construct_is_silent(string members)
    {
        Assert.Empty(Analysis.ReferencesKept(members));
        Assert.Empty(await Analysis.Of(members));
    }

    [Theory]
    [InlineData(
        "static async FiberTask M(ArenaArray<ArenaMutex> a) { await a[0].EnterAsync(); await Nothing(); " +
        "a[0].Exit(); "
            + "}")]
    [InlineData(
        "static async FiberTask M() { FiberGroup g = Fiber.OpenGroup(); g.Start(1L, static n => In(n)); "
            +
            "await g.WhenAll(); } static async FiberTask In(long n) => await " +
            "Fiber.Delay(TimeSpan.FromSeconds(n));")]
    [InlineData(
        "static async FiberTask M() { FiberHandle h = Fiber.Start(1L, static n => Nothing()); await h; }")]
    [InlineData(
        "static async Task M(string s) { await Task.Yield(); Use(s); foreach (char c in s) await " +
        "Task.Yield(); }")]
    [InlineData("async Task M() { try { await Task.Yield(); } finally { await Task.Yield(); } Use(this); }")]
    public async Task Ordinary_code_around_fibers_is_silent(string members)
    {
        Assert.Empty(Analysis.ErrorsOf(Analysis.Compile(Analysis.Complete(members))));
        Assert.Empty(await Analysis.Of(members, andHints: true));
    }
}
