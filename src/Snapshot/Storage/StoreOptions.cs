namespace Snapshot;

/// <summary>How a store behaves.</summary>
public sealed class StoreOptions
{
    /// <value>What a session prunes to after a commit; default: the last two generations and what they need.</value>
    public RetentionPolicy Retention
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new();

    /// <value>
    /// The most images a restart should have to read: a longer chain is compacted beside the session. Default 32.
    /// </value>
    public int ChainLengthMax
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 32;

    /// <value>
    /// Whether images bypass the page cache; default true, because it is several times as fast as writing and
    /// syncing. A file system that refuses it gets buffered writes, and the summary of the image says so.
    /// </value>
    public bool DirectIo { get; init; } = true;
}
