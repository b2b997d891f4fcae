using Microsoft.Diagnostics.Runtime;
using Snapshot.Coordination;

namespace Snapshot.Tool.Stacks;

/// <summary>Reads sessions and participants out of the heap of a stopped process.</summary>
internal sealed class SessionReader(ClrRuntime runtime, ClrModule library, SourceLines lines)
{
    private const int FramesMax = 64;

    internal IReadOnlyList<SessionReport> Read()
    {
        ClrType? participantType = library.GetTypeByName(LibraryFields.Participant.Type);
        ClrType? coordinatorType = library.GetTypeByName(LibraryFields.Coordinator.Type);
        List<ClrObject> participants = [];
        List<ClrObject> coordinators = [];
        foreach (ClrObject item in runtime.Heap.EnumerateObjects())
        {
            if (item.Type is not { } type) continue;
            if (type == participantType) participants.Add(item);
            else if (type == coordinatorType) coordinators.Add(item);
        }

        return
        [
            .. coordinators
                .Where(coordinator => !coordinator.ReadField<bool>(LibraryFields.Coordinator.IsDisposed))
                .Select(coordinator => ReadSession(coordinator, participants)),
        ];
    }

    private SessionReport ReadSession(ClrObject coordinator, List<ClrObject> participants)
    {
        ClrObject rendezvous = coordinator.ReadObjectField(LibraryFields.Coordinator.Rendezvous);
        ClrObject barrier = rendezvous.ReadObjectField(LibraryFields.Rendezvous.Barrier);
        long word = runtime.DataTarget.DataReader.Read<long>(
            barrier.ReadField<ulong>(LibraryFields.PhaseBarrier.Word));
        ClrObject handlers = coordinator.ReadObjectField(LibraryFields.Coordinator.Async);
        return new SessionReport(
            PhaseWord.PhaseOf(word).ToString(),
            PhaseWord.AttemptOf(word),
            PhaseWord.RunningOf(word),
            DescribePart(handlers.ReadObjectField(LibraryFields.AsyncHandlers.Part)),
            [
                .. participants
                    .Where(participant =>
                        participant.ReadObjectField(LibraryFields.Participant.Rendezvous) == rendezvous)
                    .Where(participant => participant.ReadField<int>(LibraryFields.Participant.IsGone) == 0)
                    .Select(ReadParticipant)
                    .OrderBy(participant => participant.Name, StringComparer.Ordinal),
            ]);
    }

    private ParticipantReport ReadParticipant(ClrObject participant)
    {
        int threadId = participant.ReadField<int>(LibraryFields.Participant.ThreadId);
        ParticipantStatus status =
            (ParticipantStatus)participant.ReadField<int>(LibraryFields.Participant.Status);
        ClrThread? thread = runtime.Threads.FirstOrDefault(
            thread => thread.ManagedThreadId == threadId && thread.IsAlive);
        return new ParticipantReport(
            participant.ReadStringField(LibraryFields.Participant.Name) ?? "",
            participant.ReadField<int>(LibraryFields.Participant.Id),
            thread is null
                ? "its thread has ended without leaving the session" : DescribeState(participant, status),
            status.ToString(),
            participant.ReadStringField(LibraryFields.Participant.Activity),
            threadId,
            thread?.OSThreadId,
            participant.ReadObjectField(LibraryFields.Participant.Thread).ReadStringField(
                LibraryFields.Thread.Name),
            thread is null ? [] : ReadStack(thread));
    }

    /// <summary>The words of Participant.Describe, from the outside.</summary>
    private static string DescribeState(ClrObject participant, ParticipantStatus status)
    {
        if (DescribePart(participant.ReadObjectField(LibraryFields.Participant.Part)) is { } part)
            return part;
        bool critical = participant.ReadField<int>(LibraryFields.Participant.CriticalDepth) > 0;
        return status switch
        {
            ParticipantStatus.Blocked => participant.ReadStringField(
                LibraryFields.Participant.BlockedOn) is { } what
                ? $"in a blocked region waiting for {what}"
                : "in a blocked region",
            ParticipantStatus.Waiting => "waiting for an arena lock",
            ParticipantStatus.AtCriticalSection => "waiting at a critical section",
            ParticipantStatus.AtGate => "waiting at the gate for the resume parts of others",
            ParticipantStatus.Parked => "parked",
            ParticipantStatus.Joining => "attaching",
            _ => critical ? "in a critical section" : "running application code",
        };
    }

    private static string? DescribePart(ClrObject part)
    {
        ClrObject entry = part.ReadObjectField(LibraryFields.HandlerPart.Entry);
        return entry.IsNull
            ? null
            : $"in the {part.ReadStringField(LibraryFields.HandlerPart.Kind)} part of handler " +
              $"'{entry.ReadStringField(LibraryFields.HandlerEntry.Name)}'";
    }

    private List<FrameReport> ReadStack(ClrThread thread)
    {
        List<FrameReport> frames = [];
        foreach (ClrStackFrame frame in thread.EnumerateStackTrace(includeContext: false, FramesMax))
        {
            if (frame.Kind != ClrStackFrameKind.ManagedMethod || frame.Method is not { } method) continue;
            (string File, int Line)? source = lines.Find(
                method, frame.InstructionPointer, isInnermost: frames.Count == 0);
            frames.Add(new FrameReport(method.Signature ?? method.Name ?? "?", source?.File, source?.Line));
        }

        return frames;
    }
}
