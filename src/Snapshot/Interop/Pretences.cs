using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>What is not to be used although the machine may have it.</summary>
internal static class Pretences
{
    internal const string Variable = "SNAPSHOT_PRETEND";

    /// <summary>
    /// The capabilities that the environment variable takes away: "no-scan,no-userfaultfd".
    /// </summary>
    /// <exception cref="SnapshotException">Unsupported: it names something unknown.</exception>
    internal static IReadOnlySet<Capability> OfEnvironment() =>
        Parse(Environment.GetEnvironmentVariable(Variable) ?? "");

    /// <inheritdoc cref="OfEnvironment"/>
    internal static IReadOnlySet<Capability> Parse(string text)
    {
        HashSet<Capability> taken = [];
        foreach (string word in text.Split(
            [',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            CapabilityText? found = CapabilityText.All.FirstOrDefault(
                line => string.Equals(line.Pretence, word, StringComparison.OrdinalIgnoreCase));
            taken.Add(found?.Capability ?? throw Unknown(word));
        }

        return taken;
    }

    private static SnapshotException Unknown(string word) => new(
        SnapshotErrorCode.InvalidSetting,
        $"The environment variable {Variable} names '{word}'. It may name, separated by commas, " +
        $"{string.Join(", ", CapabilityText.All.Select(line => line.Pretence))}; or unset it.");
}
