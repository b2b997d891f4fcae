using Snapshot.C.Interface;
using Snapshot.Mpi;

namespace Snapshot.C;

/// <summary>Tells C how far copies of a job are, on the thread that polls.</summary>
internal sealed unsafe class CopyCallback(
    delegate* unmanaged<void*, CJobCopy*, void> function, void* argument) : IProgress<JobCopyProgress>
{
    public void Report(JobCopyProgress value)
    {
        NativeText? error = value.Error is { } failure ? new NativeText(CWords.In(failure.Message)) : null;
        CJobCopy copy = new()
        {
            Level = (int)value.Level,
            IsComplete = value.IsComplete ? 1 : 0,
            Generation = value.Generation.Generation,
            BytesDone = value.BytesDone,
            BytesTotal = value.BytesTotal,
            Error = error is null ? null : error.Pointer,
        };
        function(argument, &copy);
        GC.KeepAlive(error);
    }
}
