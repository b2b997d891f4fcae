namespace Snapshot.FiberCheck;

/// <summary>An error, and where.</summary>
/// <param name="Where">The place in a source, or what stands in for it when there are no symbols.</param>
/// <param name="Id">One of <see cref="DiagnosticId"/>.</param>
/// <param name="Text">What is wrong and what to write instead.</param>
internal sealed record Finding(SourcePosition Where, string Id, string Text)
{
    /// <summary>The line by which MSBuild, and editors after it, know an error.</summary>
    public override string ToString() =>
        Where.Line > 0 ? $"{Where}: error {Id}: {Text}" : $"{Where} : error {Id}: {Text}";
}
