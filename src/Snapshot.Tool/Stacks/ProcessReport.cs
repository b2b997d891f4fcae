namespace Snapshot.Tool.Stacks;

/// <summary>The sessions of a live process at one moment.</summary>
/// <param name="ProcessId">The process.</param>
/// <param name="Command">Its command line.</param>
/// <param name="Sessions">Its sessions.</param>
internal sealed record ProcessReport(int ProcessId, string Command, IReadOnlyList<SessionReport> Sessions);

/// <summary>A session: the state of its barrier and who takes part.</summary>
/// <param name="Phase">The phase of the protocol.</param>
/// <param name="Attempt">The number of the latest checkpoint attempt.</param>
/// <param name="Running">Participants that have not stopped.</param>
/// <param name="Handlers">What the handler thread does, or null when it runs no part.</param>
/// <param name="Participants">Participants by name.</param>
internal sealed record SessionReport(
    string Phase, int Attempt, int Running, string? Handlers, IReadOnlyList<ParticipantReport> Participants);

/// <summary>A participant, what it does and where its thread is.</summary>
/// <param name="Name">The name.</param>
/// <param name="Id">The id; the owner of arena locks.</param>
/// <param name="State">What it does, in words.</param>
/// <param name="Status">The same as the library keeps it.</param>
/// <param name="Activity">What the application says it does, or null.</param>
/// <param name="ManagedThreadId">The thread as .NET numbers it.</param>
/// <param name="SystemThreadId">The thread as the system numbers it, or null when it has ended.</param>
/// <param name="ThreadName">The name of the thread, or null.</param>
/// <param name="Stack">The managed stack, innermost frame first; empty when the thread has ended.</param>
internal sealed record ParticipantReport(
    string Name,
    int Id,
    string State,
    string Status,
    string? Activity,
    int ManagedThreadId,
    uint? SystemThreadId,
    string? ThreadName,
    IReadOnlyList<FrameReport> Stack);

/// <summary>One managed method on a stack.</summary>
/// <param name="Method">The method with the types of its parameters.</param>
/// <param name="File">The source file as compiled, or null when no symbols were found.</param>
/// <param name="Line">The line, or null.</param>
internal sealed record FrameReport(string Method, string? File, int? Line);
