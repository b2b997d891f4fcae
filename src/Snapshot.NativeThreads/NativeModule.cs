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
    internal string Path => Manifest.Path;

    /// <summary>The file's name.</summary>
    internal string Name => System.IO.Path.GetFileName(Path);

    internal NativeModuleManifest Manifest { get; }

    /// <summary>The address of a function that it exports, which is the same in every process.</summary>
    /// <param name="symbol">As the linker knows it: of C++ an <c>extern "C"</c> name, of Fortran a
    /// <c>bind(c)</c> one.</param>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.NativeModule"/>: there is none.
    /// </exception>
    internal nint Function(string symbol)
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
