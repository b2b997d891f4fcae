namespace KillDemo;

/// <summary>
/// Something the user can put right: a bad input, a directory in use, another run's parameters.
/// </summary>
internal sealed class RunException(string message, Exception? inner = null) : Exception(message, inner);
