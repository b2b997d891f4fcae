namespace Snapshot.Machines.PowerCut;

/// <summary>What power cuts showed.</summary>
/// <param name="Cuts">How many.</param>
/// <param name="Acknowledged">Generations that were acknowledged while the disk was recorded.</param>
/// <param name="Recorded">What was recorded, in words.</param>
/// <param name="Findings">What was wrong after a cut, one each.</param>
internal sealed record PowerCutReport(
    int Cuts, int Acknowledged, string Recorded, IReadOnlyList<string> Findings)
{
    public override string ToString() =>
        $"{Cuts} power cuts in {Recorded} with {Acknowledged} acknowledged generations: {Findings.Count} " +
        "findings.";
}
