using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>A handler whose parts are functions of C.</summary>
internal sealed unsafe class CallbackHandler(in CHandler handler, void* argument) : ICheckpointHandler
{
    private readonly CHandler _handler = handler;
    private readonly void* _argument = argument;

    public void Prepare(PrepareContext context)
    {
        if (_handler.Prepare is null) return;
        int code = _handler.Prepare(_argument, context.Generation);
        if (code != 0) context.Abort(code);
    }

    public void Resume(CheckpointOutcome outcome)
    {
        if (_handler.Resume is null) return;
        COutcome told = new()
        {
            Kind = (int)outcome.Kind,
            AbortCode = outcome.AbortCode ?? 0,
            Generation = outcome.Generation,
        };
        _handler.Resume(_argument, &told);
    }

    public void Committed(long generation)
    {
        if (_handler.Committed is not null) _handler.Committed(_argument, generation);
    }
}
