namespace Snapshot.Tracking;

/// <summary>
/// The places of this process that are watched as <see cref="WatchedPages"/>, of any session.
/// </summary>
/// <remarks>
/// A page has one bit that says whether it was written, and whoever reads it clears it: two who watch it
/// would each miss what the other was told. So a place is watched once. Thread-safe.
/// </remarks>
internal static class WatchedPlaces
{
    private static readonly Lock s_using = new();
    private static readonly SortedList<ulong, ulong> s_places = [];

    /// <summary>Takes [start, end), unless a part of it is taken.</summary>
    internal static bool TryTake(ulong start, ulong end)
    {
        lock (s_using)
        {
            int low = 0, high = s_places.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (s_places.GetValueAtIndex(middle) <= start) low = middle + 1;
                else high = middle;
            }

            if (low < s_places.Count && s_places.GetKeyAtIndex(low) < end) return false;
            s_places.Add(start, end);
            return true;
        }
    }

    internal static void Release(ulong start)
    {
        lock (s_using) s_places.Remove(start);
    }
}
