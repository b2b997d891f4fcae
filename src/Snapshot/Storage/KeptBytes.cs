namespace Snapshot.Storage;

/// <summary>
/// Foretells, commit by commit, the bytes of the images that a policy keeps, without a list of them: a
/// forecast of thousands of commits costs a sum each.
/// </summary>
/// <remarks>
/// <para>Without a commit of its own an image leaves at a moment that is known from the beginning: as the
/// <see cref="RetentionPolicy.KeepLast"/>-th commit after its own, or with the last image that needs it. So
/// what is there at first is summed up by the commit at which it leaves. Only the chain that commits go on
/// upon leaves later with each, as a whole; and since a full image begins one, the chain before it is the
/// only other such.</para>
/// <para>Two sums: of the newest generations with what they need, and of all that is kept. What only the
/// second has (kept by its number, or passed over) never leaves, but for what is merely held: that is let go
/// at the next commit, or so it is presumed, since nobody knows when.</para>
/// <para>A value: a copy foretells on its own.</para>
/// </remarks>
internal struct KeptBytes
{
    private readonly RetentionPolicy _policy;
    private readonly Bytes[] _leaving;
    private int _commits;
    private Bytes _kept;
    private Bytes _chain;
    private Bytes _chainBefore;
    private int _chainBeforeLeavesAt;

    /// <param name="now">What is there.</param>
    /// <param name="policy">What is kept of it.</param>
    /// <param name="parent">
    /// The image that the next increment builds upon, or null when a full one is next.
    /// </param>
    internal KeptBytes(StoreHoldings now, RetentionPolicy policy, ManifestEntry? parent)
    {
        _policy = policy;
        _leaving = new Bytes[policy.KeepLast + 2];
        Dictionary<long, Stay> stays = [];
        int newest = 0;
        for (int i = now.Entries.Count - 1; i >= 0; i--)
        {
            ManifestEntry entry = now.Entries[i];
            Stay stay = OwnStay(entry, ref newest, now).Or(stays.GetValueOrDefault(entry.Generation));
            if (entry.Generation == parent?.Generation) stay = stay with { IsOfChain = true };
            if (entry.Parent is { } needed)
                stays[needed.Generation] = stay.Or(stays.GetValueOrDefault(needed.Generation));
            Add(entry.FileLength, stay);
        }
    }

    /// <summary>Of the newest generations and what they need.</summary>
    internal readonly long Newest => _kept.Newest;

    /// <summary>Of all that is kept.</summary>
    internal readonly long All => _kept.All;

    /// <summary>Whether of the newest generations nothing is kept but the chain of the last one.</summary>
    internal readonly bool IsOneChain => _kept.Newest == _chain.Newest;

    /// <summary>One more image: an increment upon the last one.</summary>
    /// <returns>Whether anything is different from the commit before but that there is one more.</returns>
    internal bool Commit(long generation, long bytes)
    {
        _commits++;
        Bytes added = new(bytes, bytes);
        _kept += added;
        _chain += added;
        bool isForEver = IsKeptByNumber(generation);
        if (isForEver) _chain = _chain with { All = 0 };
        Bytes before = _kept;
        if (_commits < _leaving.Length) _kept -= _leaving[_commits];
        if (_commits == _chainBeforeLeavesAt) _kept -= _chainBefore;
        return isForEver || _kept != before;
    }

    /// <summary>One more image, which needs none.</summary>
    internal void CommitFull(long generation, long bytes)
    {
        _chainBefore = _chain;
        _chainBeforeLeavesAt = _commits + _policy.KeepLast;
        _chain = default;
        _ = Commit(generation, bytes);
    }

    private readonly Stay OwnStay(ManifestEntry entry, ref int newest, StoreHoldings now)
    {
        int leavesAt = entry.IsPassedOver ? 0 : Math.Max(0, _policy.KeepLast - newest++);
        if (leavesAt == 0 && now.Needed.Contains(entry.Generation)) leavesAt = 1;
        return new Stay(
            leavesAt,
            entry.IsPassedOver
                ? _policy.KeepPassedOver
                : Retention.IsKeptByNumber(entry, _policy, DateTimeOffset.UtcNow),
            IsHeld: entry.Generation >= now.Floor,
            IsOfChain: false);
    }

    private readonly bool IsKeptByNumber(long generation) =>
        _policy.KeepEvery > 0 && generation % _policy.KeepEvery == 0;

    private void Add(long bytes, Stay stay)
    {
        Bytes newest = stay.LeavesAt > 0 || stay.IsOfChain ? new Bytes(bytes, 0) : default;
        Bytes all = stay.IsForEver || stay.IsHeld || newest.Newest > 0 ? new Bytes(0, bytes) : default;
        _kept += newest + all;
        Bytes leaving = newest + (stay.IsForEver ? default : all);
        if (stay.IsOfChain) _chain += leaving;
        else _leaving[Math.Max(1, stay.LeavesAt)] += leaving;
    }

    /// <summary>How long an image is kept.</summary>
    /// <param name="LeavesAt">
    /// The commit with which it is none of the newest any more, nor needed by one.
    /// </param>
    /// <param name="IsForEver">Kept for another reason, or needed by one that is.</param>
    /// <param name="IsHeld">Kept for now, or needed by one that is.</param>
    /// <param name="IsOfChain">Needed by what is committed next.</param>
    private readonly record struct Stay(int LeavesAt, bool IsForEver, bool IsHeld, bool IsOfChain)
    {
        internal Stay Or(Stay other) => new(
            Math.Max(LeavesAt, other.LeavesAt), IsForEver || other.IsForEver, IsHeld || other.IsHeld,
            IsOfChain || other.IsOfChain);
    }

    private readonly record struct Bytes(long Newest, long All)
    {
        public static Bytes operator +(Bytes left, Bytes right) =>
            new(left.Newest + right.Newest, left.All + right.All);

        public static Bytes operator -(Bytes left, Bytes right) =>
            new(left.Newest - right.Newest, left.All - right.All);
    }
}
