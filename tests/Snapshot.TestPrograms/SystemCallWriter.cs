using System.IO.Pipes;

namespace Snapshot.TestPrograms;

/// <summary>Lets the kernel write into memory: read(2) from a pipe straight into the given span.</summary>
internal sealed class SystemCallWriter : IDisposable
{
    private readonly AnonymousPipeServerStream _source = new(PipeDirection.Out);
    private readonly AnonymousPipeClientStream _sink;

    internal SystemCallWriter() =>
        _sink = new AnonymousPipeClientStream(PipeDirection.In, _source.ClientSafePipeHandle);

    internal void Write(ReadOnlySpan<byte> content, Span<byte> target)
    {
        _source.Write(content);
        _sink.ReadExactly(target[..content.Length]);
    }

    public void Dispose()
    {
        _sink.Dispose();
        _source.Dispose();
    }
}
