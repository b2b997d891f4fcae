namespace Snapshot.C;

/// <summary>A handler of C while it is registered.</summary>
internal sealed class RegisteredHandler(HandlerRegistration registration, CallbackHandler handler)
{
    /// <summary>Unregisters it; no part of it is called any more when this returns.</summary>
    internal void Remove()
    {
        registration.Dispose();
        handler.Retire();
    }
}
