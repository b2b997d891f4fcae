namespace Snapshot.C;

/// <summary>The signals that a program names to be asked for checkpoints.</summary>
internal static class SignalNames
{
    // As Linux numbers them on x86-64 and arm64. Those that report a fault are not here.
    private static readonly Dictionary<string, int> s_numbers = new()
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["QUIT"] = 3,
        ["USR1"] = 10,
        ["USR2"] = 12,
        ["ALRM"] = 14,
        ["TERM"] = 15,
        ["CONT"] = 18,
        ["XCPU"] = 24,
    };

    /// <summary>The numbers in a list such as "USR1,TERM"; a name may begin with SIG.</summary>
    /// <exception cref="ArgumentException">One is not known.</exception>
    internal static IEnumerable<int> Parse(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Number);

    private static int Number(string name)
    {
        string bare = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        if (s_numbers.TryGetValue(bare, out int number)) return number;
        throw new ArgumentException(
            $"'{name}' is no signal that can ask for a checkpoint: {string.Join(", ", s_numbers.Keys)}.");
    }
}
