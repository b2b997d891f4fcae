using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>A handler whose parts are functions of C.</summary>
/// <remarks>
/// Thread-safe. A checkpoint that has begun goes on with the handlers that it found, also with those that are
/// removed meanwhile; but a program frees what their functions need. So removing it waits for a part that
/// runs, and none runs after that.
/// </remarks>
internal sealed unsafe class CallbackHandler(in CHandler handler, void* argument) : ICheckpointHandler
{
    private readonly CHandler _handler = handler;
    private readonly void* _argument = argument;
    private readonly Lock _calling = new();
    private bool _isRetired;

    public void Prepare(PrepareContext context)
    {
        lock (_calling)
        {
            if (_isRetired || _handler.Prepare is null) return;
            int code = _handler.Prepare(_argument, context.Generation);
            if (code != 0) context.Abort(code);
        }
    }

    public void Resume(CheckpointOutcome outcome)
    {
        COutcome told = new()
        {
            Kind = (int)outcome.Kind,
            AbortCode = outcome.AbortCode ?? 0,
            Generation = outcome.Generation,
        };
        lock (_calling)
        {
            if (!_isRetired && _handler.Resume is not null) _handler.Resume(_argument, &told);
        }
    }

    public void Committed(long generation)
    {
        lock (_calling)
        {
            if (!_isRetired && _handler.Committed is not null) _handler.Committed(_argument, generation);
        }
    }

    /// <summary>Waits for a part that runs, unless it runs here; none is called after that.</summary>
    internal void Retire()
    {
        lock (_calling) _isRetired = true;
    }
}
