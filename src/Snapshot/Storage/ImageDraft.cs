using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// An image being written: nothing of it is visible until the store commits it. One thread at a time.
/// </summary>
internal sealed class ImageDraft
{
    private readonly IStoreFile _file;
    private bool _ended;

    internal ImageDraft(
        IStoreFile file,
        string fileName,
        int revision,
        ImageHeader header,
        ImageWriterOptions? options,
        long bytesMost,
        CancellationToken cancellation)
    {
        _file = file;
        FileName = fileName;
        Revision = revision;
        Header = header;
        Writer = new ImageWriter(new QuotaSink(file, bytesMost), header, options, cancellation);
    }

    /// <summary>Takes regions, extents and pages.</summary>
    internal ImageWriter Writer { get; }

    internal ImageHeader Header { get; }

    /// <summary>False when the file system refused direct I/O, or the store was told not to use it.</summary>
    internal bool DirectIo => _file.DirectIo;

    /// <summary>What the file is expected to take in the end, where somebody knows.</summary>
    internal long ExpectedBytes { get; set; }

    /// <summary>Set by <see cref="Complete"/>.</summary>
    internal ImageSummary? Summary { get; private set; }

    /// <summary>The name that the commit gives to the file.</summary>
    internal string FileName { get; }

    internal string PartialName => FileName + ImageFileName.PartialSuffix;

    internal int Revision { get; }

    /// <summary>Ends the writing: index and footer are in the file, though not yet durable.</summary>
    internal ImageSummary Complete(ImageMetadata metadata, CancellationToken cancellation = default) =>
        Summary = Writer.Complete(metadata, cancellation);

    internal void Sync() => _file.Sync();

    /// <summary>Closes the file; false when that was done before.</summary>
    internal bool End()
    {
        if (_ended) return false;
        _ended = true;
        Writer.Dispose();
        _file.Dispose();
        return true;
    }

    internal ManifestEntry ToEntry() =>
        ManifestEntry.Of(Header, Summary!.Length, Summary.IndexChecksum, Revision);
}
