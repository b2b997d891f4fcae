using System.Buffers.Binary;
using Snapshot.Base;

namespace Snapshot.TestPrograms;

/// <summary>
/// A thread that changes random pages, each operation with the next number of one sequence, and can be made
/// to rest.
/// </summary>
internal sealed class RandomWriter : IDisposable
{
    private readonly TrackedMemory _memory;
    private readonly bool _withSystemCalls;
    private readonly Random _random;
    private readonly SystemCallWriter _kernel = new();
    private readonly ManualResetEventSlim _go = new(initialState: true);
    private readonly ManualResetEventSlim _resting = new();
    private readonly Thread _thread;
    private Exception? _failure;
    private volatile bool _stop;
    private long _sequence;

    internal RandomWriter(TrackedMemory memory, int seed, bool withSystemCalls)
    {
        _memory = memory;
        _withSystemCalls = withSystemCalls;
        _random = new Random(seed);
        _thread = new Thread(Run) { Name = "random writer" };
        _thread.Start();
    }

    /// <summary>Returns when this many operations were done since the call.</summary>
    internal void AwaitProgress(int operations)
    {
        long target = Volatile.Read(ref _sequence) + operations;
        while (Volatile.Read(ref _sequence) < target && _thread.IsAlive) Thread.Yield();
        if (Volatile.Read(ref _failure) is { } failure)
            throw new InvalidOperationException("the writer failed", failure);
    }

    /// <summary>Returns when the writer rests between two operations.</summary>
    internal void Pause()
    {
        _resting.Reset();
        _go.Reset();
        while (!_resting.Wait(100))
        {
            if (!_thread.IsAlive)
                throw new InvalidOperationException("the writer ended", Volatile.Read(ref _failure));
        }
    }

    internal void Resume() => _go.Set();

    public void Dispose()
    {
        _stop = true;
        _go.Set();
        _thread.Join();
        _kernel.Dispose();
        _go.Dispose();
        _resting.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_stop)
            {
                if (!_go.IsSet)
                {
                    _resting.Set();
                    _go.Wait();
                }

                Step(Volatile.Read(ref _sequence) + 1);
                Volatile.Write(ref _sequence, _sequence + 1);
            }
        }
        catch (Exception error)
        {
            Volatile.Write(ref _failure, error);
        }
    }

    private void Step(long number)
    {
        long page = _random.NextInt64(_memory.CommittedPages);
        int offset = _random.Next(Pages.Size / sizeof(long)) * sizeof(long);
        switch (_random.Next(20))
        {
            case 0:
                int longest = _random.Next(8) == 0 ? 1200 : 40; // now and then whole huge pages
                _memory.Drop(
                    new PageRange(page, Math.Min(_random.Next(1, longest), _memory.CommittedPages - page)));
                break;
            case 1 when _withSystemCalls:
                Span<byte> content = stackalloc byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(content, number);
                _kernel.Write(content, _memory.Page(page)[offset..]);
                break;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(_memory.Page(page)[offset..], number);
                BinaryPrimitives.WriteInt64LittleEndian(_memory.Page(page), number);
                break;
        }
    }
}
