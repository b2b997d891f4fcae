using Xunit;

namespace Snapshot.Tests.FiberCheck;

/// <summary>What a fiber may do passes without a word.</summary>
public sealed class AcceptedTests
{
    [Theory]
    [InlineData("int n = 0; while (n < 3) { n++; await Fiber.Safepoint(); } Calls.Use(n);")]
    [InlineData(
        "int n = await Calls.Number(); switch (n) { case 1: await Fiber.Safepoint(); break; } Calls.Use(n);")]
    [InlineData(
        "try { await Fiber.Safepoint(); } catch (IOException e) when (e.HResult == 1) { Calls.Use(e); }")]
    [InlineData("int n = 1; try { await Fiber.Safepoint(); } finally { Calls.Use(n); }")]
    [InlineData("try { Calls.Text(); } catch (IOException) { await Fiber.Safepoint(); }")]
    [InlineData("await M(); await Generic<long>(1); Calls.Use(await Generic<Vector3>(default));")]
    [InlineData("(int, long) pair = (1, 2); await Fiber.Safepoint(); Calls.Use(pair);")]
    [InlineData("int? n = 1; decimal d = 2; DateTime t = default; Guid g = default; DayOfWeek w = default; " +
        "await Fiber.Safepoint(); Calls.Use((n, d, t, g, w));")]
    [InlineData("Ten ten = default; ten[3] = 1; await Fiber.Safepoint(); Calls.Use(ten[3]);")]
    [InlineData("Vector256<double> v = default; Vector<float> u = default; await Fiber.Safepoint(); " +
        "Calls.Use((v, u));")]
    [InlineData("ArenaPointer<Ten> p = default; await Fiber.Safepoint(); p.Value[1] = 2;")]
    [InlineData(
        "Func<int, FiberTask> f = static async n => { await Fiber.Safepoint(); Calls.Use(n); }; await f(1);")]
    [InlineData(
        "await Inner(1); static async FiberTask Inner(int n) { await Fiber.Safepoint(); Calls.Use(n); }")]
    [InlineData("using (new Closing()) { await Fiber.Safepoint(); }")]
    [InlineData("using Closing c = default; await Fiber.Safepoint();")]
    [InlineData("foreach (int i in default(Counting)) { await Fiber.Safepoint(); Calls.Use(i); }")]
    [InlineData("await foreach (int i in default(Later)) Calls.Use(i);")]
    [InlineData(
        "string s = Calls.Text(); Calls.Use(s); await Fiber.Safepoint(); s = Calls.Text(); Calls.Use(s);")]
    [InlineData(
        "{ Span<int> s = stackalloc int[3]; s[1] = 1; } await Fiber.Safepoint(); lock (new object()) { }")]
    [InlineData("foreach (int i in new List<int>()) Calls.Use(i); await Fiber.Safepoint();")]
    [InlineData("Calls.Use(typeof(string)); await Fiber.Safepoint(); Calls.Use(new object());")]
    public void In_a_static_method(string body) => AssertAccepted(
        $$"""
        [InlineArray(10)] struct Ten { int _first; }
        struct Closing : IDisposable { public void Dispose() { } }
        struct Counting
        {
            int _n;
            public Counting GetEnumerator() => this;
            public int Current => _n;
            public bool MoveNext() => _n++ < 3;
        }
        struct Later
        {
            int _n;
            public Later GetAsyncEnumerator() => this;
            public int Current => _n;
            public async FiberTask<bool> MoveNextAsync() { await Fiber.Safepoint(); return _n < 3; }
        }
        static class C
        {
            static async FiberTask<T> Generic<T>(T x) where T : unmanaged { await Fiber.Safepoint(); return x; }
            static async FiberTask M() { {{body}} }
        }
        """);

    [Theory]
    [InlineData("struct S { int _n; async FiberTask M() { await Fiber.Safepoint(); Calls.Use(_n); } }")]
    [InlineData("class C { async FiberTask M() { await Fiber.Safepoint(); } }")]
    [InlineData("static class C { static async FiberTask M(string unused) { await Fiber.Safepoint(); } }")]
    [InlineData("class C<T> where T : unmanaged { static async FiberTask M(T x) " +
        "{ await Fiber.Safepoint(); Calls.Use(x); } }")]
    [InlineData("class C { static async FiberTask M<T>(T x) where T : struct, Enum " +
        "{ await Fiber.Safepoint(); Calls.Use(x); } }")]
    [InlineData("class C { static async FiberTask M<T>(int n) " +
        "{ Calls.Use(typeof(T)); await Fiber.Safepoint(); Calls.Use(n); } }")]
    [InlineData(
        "struct P<T> { public T V; } class C { static async FiberTask M<T>(P<T> p) where T : unmanaged " +
        "{ await Fiber.Safepoint(); Calls.Use(p); } }")]
    [InlineData(
        "unsafe struct P { public void* A; public delegate*<string, void> F; public fixed int B[4]; } " +
        "class C { static async FiberTask M(P p) { await Fiber.Safepoint(); Calls.Use(p); } }")]
    public void In_other_places(string source) => AssertAccepted(source);

    [Theory]
    [InlineData("await Fiber.Yield(); await Fiber.Delay(TimeSpan.Zero);")]
    [InlineData(
        "FiberHandle h = Fiber.Start(1, static n => Work(n)); await Fiber.Yield(); await h; Calls.Use(h);")]
    [InlineData(
        "FiberHandle h = Fiber.Start(1, static async n => { await Fiber.Yield(); Calls.Use(n); }); await h;")]
    [InlineData(
        "using (FiberGroup g = Fiber.OpenGroup()) { g.Start(1, static n => Work(n)); await g.WhenAll(); }")]
    [InlineData("using (await Fiber.CriticalSection()) { await Work(1); await Fiber.Yield(); }")]
    [InlineData("await s.Value.Mutex.EnterAsync(); await Fiber.Yield(); s.Value.Mutex.Exit();")]
    [InlineData(
        "await s.Value.Door.EnterReadAsync(); await s.Value.Event.WaitAsync(); s.Value.Door.ExitRead();")]
    [InlineData("await s.Value.Barrier.SignalAndWaitAsync(); await s.Value.Places.WaitAsync();")]
    [InlineData("long n = await s.Value.Channel.ReadAsync(); await s.Value.Channel.WriteAsync(n + 1);")]
    [InlineData(
        "for (long i = 0; i < s.Value.Data.Length; i++) { await Fiber.Safepoint(); s.Value.Data[i] += i; }")]
    [InlineData("ArenaArray<double> d = s.Value.Data; await Fiber.Safepoint(); d[0] = 1;")]
    [InlineData(
        "int n = await Fiber.External<Fetch, int>(new Fetch { N = 1 }); await Fiber.Yield(); Calls.Use(n);")]
    public void With_what_the_library_offers(string body) => AssertAccepted(
        $$"""
        struct Shared
        {
            public ArenaMutex Mutex; public ArenaReaderWriterLock Door; public ArenaEvent Event;
            public ArenaBarrier Barrier; public ArenaSemaphore Places; public ArenaChannel<long> Channel;
            public ArenaArray<double> Data;
        }
        struct Fetch : IExternalSection<int>
        {
            public int N;
            public async System.Threading.Tasks.Task<int> RunAsync(System.Threading.CancellationToken cancellation)
            {
                await System.Threading.Tasks.Task.Delay(N, cancellation);
                return N;
            }
        }
        static class C
        {
            static async FiberTask Work(int n) { await Fiber.Safepoint(); Calls.Use(n); }
            static async FiberTask M(ArenaPointer<Shared> s) { {{body}} }
            static void Register(SnapshotSession session, Arena arena, ArenaPointer<Shared> s) =>
                session.CreateHandler(arena, s, static async (checkpoint, shared) =>
                {
                    long n = shared.Value.Data.Length;
                    FiberOutcome outcome = await checkpoint;
                    Calls.Use((n, outcome));
                });
        }
        """);

    [Theory]
    [InlineData("System.Threading.Tasks.Task")]
    [InlineData("System.Threading.Tasks.ValueTask")]
    [InlineData("void")]
    public void Methods_that_are_no_fibers_are_left_alone(string type) => AssertAccepted(
        $$"""
        class C
        {
            async {{type}} M(string s)
            {
                foreach (string t in new List<string>()) await System.Threading.Tasks.Task.Yield();
                Calls.Use(s);
                Calls.Use(this);
            }
        }
        """);

    private static void AssertAccepted(string source)
    {
        using FiberSource compiled = new(source);
        Assert.Empty(compiled.Check());
    }
}
