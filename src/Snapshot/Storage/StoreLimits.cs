namespace Snapshot.Storage;

/// <summary>How many bytes the images of a store may take, the one being written included.</summary>
/// <param name="Wanted">Of the last generations and what they need: the multiple of the state.</param>
/// <param name="Most">Of all images: what the quota and the disk have room for.</param>
internal readonly record struct StoreLimits(long Wanted, long Most)
{
    // Below this a bound by the state's size is not worth a full image: an image of one page has three more.
    internal const long SmallStore = 4 << 20;

    /// <param name="options">Of the store.</param>
    /// <param name="stateBytes">Of a full image.</param>
    /// <param name="listedBytes">Of the images that are there.</param>
    /// <param name="freeBytes">Of the disk, or null when nobody knows.</param>
    internal static StoreLimits Of(StoreOptions options, long stateBytes, long listedBytes, long? freeBytes)
    {
        // As many full images as are kept, and one being written: nothing less can be asked for.
        double multiple = Math.Max(options.MaxStateMultiple, options.Retention.KeepLast + 1.0);
        double wanted = Math.Max(multiple * stateBytes, SmallStore);
        long quota = options.MaxBytes is { } most ? most - ManifestBytes : long.MaxValue;
        long disk = freeBytes is { } free ? listedBytes + free : long.MaxValue;
        return new StoreLimits(wanted < long.MaxValue ? (long)wanted : long.MaxValue, Math.Min(quota, disk));
    }

    /// <summary>What of a quota is not the images'.</summary>
    internal const long ManifestBytes = 2 * ManifestHalf.HalfBytes;
}
