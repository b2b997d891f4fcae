namespace Snapshot.Inspection;

/// <summary>One line of the table of what a machine can do.</summary>
/// <remarks>Immutable.</remarks>
public sealed class MachineCapability
{
    internal MachineCapability(
        string name, bool available, string detail, Capability? capability = null, string pretence = "",
        string consequence = "", string remedy = "")
    {
        Name = name;
        Available = available;
        Detail = detail;
        Capability = capability;
        Pretence = pretence;
        Consequence = available ? "" : consequence;
        Remedy = available ? "" : remedy;
    }

    /// <summary>What was looked at.</summary>
    public string Name { get; }

    /// <summary>Whether Snapshot can use it; of a mere fact, whether all is well.</summary>
    public bool Available { get; }

    /// <summary>What was seen.</summary>
    public string Detail { get; }

    /// <summary>Which capability it is; null: a fact beside them, such as a limit.</summary>
    internal Capability? Capability { get; }

    /// <summary>The word that takes it away in <c>SNAPSHOT_PRETEND</c>; empty for a mere fact.</summary>
    internal string Pretence { get; }

    /// <summary>What follows for Snapshot from its lack; empty when nothing does.</summary>
    public string Consequence { get; }

    /// <summary>What an administrator can do about its lack; empty where there is nothing to do.</summary>
    public string Remedy { get; }

    /// <summary>The line as text.</summary>
    /// <returns>Name, yes or no, and what was seen.</returns>
    public override string ToString() => $"{Name}: {(Available ? "yes" : "no")}, {Detail}";
}
