using System.Runtime.InteropServices;

namespace Snapshot.Interop;

/// <summary>What a probe found.</summary>
/// <param name="Works">Whether it can be used.</param>
/// <param name="Detail">What was seen, for people.</param>
internal readonly record struct Finding(bool Works, string Detail)
{
    internal static Finding No(string why) => new(false, why);

    internal static Finding No(string what, int errno) => new(false, $"{what}: {Text(errno)}");

    internal static string Text(int errno) =>
        $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
}
