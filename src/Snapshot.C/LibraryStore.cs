using System.Text;
using Snapshot.C.Interface;
using Snapshot.Memory;

namespace Snapshot.C;

/// <summary>A store that C reads without a session, as it was when it was opened.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed unsafe class LibraryStore : IDisposable
{
    private readonly SnapshotStore _store;
    private readonly GenerationInfo[] _generations;
    private readonly NativeText[] _tags;
    private readonly Lock _gate = new();
    private StoredRegion? _last;
    private string? _lastName;

    private LibraryStore(SnapshotStore store)
    {
        _store = store;
        _generations = [.. store.Generations];
        _tags = [.. _generations.Select(generation => new NativeText(generation.Tag))];
    }

    internal static LibraryStore Open(string directory) => new(SnapshotStore.OpenReadOnly(directory));

    /// <returns>How many there are.</returns>
    internal long List(CGeneration* into, long room)
    {
        if (room < 0 || (room > 0 && into is null))
            throw new ArgumentException($"There is no room for {room} generations at {(nint)into:x}.");
        for (int i = 0; i < Math.Min(room, _generations.Length); i++)
        {
            GenerationInfo generation = _generations[i];
            into[i] = new CGeneration
            {
                Generation = generation.Generation,
                Parent = generation.Parent ?? 0,
                Created = generation.Created.ToUnixTimeSeconds(),
                Bytes = generation.FileBytes,
                Tag = _tags[i].Pointer,
            };
        }

        return _generations.Length;
    }

    internal long SizeOf(long generation, string name)
    {
        lock (_gate) return Find(generation, name, out _, out long bytes) is not null ? bytes : 0;
    }

    internal void Read(long generation, string name, long offset, void* buffer, long bytes)
    {
        lock (_gate)
        {
            StoredRegion region = Find(generation, name, out long start, out long length);
            if (offset < 0 || bytes < 0 || offset > length - bytes || (buffer is null && bytes > 0))
            {
                throw new ArgumentException(
                    $"Bytes {offset} to {offset + bytes} were asked for of '{name}', which has {length}.");
            }

            // A span is no longer than 2 GiB.
            for (long done = 0, piece; done < bytes; done += piece)
            {
                piece = Math.Min(bytes - done, 1 << 30);
                region.Read(start + offset + done, new Span<byte>((byte*)buffer + done, (int)piece));
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _last?.Dispose();
            _store.Dispose();
        }
    }

    /// <summary>
    /// The region, kept open for the next read, and where in it the bytes are: all of it, or one array.
    /// </summary>
    private StoredRegion Find(long generation, string name, out long start, out long bytes)
    {
        const string Arrays = LibrarySession.ArenaName + "/";
        bool isArray = name.StartsWith(Arrays, StringComparison.Ordinal);
        StoredRegion region = Open(generation, isArray ? LibrarySession.ArenaName : name);
        start = 0;
        bytes = region.Length;
        if (!isArray) return region;
        RootEntry array = FindRoot(region, name[Arrays.Length..])
            ?? throw LibrarySession.NotFound($"Generation {generation} has no array '{name}'.");
        start = array.DataOffset;
        bytes = array.Count * array.ElementBytes;
        return region;
    }

    /// <summary>The entry of an array in the arena's own list, or null.</summary>
    private static RootEntry? FindRoot(StoredRegion arena, string name)
    {
        ArenaHeader header = ReadOne<ArenaHeader>(arena, 0);
        long at = header.FirstRoot;
        for (long left = header.RootCount; left > 0 && at != 0; left--)
        {
            RootEntry entry = ReadOne<RootEntry>(arena, at);
            byte[] found = new byte[entry.NameBytes];
            arena.Read(at + RootEntry.HeaderBytes, found);
            if (Encoding.UTF8.GetString(found) == name) return entry;
            at = entry.Next;
        }

        return null;
    }

    private static T ReadOne<T>(StoredRegion region, long offset)
        where T : unmanaged
    {
        T value = default;
        region.Read(offset, new Span<byte>(&value, sizeof(T)));
        return value;
    }

    private StoredRegion Open(long generation, string region)
    {
        if (_last is not null && _last.Generation == generation && _lastName == region) return _last;
        _last?.Dispose();
        _last = null;
        _last = _store.OpenRegion(generation, region);
        _lastName = region;
        return _last;
    }
}
