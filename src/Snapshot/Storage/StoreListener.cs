using System.Runtime.ExceptionServices;

namespace Snapshot.Storage;

/// <summary>Who is told how far work on a store is: what it throws does not end the work halfway.</summary>
internal sealed class StoreListener : IProgress<StoreProgress>
{
    private readonly IProgress<StoreProgress> _told;
    private Exception? _thrown;

    private StoreListener(IProgress<StoreProgress> told) => _told = told;

    /// <summary>
    /// Does work to its end, and then throws what the callback threw, after which that was not called again.
    /// </summary>
    internal static T Run<T>(IProgress<StoreProgress>? told, Func<IProgress<StoreProgress>?, T> work)
    {
        if (told is null) return work(null);
        StoreListener listener = new(told);
        T result = work(listener);
        if (listener._thrown is { } thrown) ExceptionDispatchInfo.Throw(thrown);
        return result;
    }

    public void Report(StoreProgress value)
    {
        if (_thrown is not null) return;
        try
        {
            _told.Report(value);
        }
#pragma warning disable CA1031 // It is thrown to the one whose callback it is, when the store is in order.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _thrown = error;
        }
    }
}
