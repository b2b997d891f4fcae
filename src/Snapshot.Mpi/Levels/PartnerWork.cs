namespace Snapshot.Mpi.Levels;

/// <summary>
/// A rank's part in copying between partners: it sends some images, and receives others.
/// </summary>
internal sealed class PartnerWork(
    IReadOnlyList<ImageSender> senders, IReadOnlyList<ImageReceiver> receivers) : ILevelWork
{
    private IEnumerable<ILevelWork> All => [.. senders, .. receivers];

    public Exception? Error => All.Select(work => work.Error).FirstOrDefault(error => error is not null);

    public (long Done, long Total) Bytes =>
        (senders.Sum(sender => sender.Bytes.Done), senders.Sum(sender => sender.Bytes.Total));

    public bool Advance()
    {
        bool isDone = true;
        foreach (ImageSender sender in senders) isDone &= sender.Advance();
        foreach (ImageReceiver receiver in receivers) isDone &= receiver.Advance();
        return isDone;
    }

    public void Dispose()
    {
        foreach (ILevelWork work in All) work.Dispose();
    }
}
