using Snapshot.Base;

namespace Snapshot;

/// <summary>Which generations pruning keeps. Whatever a kept image needs is kept, too.</summary>
public sealed class RetentionPolicy
{
    /// <value>The number of newest generations that stay, whatever their age; default 2, so that one may turn
    /// out damaged.</value>
    public int KeepLast { get; init => field = OptionValue.AtLeast(value, 1); } = 2;

    /// <value>Also keep the generations whose number it divides; default 0: none.</value>
    public int KeepEvery { get; init => field = OptionValue.AtLeast(value, 0); }

    /// <value>The age up to which <see cref="KeepEvery"/> keeps a generation; default null: for ever.</value>
    public TimeSpan? MaxAge { get; init => field = value is { } age ? OptionValue.NotNegative(age) : null; }

    /// <value>
    /// Whether to keep generations that were passed over (<see cref="GenerationInfo.IsPassedOver"/>), beside
    /// those counted above; default true: whoever went on from an older generation may want to look at the
    /// younger ones.
    /// </value>
    public bool KeepPassedOver { get; init; } = true;

    /// <summary>The same but for what is given.</summary>
    internal RetentionPolicy With(int? keepLast = null, int? keepEvery = null) => new()
    {
        KeepLast = keepLast ?? KeepLast,
        KeepEvery = keepEvery ?? KeepEvery,
        MaxAge = MaxAge,
        KeepPassedOver = KeepPassedOver,
    };
}
