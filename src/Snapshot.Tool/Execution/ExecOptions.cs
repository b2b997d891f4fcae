namespace Snapshot.Tool.Execution;

/// <summary>What is run, and how it is kept.</summary>
/// <param name="Store">The directory of the store.</param>
/// <param name="Program">The program and its arguments.</param>
/// <param name="Every">The time between two checkpoints; zero: none by time.</param>
/// <param name="StackBytes">Of the program's stack, when it begins.</param>
/// <param name="StoreOptions">How the store is opened.</param>
internal sealed record ExecOptions(
    string Store, IReadOnlyList<string> Program, TimeSpan Every, long StackBytes, StoreOptions StoreOptions);
