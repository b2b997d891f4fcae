using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// Pages of a region whose content of the last capture is still read from where it lies. Thread-safe.
/// </summary>
internal interface IFrozenPages
{
    /// <summary>
    /// After the return nothing of a range is read from memory any more: it may be discarded. May wait for
    /// copies.
    /// </summary>
    public void Secure(PageRange pages);

    /// <summary>
    /// Notes a range as written, and lets it be written until the next capture. May wait for copies.
    /// </summary>
    public void Open(PageRange pages);
}
