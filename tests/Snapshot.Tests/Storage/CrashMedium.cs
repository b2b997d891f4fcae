using Snapshot.Storage;

namespace Snapshot.Tests.Storage;

/// <summary>The power went out; no code may handle it.</summary>
internal sealed class SimulatedCrashException() : Exception("simulated crash");

/// <summary>
/// A store in memory that can crash at any operation. Fault model (the recipe of SQLite's tests): content
/// that was not synced is kept, lost or torn at a sector, each write for itself; changes of the directory
/// that were not synced are kept up to some point in their order; what a failed sync covered may be lost
/// although it stays readable, and no later sync makes it durable.
/// </summary>
internal sealed class CrashMedium : IStoreMedium
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Node> _names = [];
    private readonly Dictionary<string, Node> _durableNames = [];
    private readonly List<Action<Dictionary<string, Node>>> _pending = [];
    private bool _locked;

    /// <summary>The number of operations so far that change or sync something.</summary>
    internal int Operations { get; private set; }

    /// <summary>The operation at which the machine stops, from 1; 0: never.</summary>
    internal int CrashAt { get; set; }

    /// <summary>
    /// Makes an operation (create, write, sync, rename, delete, sync directory) on a file fail with this
    /// errno when it is not 0.
    /// </summary>
    internal Func<string, string, int> Fail { get; set; } = (_, _) => 0;

    internal IEnumerable<string> Names => _names.Keys;

    public string Location => "/crash";

    public long? FreeBytes { get; init; }

    /// <summary>What a machine finds when it comes up again.</summary>
    internal CrashMedium AfterCrash(Random random, int crashAt = 0)
    {
        int kept = random.Next(_pending.Count + 1);
        foreach (Action<Dictionary<string, Node>> change in _pending.Take(kept)) change(_durableNames);
        CrashMedium after = new() { CrashAt = crashAt };
        foreach ((string name, Node node) in _durableNames)
        {
            Node survivor = new();
            survivor.Log.Add(new Logged(0, node.Resolve(random), WriteState.Durable));
            after._names[name] = survivor;
            after._durableNames[name] = survivor;
        }

        return after;
    }

    public void CreateLocation()
    {
    }

    public IStoreLock Lock(string name)
    {
        if (_locked) throw new SnapshotException(SnapshotErrorCode.StoreBusy, name);
        _locked = true;
        return new Unlock(this);
    }

    public IReadOnlyList<string> List() => [.. _names.Keys];

    public IStoreFile Create(string name, bool direct)
    {
        Node node = new();
        Change("create", name, names => names[name] = node);
        return new OpenFile(this, name, node);
    }

    public IStoreFile OpenForUpdate(string name) => OpenForReading(name);

    public IStoreFile OpenForReading(string name)
    {
        lock (_gate)
        {
            if (!_names.TryGetValue(name, out Node? node))
                throw new SnapshotException(SnapshotErrorCode.NotFound, name) { Path = "/crash/" + name };
            return new OpenFile(this, name, node);
        }
    }

    public void Rename(string from, string to) => Change("rename", from, names =>
    {
        if (names.Remove(from, out Node? node)) names[to] = node;
    });

    public void Delete(string name) => Change("delete", name, names => names.Remove(name));

    public void SyncDirectory()
    {
        lock (_gate)
        {
            Step("sync directory", "", () => { });
            foreach (Action<Dictionary<string, Node>> change in _pending) change(_durableNames);
            _pending.Clear();
        }
    }

    public void Dispose()
    {
    }

    private void Change(string operation, string name, Action<Dictionary<string, Node>> change)
    {
        lock (_gate)
        {
            Step(operation, name, () => _pending.Add(change));
            change(_names);
            _pending.Add(change);
        }
    }

    /// <summary>A crash in the middle of an operation leaves it begun.</summary>
    private void Step(string operation, string name, Action begin)
    {
        if (CrashAt != 0 && Operations + 1 >= CrashAt)
        {
            if (++Operations == CrashAt) begin();
            throw new SimulatedCrashException();
        }

        Operations++;
        int errno = Fail(operation, name);
        if (errno != 0) throw StoreErrors.Io(operation, "/crash/" + name, null, errno);
    }

    private enum WriteState
    {
        Pending,
        Limbo,
        Durable,
    }

    private sealed record Logged(long Offset, byte[] Bytes, WriteState State);

    private sealed class Node
    {
        internal List<Logged> Log { get; } = [];

        internal byte[] Content() => Apply(Log);

        internal byte[] Resolve(Random random)
        {
            List<Logged> survived = [];
            foreach (Logged write in Log)
            {
                int fate = write.State == WriteState.Durable ? 0 : random.Next(3);
                if (fate == 0) survived.Add(write);
                if (fate == 1)
                    survived.Add(
                        write with
                        {
                            Bytes =
                            write.Bytes[..(random.Next(write.Bytes.Length / 512 + 1) * 512)]
                        });
            }

            return Apply(survived);
        }

        private static byte[] Apply(List<Logged> log)
        {
            byte[] content = new byte[log.Count == 0
                ? 0 : log.Max(write => write.Offset + write.Bytes.Length)];
            foreach (Logged write in log) write.Bytes.CopyTo(content, write.Offset);
            return content;
        }
    }

    private sealed class OpenFile(CrashMedium medium, string name, Node node) : IStoreFile
    {
        public string Name => "/crash/" + name;

        public bool DirectIo => false;

        public long Length
        {
            get
            {
                lock (medium._gate) return node.Content().Length;
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset) =>
            Write([.. segments.SelectMany(segment => segment.ToArray())], offset);

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            Logged write = new(offset, bytes.ToArray(), WriteState.Pending);
            lock (medium._gate)
            {
                medium.Step("write", name, () => node.Log.Add(write));
                node.Log.Add(write);
            }
        }

        public void Read(long offset, Span<byte> destination)
        {
            lock (medium._gate) node.Content().AsSpan((int)offset, destination.Length).CopyTo(destination);
        }

        public void Sync()
        {
            lock (medium._gate)
            {
                WriteState reached = WriteState.Limbo;
                try
                {
                    medium.Step("sync", name, () => { });
                    reached = WriteState.Durable;
                }
                finally
                {
                    for (int i = 0; i < node.Log.Count; i++)
                    {
                        if (node.Log[i].State == WriteState.Pending)
                            node.Log[i] = node.Log[i] with { State = reached };
                    }
                }
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Unlock(CrashMedium medium) : IStoreLock
    {
        public void ThrowIfLost()
        {
        }

        public void Dispose() => medium._locked = false;
    }
}
