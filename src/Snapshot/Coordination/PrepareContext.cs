using Snapshot.Coordination;

namespace Snapshot;

/// <summary>The checkpoint that a prepare part prepares for, and what the part may do about it.</summary>
/// <remarks>
/// Valid until the prepare part returns; any thread the part works with may use it until then.
/// </remarks>
public sealed class PrepareContext
{
    private readonly OpenAttempt _attempt;
    private readonly string _handler;
    private readonly bool _isSync;
    private volatile bool _isOver;
    private volatile bool _isOmitted;

    internal PrepareContext(OpenAttempt attempt, string handler, bool isSync)
    {
        _attempt = attempt;
        _handler = handler;
        _isSync = isSync;
    }

    /// <summary>The generation this checkpoint will have if it is committed.</summary>
    public long Generation => _attempt.Generation;

    internal bool IsOmitted => _isOmitted;

    /// <summary>
    /// Aborts the checkpoint. No further prepare part is called. Whoever has prepared, and the requester, are
    /// told this code. Of several aborts exactly one wins.
    /// </summary>
    /// <param name="code">A code of the application's choice.</param>
    /// <param name="reason">For the message of the requester's exception.</param>
    /// <exception cref="InvalidOperationException">The prepare part is over.</exception>
    public void Abort(int code, string? reason = null)
    {
        ThrowIfOver();
        string why = reason is null ? "" : $": {reason}";
        _attempt.RequestAbort(new SnapshotException(
            SnapshotErrorCode.Aborted,
            $"Checkpoint {Generation} was aborted by handler '{_handler}' with code {code}{why}.")
        {
            Generation = Generation,
            AbortCode = code,
        });
    }

    /// <summary>
    /// Leaves the participant whose handler this is out of the image. It is stopped for the capture as
    /// always; its remaining prepare parts are not called, and the resume parts of the others are told
    /// Omitted.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// This is an async handler, or the prepare part is over.
    /// </exception>
    public void Omit()
    {
        ThrowIfOver();
        if (!_isSync)
            throw new InvalidOperationException(
                "Only a sync handler has a participant to omit; this one is async.");
        _isOmitted = true;
    }

    internal void Close() => _isOver = true;

    private void ThrowIfOver()
    {
        if (_isOver)
            throw new InvalidOperationException(
                "A prepare context is valid only until the prepare part it was given to returns.");
    }
}
