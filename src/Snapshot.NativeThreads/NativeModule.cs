using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>A library with code for native threads, loaded at the address at which it is linked.</summary>
/// <remarks>Immutable and thread-safe. It stays loaded until the process ends.</remarks>
public sealed unsafe class NativeModule
{
    private readonly void* _handle;

    internal NativeModule(NativeModuleManifest manifest, void* handle)
    {
        Manifest = manifest;
        _handle = handle;
    }

    /// <summary>The file it was loaded from.</summary>
    public string Path => Manifest.Path;

    /// <summary>The file's name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Hexadecimal digits that name what was linked; a rebuilt module has others.</summary>
    public string BuildId => Manifest.BuildId;

    /// <summary>The address of its first byte, in every process.</summary>
    public nint BaseAddress => (nint)Manifest.Base;

    internal NativeModuleManifest Manifest { get; }

    /// <summary>The address of a function that it exports, which is the same in every process.</summary>
    /// <param name="symbol">As the linker knows it: of C++ an <c>extern "C"</c> name, of Fortran a
    /// <c>bind(c)</c> one.</param>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.NativeModule"/>: there is none.
    /// </exception>
    public nint Function(string symbol)
    {
        ArgumentException.ThrowIfNullOrEmpty(symbol);
        void* found = NativeRuntime.Symbol(_handle, symbol);
        if (found != null && (ulong)found - Manifest.Base < Manifest.Size) return (nint)found;
        throw new SnapshotException(
            SnapshotErrorCode.NativeModule,
            $"{Path} exports no function '{symbol}'. Functions that are started are extern \"C\" (bind(c) " +
            "in Fortran) and have default visibility.")
        {
            Path = Path,
        };
    }
}
