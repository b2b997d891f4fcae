using System.IO.Hashing;

namespace Snapshot.NativeThreads;

/// <summary>
/// What an image says of its native threads' surroundings: the environment, and the modules in their order.
/// </summary>
/// <remarks>
/// As bytes, all little-endian: magic u32, version u32, length u32 of the whole, reserved u32, XXH64 of what
/// follows, environment, count u32, modules. A text is its length as u16 and UTF-8. What is behind the length
/// is not looked at.
/// </remarks>
internal sealed record NativeManifest
{
    internal const uint Version = 1;
    internal const int HeaderSize = 24;
    internal const int SizeMax = 1 << 20;

    /// <summary>SNT_MODULES_MAX of the C part, and the runtime itself.</summary>
    internal const int ModulesMax = 65;

    private const uint Magic = 0x4d4b4e53;

    internal required NativeEnvironment Environment { get; init; }

    /// <summary>In the order in which they were loaded, and have to be.</summary>
    internal required IReadOnlyList<NativeModuleManifest> Modules { get; init; }

    /// <exception cref="ArgumentException">A text or a list is longer than the format allows.</exception>
    internal static byte[] ToBytes(NativeEnvironment environment, IReadOnlyList<NativeModuleManifest> modules)
    {
        NativeManifestWriter writer = new();
        writer.U32(Magic);
        writer.U32(Version);
        writer.U64(0);
        writer.U64(0);
        Write(writer, environment);
        writer.Count(modules.Count, ModulesMax);
        foreach (NativeModuleManifest module in modules) Write(writer, module);
        return writer.Finish(HeaderSize, SizeMax);
    }

    /// <summary>Reads bytes that are not trusted.</summary>
    /// <exception cref="SnapshotException">
    /// Corrupt; UnsupportedFormat: they are of another version.
    /// </exception>
    internal static NativeManifest FromBytes(ReadOnlySpan<byte> bytes)
    {
        NativeManifestReader header = new(bytes, 0);
        if (header.U32() != Magic) throw header.Damaged("it does not begin as one");
        uint version = header.U32();
        if (version != Version)
        {
            throw new SnapshotException(
                SnapshotErrorCode.UnsupportedFormat,
                $"The list of native modules in the image has version {version}, and this library reads " +
                $"version {Version}. Restart with the version of Snapshot that made the image.");
        }

        uint length = header.U32();
        if (length < HeaderSize || length > SizeMax || length > bytes.Length || header.U32() != 0)
            throw header.Damaged($"it says that it is {length} bytes long, and there are {bytes.Length}");
        ulong hash = header.U64();
        ReadOnlySpan<byte> body = bytes[HeaderSize..(int)length];
        if (XxHash64.HashToUInt64(body) != hash) throw header.Damaged("its checksum is another");

        NativeManifestReader reader = new(body, HeaderSize);
        NativeEnvironment environment = ReadEnvironment(ref reader);
        NativeModuleManifest[] modules = new NativeModuleManifest[reader.Count(ModulesMax)];
        for (int index = 0; index < modules.Length; index++) modules[index] = ReadModule(ref reader);
        reader.ExpectEnd();
        return new NativeManifest { Environment = environment, Modules = modules };
    }

    private static void Write(NativeManifestWriter writer, NativeEnvironment environment)
    {
        writer.U64(environment.VectorState);
        writer.U32(environment.VectorStateSize);
        writer.Count(environment.Components.Count, NativeManifestReader.ComponentsMax);
        foreach (VectorComponent component in environment.Components)
        {
            writer.U32((uint)component.Index);
            writer.U32(component.Offset);
            writer.U32(component.Size);
        }

        writer.Count(environment.Features.Count, NativeManifestReader.FeaturesMax);
        foreach (uint features in environment.Features) writer.U32(features);
        writer.U64(environment.SignalStackMin);
        writer.U64((ulong)environment.ErrnoOffset);
        writer.Text(environment.LibcVersion);
    }

    private static NativeEnvironment ReadEnvironment(ref NativeManifestReader reader)
    {
        ulong vectorState = reader.U64();
        uint vectorStateSize = reader.U32();
        VectorComponent[] components = new VectorComponent[reader.Count(NativeManifestReader.ComponentsMax)];
        for (int index = 0; index < components.Length; index++)
        {
            uint bit = reader.U32();
            if (bit > 63) throw reader.Damaged($"the vector state has no component {bit}");
            components[index] = new VectorComponent((int)bit, reader.U32(), reader.U32());
        }

        uint[] features = new uint[reader.Count(NativeManifestReader.FeaturesMax)];
        for (int index = 0; index < features.Length; index++) features[index] = reader.U32();
        return new NativeEnvironment
        {
            VectorState = vectorState,
            VectorStateSize = vectorStateSize,
            Components = components,
            Features = features,
            SignalStackMin = reader.U64(),
            ErrnoOffset = (long)reader.U64(),
            LibcVersion = reader.Text(),
        };
    }

    private static void Write(NativeManifestWriter writer, NativeModuleManifest module)
    {
        writer.Text(module.Path);
        writer.Text(module.BuildId);
        writer.U64(module.Base);
        writer.U64(module.Size);
        writer.U64(module.ThreadLocalSize);
        writer.U64(module.ThreadLocalAlignment);
        writer.U32(module.ThreadLocalOffset is null ? 0u : 1u);
        writer.U64((ulong)(module.ThreadLocalOffset ?? 0));
        writer.Count(module.Writable.Count, NativeManifestReader.RangesMax);
        foreach (AddressRange range in module.Writable)
        {
            writer.U64(range.Start);
            writer.U64(range.Length);
        }

        writer.Count(module.Needed.Count, NativeManifestReader.LibrariesMax);
        foreach (string library in module.Needed) writer.Text(library);
    }

    private static NativeModuleManifest ReadModule(ref NativeManifestReader reader)
    {
        string path = reader.Text(), buildId = reader.Text();
        AddressRange extent = reader.Range();
        ulong threadLocalSize = reader.U64(), alignment = reader.U64();
        if (!ulong.IsPow2(alignment)) throw reader.Damaged($"{alignment} is no alignment");
        uint hasOffset = reader.U32();
        long offset = (long)reader.U64();
        if (hasOffset > 1) throw reader.Damaged($"{hasOffset} is neither yes nor no");
        if (hasOffset == 0 && offset != 0) throw reader.Damaged("there is an offset of no thread-locals");
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            throw reader.Damaged("a module has no path");
        AddressRange[] writable = new AddressRange[reader.Count(NativeManifestReader.RangesMax)];
        for (int index = 0; index < writable.Length; index++)
        {
            writable[index] = reader.Range();
            if (!extent.WholePages().Contains(writable[index].Start, writable[index].Length))
                throw reader.Damaged($"{writable[index]} is not in the module at {extent}");
        }

        string[] needed = new string[reader.Count(NativeManifestReader.LibrariesMax)];
        for (int index = 0; index < needed.Length; index++) needed[index] = reader.Text();
        return new NativeModuleManifest
        {
            Path = path,
            BuildId = buildId,
            Base = extent.Start,
            Size = extent.Length,
            ThreadLocalSize = threadLocalSize,
            ThreadLocalAlignment = alignment,
            ThreadLocalOffset = hasOffset == 1 ? offset : null,
            Writable = writable,
            Needed = needed,
        };
    }
}
