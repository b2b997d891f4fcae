using System.Diagnostics.CodeAnalysis;

namespace Snapshot.Image;

/// <summary>
/// Hands objects from threads to threads in order. Bounded by the number of objects there are: buffers go
/// round.
/// </summary>
internal sealed class HandoverQueue<T>(int capacity)
    where T : class
{
    private readonly Queue<T> _items = new(capacity);
    private bool _ended;
    private bool _aborted;

    internal void Add(T item)
    {
        lock (_items)
        {
            _items.Enqueue(item);
            Monitor.Pulse(_items);
        }
    }

    /// <summary>
    /// Waits for an object; null when there will be none: the queue was ended and is empty, or was aborted.
    /// </summary>
    internal T? Take()
    {
        lock (_items)
        {
            while (!_aborted)
            {
                if (_items.TryDequeue(out T? item)) return item;
                if (_ended) return null;
                Monitor.Wait(_items);
            }

            return null;
        }
    }

    /// <summary>Takes an object that is there; none after an abort.</summary>
    internal bool TryTake([NotNullWhen(true)] out T? item)
    {
        item = null;
        lock (_items) return !_aborted && _items.TryDequeue(out item);
    }

    /// <summary>No more objects will come; those there are will still be taken.</summary>
    internal void End()
    {
        lock (_items)
        {
            _ended = true;
            Monitor.PulseAll(_items);
        }
    }

    /// <summary>Nothing will be taken any more.</summary>
    internal void Abort()
    {
        lock (_items)
        {
            _aborted = true;
            Monitor.PulseAll(_items);
        }
    }
}
