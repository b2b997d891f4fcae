using System.Numerics;

namespace Snapshot.Threads.Fibers;

/// <summary>Memory for the frames and records of one worker, in an arena.</summary>
/// <remarks>
/// <para>Only the worker's thread takes and gives, so there are no atomics. Sizes up to 1 KiB go in steps of
/// 32 bytes, up to 64 KiB by powers of two, each with a free list; both are cut from chunks. Larger ones are
/// allocations of the arena. Chunks begin at 64 KiB and double up to 2 MiB; they go back to the arena when
/// the worker has no fiber left.</para>
/// <para>The state is plain data in the arena: a restarted worker goes on with it.</para>
/// </remarks>
internal unsafe struct FramePool
{
    private const int Step = 32;
    private const int SmallMax = 1024;
    private const int SmallClasses = SmallMax / Step;
    private const int LargestLog = 16;
    private const int ClassCount = SmallClasses + LargestLog - 10;
    private const byte OwnAllocation = 255;
    private const int FirstChunkBytes = 64 << 10;
    private const int LastChunkBytes = 2 << 20;

    private byte* _bump;
    private byte* _bumpEnd;
    private Chunk* _chunks;
    private int _nextChunkBytes;
    private fixed ulong _free[ClassCount];

    /// <summary>Cells handed out and not given back.</summary>
    internal long LiveCells;

    /// <summary>Stands at the beginning of each chunk.</summary>
    private struct Chunk
    {
        internal Chunk* Next;
    }

    /// <summary>Takes a cell; its content is arbitrary, and begins at a multiple of 32 bytes.</summary>
    /// <param name="arena">Where the worker lives.</param>
    /// <param name="bytes">At least 1.</param>
    /// <param name="sizeClass">To be given back with the cell.</param>
    /// <exception cref="SnapshotException">ArenaFull; nothing was changed.</exception>
    internal byte* Take(Arena arena, int bytes, out byte sizeClass)
    {
        if (bytes > 1 << LargestLog)
        {
            sizeClass = OwnAllocation;
            byte* own = (byte*)arena.Allocate(bytes, alignment: 64);
            LiveCells++;
            return own;
        }

        int index = ClassOf(bytes);
        sizeClass = (byte)index;
        byte* cell = (byte*)_free[index];
        if (cell != null) _free[index] = *(ulong*)cell;
        else cell = Cut(arena, BytesOf(index));
        LiveCells++;
        return cell;
    }

    /// <summary>Gives a cell back.</summary>
    internal void Give(Arena arena, void* cell, byte sizeClass)
    {
        LiveCells--;
        if (sizeClass == OwnAllocation)
        {
            arena.Free(cell);
            return;
        }

        *(ulong*)cell = _free[sizeClass];
        _free[sizeClass] = (ulong)cell;
    }

    /// <summary>Gives all chunks back to the arena. No cell may be in use.</summary>
    internal void Release(Arena arena)
    {
        while (_chunks != null)
        {
            Chunk* chunk = _chunks;
            _chunks = chunk->Next;
            arena.Free(chunk);
        }

        for (int index = 0; index < ClassCount; index++) _free[index] = 0;
        _bump = _bumpEnd = null;
        _nextChunkBytes = 0;
    }

    private static int ClassOf(int bytes) => bytes <= SmallMax
        ? (bytes + Step - 1) / Step - 1
        : SmallClasses + BitOperations.Log2((uint)bytes - 1) - 10;

    private static int BytesOf(int sizeClass) =>
        sizeClass < SmallClasses ? (sizeClass + 1) * Step : 2 * SmallMax << (sizeClass - SmallClasses);

    private byte* Cut(Arena arena, int bytes)
    {
        if (_bumpEnd - _bump < bytes) AddChunk(arena, bytes);
        byte* cell = _bump;
        _bump += bytes;
        return cell;
    }

    /// <summary>
    /// What is left of the chunk before is lost until the pool is released: less than one cell.
    /// </summary>
    private void AddChunk(Arena arena, int bytes)
    {
        int chunkBytes = Math.Max(Math.Max(_nextChunkBytes, FirstChunkBytes), 2 * bytes);
        Chunk* chunk = (Chunk*)arena.Allocate(chunkBytes, alignment: 4096);
        chunk->Next = _chunks;
        _chunks = chunk;
        _nextChunkBytes = Math.Min(2 * chunkBytes, LastChunkBytes);
        _bump = (byte*)chunk + 64;
        _bumpEnd = (byte*)chunk + chunkBytes;
    }
}
