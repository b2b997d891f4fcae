using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>A file system in memory with room for so many bytes.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly DirectoryInfo _at = Directory.CreateTempSubdirectory("snapshot-disk-");
    private long _bytes;

    internal SmallDisk(long bytes)
    {
        _bytes = bytes;
        if (Run("mount", "-t", "tmpfs", "-o", Size(bytes), "none", _at.FullName) is { } error)
            throw new InvalidOperationException(error);
    }

    /// <summary>Why there can be none here, or null.</summary>
    internal static string? Obstacle { get; } = FindObstacle();

    internal string Path => System.IO.Path.Combine(_at.FullName, "store");

    internal string File(string name) => System.IO.Path.Combine(_at.FullName, name);

    internal long FreeBytes => new DriveInfo(_at.FullName).AvailableFreeSpace;

    internal void Enlarge(long bytes)
    {
        _bytes += bytes;
        if (Run("mount", "-o", "remount," + Size(_bytes), _at.FullName) is { } error)
            throw new InvalidOperationException(error);
    }

    public void Dispose()
    {
        string? error = Run("umount", _at.FullName);
        _at.Delete();
        if (error is not null) throw new InvalidOperationException(error);
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"size={bytes}");

    private static string? FindObstacle()
    {
        if (!Environment.IsPrivilegedProcess) return "only root may mount a small disk";
        try
        {
            new SmallDisk(1 << 20).Dispose();
            return null;
        }
        catch (InvalidOperationException error)
        {
            return $"a small disk cannot be mounted here: {error.Message}";
        }
    }

    private static string? Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {error}";
    }
}

/// <summary>A fact of a small disk, left out where there can be none.</summary>
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.Obstacle;
}

/// <summary>A theory of a small disk, left out where there can be none.</summary>
internal sealed class SmallDiskTheoryAttribute : TheoryAttribute
{
    public SmallDiskTheoryAttribute() => Skip = SmallDisk.Obstacle;
}
