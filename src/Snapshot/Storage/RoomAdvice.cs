using System.Globalization;

namespace Snapshot.Storage;

/// <summary>Says what would make room for an image, and how much.</summary>
internal static class RoomAdvice
{
    // What an estimate may be wrong by, so that following the advice is enough.
    private const int MarginShare = 64;

    /// <param name="needed">Bytes of the image.</param>
    /// <param name="room">Bytes there are for it.</param>
    /// <param name="now">What the store has.</param>
    /// <param name="options">Of the store.</param>
    internal static string For(long needed, long room, StoreHoldings now, StoreOptions options)
    {
        needed += needed / MarginShare;
        long missing = Math.Max(needed - room, 0);
        if (missing == 0)
            return "There is room for it by now. The next checkpoint contains what this one had.";
        string more = options.MaxBytes is null
            ? $"free {Text(missing)} more on the disk"
            : $"free {Text(missing)} more, or raise StoreOptions.MaxBytes by it";
        string other =
            string.Concat(Alternatives(missing, now, options.Retention).Select(text => $", or {text}"));
        return $"The image needs about {Text(needed)} and there is room for {Text(Math.Max(room, 0))}: " +
            $"{more}{other}. The next checkpoint contains what this one had.";
    }

    private static IEnumerable<string> Alternatives(long missing, StoreHoldings now, RetentionPolicy policy)
    {
        // As many generations as possible stay; to keep as many as there are frees nothing.
        for (int keep = Math.Min(policy.KeepLast, now.Entries.Count) - 1; keep >= 1; keep--)
        {
            long freed = Freed(now, policy.With(keepLast: keep));
            if (freed == 0 || (freed < missing && keep > 1)) continue;
            yield return $"keep fewer generations: KeepLast = {keep} would free {Text(freed)}";
            break;
        }

        if (policy.KeepEvery > 0 && Freed(now, policy.With(keepEvery: 0)) is > 0 and var byNumber)
            yield return $"keep none by its number: KeepEvery = 0 would free {Text(byNumber)}";
        if (Freed(now with { Floor = long.MaxValue }, policy) is > 0 and var held)
            yield return
                $"let held generations go: StoreOptions.Hold keeps those from {now.Floor} on, and raising " +
                $"its floor would free up to {Text(held)}";
    }

    private static long Freed(StoreHoldings now, RetentionPolicy policy) =>
        now.ListedBytes - now.KeptBy(policy).Sum(entry => entry.FileLength);

    private static string Text(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++) value /= 1024;
        return unit == 0
            ? $"{bytes} bytes"
            : string.Create(CultureInfo.InvariantCulture, $"{value:F2} {units[unit]} ({bytes} bytes)");
    }
}
