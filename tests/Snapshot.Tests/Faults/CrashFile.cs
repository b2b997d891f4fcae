namespace Snapshot.Tests.Faults;

/// <summary>How a power cut treats what was not synced.</summary>
internal enum CrashStyle
{
    /// <summary>All of it is lost.</summary>
    Lost,

    /// <summary>All of it was written; what is in flight stopped somewhere.</summary>
    Torn,

    /// <summary>It was written in order up to some point.</summary>
    InOrder,

    /// <summary>Each sector and each name for itself: written or not.</summary>
    Reordered,

    /// <summary>The same, and a sector that was being written holds noise.</summary>
    Noise,
}

/// <summary>
/// The content of a file: what is durable, and what was written and not synced. A sync that fails leaves in
/// limbo what it covered: no later one makes it durable.
/// </summary>
internal sealed class CrashFile
{
    private const int Sector = 512;

    private readonly List<Change> _changes = [];
    private byte[] _durable = [];

    /// <summary>Bytes written, or, without, a length set.</summary>
    private sealed record Change(long Offset, byte[]? Bytes, bool IsLimbo)
    {
        internal long End => Offset + (Bytes?.Length ?? 0);
    }

    internal bool HasPending => _changes.Count > 0;

    internal long Length => _changes.Aggregate(
        (long)_durable.Length,
        (length, change) => change.Bytes is null ? change.End : Math.Max(length, change.End));

    internal void Write(long offset, byte[] bytes) => _changes.Add(new Change(offset, bytes, false));

    internal void SetLength(long length) => _changes.Add(new Change(length, null, false));

    internal void Sync()
    {
        if (_changes.Exists(change => change.IsLimbo))
        {
            // Between what may never arrive the rest cannot be folded in; it is kept as written now, in its
            // place.
            _changes.RemoveAll(change => !change.IsLimbo && Fold(change));
            return;
        }

        foreach (Change change in _changes) Fold(change);
        _changes.Clear();
    }

    internal void FailSync()
    {
        for (int index = 0; index < _changes.Count; index++)
            _changes[index] = _changes[index] with { IsLimbo = true };
    }

    /// <summary>What a machine finds that comes up again.</summary>
    internal ReadOnlyMemory<byte> AfterCrash(CrashStyle style, Random random)
    {
        Content content = new(
            _durable, _changes.Aggregate((long)_durable.Length, (most, c) => Math.Max(most, c.End)));
        int kept = style switch
        {
            CrashStyle.Lost => 0,
            CrashStyle.InOrder => random.Next(_changes.Count + 1),
            _ => _changes.Count,
        };
        for (int index = 0; index < kept; index++)
        {
            bool isLast = index == kept - 1;
            bool isPartial = style is CrashStyle.Reordered or CrashStyle.Noise
                || (isLast && style is CrashStyle.Torn or CrashStyle.InOrder);
            Apply(content, _changes[index], isPartial, style, random);
        }

        // The length is kept apart from the content, so it may be there where that is not.
        if (style != CrashStyle.Lost && random.Next(2) == 0 && Length > content.Length)
            content.SetLength((int)Length);
        return content.Bytes;
    }

    private bool Fold(Change change)
    {
        Content content = new(_durable, Math.Max(_durable.Length, change.End));
        Apply(content, change, isPartial: false, CrashStyle.Lost, Random.Shared);
        _durable = content.Bytes.ToArray();
        return true;
    }

    private static void Apply(Content content, Change change, bool isPartial, CrashStyle style, Random random)
    {
        if (change.Bytes is not { } bytes)
        {
            if (!isPartial || random.Next(2) == 0) content.SetLength((int)change.Offset);
            return;
        }

        int sectors = (bytes.Length + Sector - 1) / Sector;
        int whole =
            isPartial && style is CrashStyle.Torn or CrashStyle.InOrder ? random.Next(sectors + 1) : sectors;
        int noisy = isPartial && style == CrashStyle.Noise ? random.Next(sectors) : -1;
        // Not each sector by itself only: often all of a write arrived, or none.
        int share = isPartial && style is CrashStyle.Reordered or CrashStyle.Noise ? random.Next(3) : 2;
        for (int sector = 0; sector < whole; sector++)
        {
            bool isWritten = share == 2 || (share == 1 && random.Next(2) == 0) || sector == noisy;
            if (!isWritten) continue;
            int from = sector * Sector;
            int length = Math.Min(Sector, bytes.Length - from);
            Span<byte> to = content.At((int)change.Offset + from, length);
            if (sector == noisy) random.NextBytes(to);
            else bytes.AsSpan(from, length).CopyTo(to);
        }
    }

    /// <summary>Bytes that grow in place, up to what was reserved.</summary>
    private sealed class Content
    {
        private readonly byte[] _bytes;

        internal Content(byte[] bytes, long most)
        {
            _bytes = new byte[most];
            bytes.CopyTo(_bytes, 0);
            Length = bytes.Length;
        }

        internal int Length { get; private set; }

        internal ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

        internal void SetLength(int length)
        {
            if (length < Length) _bytes.AsSpan(length, Length - length).Clear();
            Length = length;
        }

        internal Span<byte> At(int offset, int length)
        {
            Length = Math.Max(Length, offset + length);
            return _bytes.AsSpan(offset, length);
        }
    }
}
