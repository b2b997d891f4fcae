using System.Globalization;
using System.Text.RegularExpressions;

namespace Snapshot.Machines;

/// <summary>
/// Debian packages, fetched by apt and unpacked into a folder, installed nowhere. Several processes may use
/// one folder.
/// </summary>
/// <param name="folder">Where they are kept between runs.</param>
internal sealed partial class PackageCache(string folder)
{
    /// <summary>So long a server may be silent: a machine without network says so soon.</summary>
    private const string Timeout = "Acquire::http::Timeout=15";

    /// <summary>Where packages are kept when nothing else is said.</summary>
    internal static string DefaultFolder =>
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache/snapshot-machines");

    /// <summary>The folder with the files of a package in the version that apt offers now.</summary>
    /// <exception cref="MachineException">apt does not offer it, or cannot fetch it.</exception>
    internal string Unpacked(string package)
    {
        string version = Candidate(package)
            ?? throw new MachineException(
                $"apt offers no package {package}. Is this Debian? Run apt-get update.");
        string unpacked = Path.Combine(folder, $"{package}_{version.Replace(':', '-')}");
        if (!Directory.Exists(unpacked)) Fetch(package, version, unpacked);
        return unpacked;
    }

    /// <summary>
    /// The newest package of a kernel for virtual machines, such as linux-image-6.1.0-57-cloud-amd64 for 6.1.
    /// </summary>
    /// <exception cref="MachineException">apt offers none.</exception>
    internal static string NewestKernel(string version)
    {
        Regex name = new(
            $"^linux-image-{Regex.Escape(version)}\\.[0-9][^a-z]*(deb[0-9]+[^a-z]*)?-cloud-amd64$");
        string[] offered = HostProgram.Require("apt-cache", "pkgnames", $"linux-image-{version}.")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return offered.Where(package => name.IsMatch(package))
            .OrderByDescending(package => package, Comparer<string>.Create(CompareNumbers))
            .FirstOrDefault(package => Candidate(package) is not null)
            ?? throw new MachineException(
                $"apt offers no kernel {version} for virtual machines " +
                $"(linux-image-{version}.*-cloud-amd64). Debian 12 has 6.1, and 6.12 in its security " +
                "updates; run apt-get update.");
    }

    /// <summary>Orders names by the numbers in them, as versions are ordered.</summary>
    internal static int CompareNumbers(string left, string right)
    {
        int[] ofLeft = NumbersOf(left), ofRight = NumbersOf(right);
        foreach ((int l, int r) in ofLeft.Zip(ofRight))
        {
            if (l != r) return l.CompareTo(r);
        }

        return ofLeft.Length.CompareTo(ofRight.Length);
    }

    private static int[] NumbersOf(string name) =>
        [.. Number().Matches(name).Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture))];

    private static string? Candidate(string package)
    {
        Match candidate = CandidateLine().Match(HostProgram.Require("apt-cache", "policy", package));
        return candidate.Success && candidate.Groups[1].Value != "(none)" ? candidate.Groups[1].Value : null;
    }

    private void Fetch(string package, string version, string unpacked)
    {
        Directory.CreateDirectory(folder);
        string fresh = Directory.CreateDirectory($"{unpacked}.{Environment.ProcessId}").FullName;
        try
        {
            string download = Directory.CreateDirectory(Path.Combine(fresh, "download")).FullName;
            // apt-get downloads into its working directory and has no option for another.
            HostProgram.Require(
                "env", "-C", download, "apt-get", "-o", Timeout, "download", $"{package}={version}");
            string files = Path.Combine(fresh, "files");
            HostProgram.Require("dpkg-deb", "-x", Directory.GetFiles(download, "*.deb").Single(), files);
            // Whole or not there at all, and who comes second finds it there.
            if (!Directory.Exists(unpacked)) Directory.Move(files, unpacked);
        }
        finally
        {
            Directory.Delete(fresh, recursive: true);
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("Candidate: (\\S+)")]
    private static partial Regex CandidateLine();
}
