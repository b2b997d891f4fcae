namespace Snapshot.C;

/// <summary>Times that C gives in seconds.</summary>
internal static class Seconds
{
    private const double Max = 1e9; // thirty years

    /// <param name="seconds">The time.</param>
    /// <param name="field">The field of the structure, for messages.</param>
    /// <exception cref="ArgumentException">It is negative, no number, or too long.</exception>
    internal static TimeSpan Of(double seconds, string field) => seconds is >= 0 and <= Max
        ? TimeSpan.FromSeconds(seconds)
        : throw new ArgumentException($"{field} is {seconds}: it takes 0 to {Max:0} seconds.");

    /// <summary>The same, where 0 is for a default.</summary>
    internal static TimeSpan? OrNull(double seconds, string field) =>
        Of(seconds, field) is var time && time > TimeSpan.Zero ? time : null;
}
