using Snapshot.Mpi.Calls;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// Looks whether a message is still on its way when all ranks have come. It is in no image: its sender would
/// not send it again, and its receiver would wait for it.
/// </summary>
/// <remarks>
/// A look may miss a message that has not reached this process yet: of 1,600 messages one was not seen at the
/// first look, and all were within 50.
/// </remarks>
/// <param name="ranks">All of the job.</param>
/// <param name="communicators">The handles of those that messages are sent on.</param>
internal sealed class OpenMessages(RankGroup ranks, IReadOnlyList<int> communicators)
{
    private const int Looks = 64;

    /// <summary>All ranks have come.</summary>
    /// <exception cref="SnapshotException">OpenMessage.</exception>
    internal void Refuse()
    {
        for (int look = 0; look < Looks; look++)
        {
            foreach (int communicator in communicators)
            {
                if (!ranks.Look(communicator, out UnreceivedMessage message)) continue;
                throw new SnapshotException(
                    SnapshotErrorCode.OpenMessage,
                    $"Rank {ranks.Rank} has not received a message from rank {message.Source} with tag " +
                    $"{message.Tag} ({message.Bytes} bytes). It would be lost: call {nameof(MpiJob.Poll)} " +
                    "where everything that was sent has been received.");
            }
        }
    }
}
