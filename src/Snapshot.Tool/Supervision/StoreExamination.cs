using Snapshot.Tool.Output;

namespace Snapshot.Tool.Supervision;

/// <summary>What a store held before a restart, verified byte by byte.</summary>
/// <param name="Newest">
/// The newest generation, or null when there is none or the store cannot be read.
/// </param>
/// <param name="Intact">
/// The newest generation that verifies with all it needs, or null when none does.
/// </param>
/// <param name="Problems">
/// What verification found in <paramref name="Newest"/>; empty when it is intact.
/// </param>
/// <param name="Error">Why the store cannot be read, or null.</param>
internal sealed record StoreExamination(
    long? Newest, long? Intact, IReadOnlyList<VerifyProblem> Problems, string? Error)
{
    /// <summary>From which generation the program can go on, in words.</summary>
    internal string Words() => this switch
    {
        { Error: { } error } => $"the store cannot be read: {error.TrimEnd('.')}",
        { Newest: null } => "the store holds no generation, so it can only begin anew",
        { Problems.Count: 0 } => $"generation {Newest} is intact",
        { Intact: { } older } =>
            $"{Damage()}; generation {older} is intact, for a program that allows older ones",
        _ => $"{Damage()}; no older one is intact",
    };

    private string Damage() =>
        $"generation {Newest} is damaged: 'snapshot verify' finds " +
        $"{Readable.Count(Problems.Count, "problem")}, the first: {Problems[0].Message.TrimEnd('.')}";
}
