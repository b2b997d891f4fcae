using System.Collections.Concurrent;

namespace Snapshot.Threads.Fibers;

/// <summary>Tasks of this process by number, for fibers, which cannot keep them. Thread-safe.</summary>
internal sealed class ExternalTasks
{
    private readonly ConcurrentDictionary<int, Task> _tasks = new();
    private int _last;

    internal int Count => _tasks.Count;

    /// <summary>Takes a task in.</summary>
    /// <returns>Its number, not 0.</returns>
    internal int Add(Task task)
    {
        int number = Interlocked.Increment(ref _last);
        _tasks[number] = task;
        return number;
    }

    internal Task Get(int number) => _tasks[number];

    /// <summary>Hands out a task and forgets it.</summary>
    internal Task Take(int number)
    {
        _tasks.TryRemove(number, out Task? task);
        return task!;
    }
}
