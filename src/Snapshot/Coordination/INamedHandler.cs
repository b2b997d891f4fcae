namespace Snapshot.Coordination;

/// <summary>
/// A handler that keeps state under its name. Called when it is registered, before anything else.
/// </summary>
internal interface INamedHandler
{
    /// <param name="name">
    /// Unique in the session, and the same for the same registration in a new process.
    /// </param>
    public void Name(string name);
}
