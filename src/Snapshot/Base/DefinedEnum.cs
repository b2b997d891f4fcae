namespace Snapshot.Base;

/// <summary>Checks values of enumerations that options are given.</summary>
internal static class DefinedEnum
{
    /// <summary>The value, when it is a member of its enumeration.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    internal static T Checked<T>(T value) where T : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"not a {typeof(T).Name}");
}
