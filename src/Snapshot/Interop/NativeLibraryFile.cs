using System.Buffers.Binary;
using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>The file of the C part beside the program, looked at when it could not be loaded.</summary>
internal static class NativeLibraryFile
{
    internal const string Name = "libsnapshot_native.so";

    private const int HeaderBytes = 20;
    private const int ByteOrder = 5; // EI_DATA
    private const byte LittleEndian = 1; // ELFDATA2LSB
    private const int Machine = 18; // e_machine

    /// <summary>What is wrong with it, and what to do, in a sentence.</summary>
    internal static string WhyUnloadable(string folder)
    {
        MachineArchitecture here = MachineArchitecture.Here;
        if (ArchitectureOf(Path.Combine(folder, Name)) is { } built && built != here)
        {
            return $"It is for {built.Name}, and this process is {here.Name}: publish the program for its " +
                "architecture (dotnet publish -r linux-x64, or -r linux-arm64).";
        }

        return "It is built for 64-bit Linux and is part of the package; reinstall the package or rebuild " +
            "the solution.";
    }

    /// <summary>Null where there is no such file, or it is none of ELF.</summary>
    private static MachineArchitecture? ArchitectureOf(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> header = stackalloc byte[HeaderBytes];
            if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes) return null;
            if (!header.StartsWith("\u007fELF"u8)) return null;
            return header[ByteOrder] == LittleEndian
                ? new MachineArchitecture(BinaryPrimitives.ReadUInt16LittleEndian(header[Machine..]), true)
                : new MachineArchitecture(BinaryPrimitives.ReadUInt16BigEndian(header[Machine..]), false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
