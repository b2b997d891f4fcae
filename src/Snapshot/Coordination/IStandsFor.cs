namespace Snapshot.Coordination;

/// <summary>
/// Others for whom a participant stands: they are stopped before its handlers run, and go on after these.
/// </summary>
internal interface IStandsFor
{
    /// <summary>Stops them all, or none.</summary>
    /// <param name="isWanted">Whether the checkpoint still is.</param>
    /// <returns>Whether they are stopped; false only when it is not wanted any more.</returns>
    public bool TryStop(Func<bool> isWanted);

    /// <summary>Lets them go on.</summary>
    public void Resume();
}
