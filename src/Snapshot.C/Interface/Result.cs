using System.Text;

namespace Snapshot.C.Interface;

/// <summary>What an export returns for an exception, whose text becomes the thread's error.</summary>
internal static unsafe class Result
{
    internal const int Good = 0;

    /// <summary>The negated code.</summary>
    internal static int Of(Exception error)
    {
        int code = CodeOf(error);
        byte[] text = Encoding.UTF8.GetBytes(TextOf(error));
        fixed (byte* first = text) LibraryNative.sn_error_set(code, first, text.Length);
        return -code;
    }

    /// <summary>NULL.</summary>
    internal static void* Null(Exception error)
    {
        _ = Of(error);
        return null;
    }

    private static int CodeOf(Exception error) => error switch
    {
        SnapshotException failure => (int)failure.Code,
        ForkedException => (int)ErrorCode.Forked,
        ArgumentException => (int)ErrorCode.InvalidArgument,
        InvalidOperationException => (int)ErrorCode.Misuse,
        OperationCanceledException => (int)ErrorCode.Cancelled,
        OutOfMemoryException => (int)ErrorCode.OutOfMemory,
        _ => (int)ErrorCode.Internal,
    };

    /// <summary>The message; for a defect of the library all there is to find it by.</summary>
    private static string TextOf(Exception error) =>
        CodeOf(error) == (int)ErrorCode.Internal ? error.ToString() : CWords.In(error.Message);
}
