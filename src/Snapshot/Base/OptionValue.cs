using System.Numerics;
using System.Runtime.CompilerServices;

namespace Snapshot.Base;

/// <summary>
/// Checks what an option is given. Each error names the option: the property whose accessor calls.
/// </summary>
internal static class OptionValue
{
    /// <exception cref="ArgumentNullException">It is null.</exception>
    internal static T NotNull<T>(T? value, [CallerMemberName] string option = "") where T : class
    {
        ArgumentNullException.ThrowIfNull(value, option);
        return value;
    }

    /// <exception cref="ArgumentException">It is null or empty.</exception>
    internal static string NotEmpty(string? value, [CallerMemberName] string option = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(value, option);
        return value;
    }

    /// <exception cref="ArgumentOutOfRangeException">It is no member of its enumeration.</exception>
    internal static T Defined<T>(T value, [CallerMemberName] string option = "") where T : struct, Enum =>
        Enum.IsDefined(value) ? value : throw Refused(option, value, $"be a {typeof(T).Name}");

    /// <exception cref="ArgumentOutOfRangeException">It is less.</exception>
    internal static T AtLeast<T>(
        T value, T least, [CallerMemberName] string option = "") where T : INumber<T> =>
        value >= least ? value : throw Refused(option, value, $"be at least {least:N0}");

    /// <exception cref="ArgumentOutOfRangeException">It is less, or more.</exception>
    internal static T InRange<T>(T value, T least, T most, [CallerMemberName] string option = "")
        where T : INumber<T> =>
        value >= least && value <= most
            ? value : throw Refused(option, value, $"be from {least:N0} to {most:N0}");

    /// <exception cref="ArgumentOutOfRangeException">It is none.</exception>
    internal static T MultipleOf<T>(
        T value, T unit, [CallerMemberName] string option = "") where T : INumber<T> =>
        value % unit == T.Zero ? value : throw Refused(option, value, $"be a multiple of {unit:N0}");

    /// <exception cref="ArgumentOutOfRangeException">It is zero or less.</exception>
    internal static TimeSpan Positive(TimeSpan value, [CallerMemberName] string option = "") =>
        value > TimeSpan.Zero ? value : throw Refused(option, value, "be more than zero");

    /// <exception cref="ArgumentOutOfRangeException">It is less than zero.</exception>
    internal static TimeSpan NotNegative(TimeSpan value, [CallerMemberName] string option = "") =>
        value >= TimeSpan.Zero ? value : throw Refused(option, value, "not be negative");

    private static ArgumentOutOfRangeException Refused(string option, object value, string rule) =>
        new(option, value, $"{option} must {rule}.");
}
