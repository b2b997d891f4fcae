namespace Snapshot.Fuzz.Targets;

/// <summary>A reader of bytes that are not trusted, as a fuzzer calls it.</summary>
/// <param name="name">By which it is chosen; also of the folder of its inputs in corpus.</param>
/// <param name="documented">The codes by which the reader may refuse an input.</param>
internal abstract class FuzzTarget(string name, params SnapshotErrorCode[] documented)
{
    /// <summary>
    /// Beside what is in proportion to the bytes that are read: messages, and tables of fixed size.
    /// </summary>
    private const long FixedBytes = 1 << 20;

    /// <summary>
    /// The densest structure of the format is an empty text of two bytes, which becomes a record.
    /// </summary>
    private const long BytesPerByte = 64;

    internal static IReadOnlyList<FuzzTarget> All { get; } =
        [new ImageTarget(), new ManifestTarget(), new ModuleListTarget(), new ModuleFileTarget(),
            new DecodeTarget()];

    internal string Name => name;

    internal static FuzzTarget? Find(string name) => All.FirstOrDefault(target => target.Name == name);

    /// <summary>
    /// Throws what no input may bring about: another exception than a documented one, a promise broken by
    /// what was read, or more memory than the input can justify.
    /// </summary>
    internal void Check(byte[] input)
    {
        byte[][] files = Expand(input);
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Read(files);
        }
        catch (SnapshotException error) when (documented.Contains(error.Code))
        {
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long justified = FixedBytes + BytesPerByte * files.Sum(file => (long)file.Length);
        if (allocated > justified)
            throw new BrokenPromiseException($"{allocated} bytes were allocated, {justified} are justified");
    }

    /// <summary>What the reader is given: from an input, which need not be the whole of a file.</summary>
    protected abstract byte[][] Expand(byte[] input);

    /// <summary>Reads all there is to read.</summary>
    protected abstract void Read(byte[][] files);

    protected static void Require(bool holds, string promise)
    {
        if (!holds) throw new BrokenPromiseException($"it does not hold that {promise}");
    }
}
