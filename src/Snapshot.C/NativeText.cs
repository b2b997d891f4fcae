using System.Runtime.InteropServices;

namespace Snapshot.C;

/// <summary>Text that C keeps a pointer to: UTF-8 that ends with 0, given back with the object.</summary>
internal sealed unsafe class NativeText(string? text)
{
    ~NativeText() => Marshal.FreeCoTaskMem((nint)Pointer);

    internal byte* Pointer { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text ?? "");
}
