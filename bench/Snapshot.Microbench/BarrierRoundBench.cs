using BenchmarkDotNet.Attributes;
using Snapshot.Coordination;

namespace Snapshot.Microbench;

/// <summary>
/// Stopping and releasing participants that poll all the time, with nothing to copy in between.
/// </summary>
/// <remarks>
/// With more participants than processors a round also contains the time slices of the participants that run
/// before the benchmark's own thread gets a processor again; the pause itself does not.
/// </remarks>
public class BarrierRoundBench
{
    private readonly List<Thread> _threads = [];
    private Coordinator _coordinator = null!;
    private volatile bool _stop;
    private long _generation;

    /// <summary>Participants.</summary>
    [Params(2, 4, 16, 64)]
    public int Threads { get; set; }

    /// <summary>Starts the participants.</summary>
    [GlobalSetup]
    public void Start()
    {
        _stop = false;
        _coordinator = new Coordinator();
        using CountdownEvent attached = new(Threads);
        for (int index = 0; index < Threads; index++)
        {
            string name = $"participant {index}";
            Thread thread = new(() =>
            {
                using Participant me = _coordinator.Attach(name);
                attached.Signal();
                while (!_stop) me.Poll();
            });
            thread.Start();
            _threads.Add(thread);
        }

        attached.Wait();
    }

    /// <summary>Ends them.</summary>
    [GlobalCleanup]
    public void Stop()
    {
        _stop = true;
        _threads.ForEach(thread => thread.Join());
        _threads.Clear();
        _coordinator.Dispose();
    }

    /// <summary>One whole attempt.</summary>
    [Benchmark]
    public void Round()
    {
        using Attempt attempt = _coordinator.Begin(++_generation, TimeSpan.FromMinutes(1));
        attempt.PrepareAsync(static () => { });
        attempt.Stop();
        attempt.Release();
        attempt.BeginCommit();
        attempt.Complete();
    }
}
