using System.Text;

namespace Snapshot.Machines;

/// <summary>
/// The files of a kernel's package: the kernel itself, and modules in the order in which they load.
/// </summary>
/// <param name="package">The unpacked package.</param>
/// <param name="busybox">Unpacks modules.</param>
internal sealed class KernelFiles(string package, string busybox)
{
    private readonly Dictionary<string, string> _modules = Directory
        .EnumerateFiles(package, "*.ko*", SearchOption.AllDirectories)
        .ToDictionary(file => Plain(Path.GetFileName(file).Split('.')[0]));

    private readonly HashSet<string> _builtIn = [.. Directory
        .EnumerateFiles(package, "modules.builtin", SearchOption.AllDirectories)
        .SelectMany(File.ReadLines)
        .Select(line => Plain(Path.GetFileNameWithoutExtension(line)))];

    /// <summary>What a boot loader starts.</summary>
    internal string Kernel => Directory.GetFiles(Path.Combine(package, "boot"), "vmlinuz-*").Single();

    /// <summary>
    /// Copies modules and those that they need into a folder. Returns their file names in the order in which
    /// they load.
    /// </summary>
    /// <param name="names">The modules; what is built into the kernel needs no file.</param>
    /// <param name="folder">Where to.</param>
    /// <exception cref="MachineException">The kernel has no such module.</exception>
    internal IReadOnlyList<string> CopyModules(IEnumerable<string> names, string folder)
    {
        List<string> copied = [];
        foreach (string name in names) Copy(Plain(name), folder, copied);
        return copied;
    }

    private static string Plain(string name) => name.Replace('-', '_');

    private void Copy(string name, string folder, List<string> copied)
    {
        string file = $"{name}.ko";
        if (_builtIn.Contains(name) || copied.Contains(file)) return;
        if (!_modules.TryGetValue(name, out string? source))
            throw new MachineException($"The kernel in {package} has no module {name}.");

        string target = Path.Combine(folder, file);
        if (source.EndsWith(".xz", StringComparison.Ordinal))
            HostProgram.Require("sh", "-c", "\"$0\" xz -dc \"$1\" >\"$2\"", busybox, source, target);
        else File.Copy(source, target);
        foreach (string needed in Needed(File.ReadAllBytes(target))) Copy(Plain(needed), folder, copied);
        copied.Add(file);
    }

    /// <summary>The list that a module has of those it needs; depmod reads the same.</summary>
    private static string[] Needed(byte[] module)
    {
        ReadOnlySpan<byte> key = "\0depends="u8;
        int start = module.AsSpan().IndexOf(key);
        if (start < 0) return [];
        ReadOnlySpan<byte> rest = module.AsSpan(start + key.Length);
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]).Split(
            ',', StringSplitOptions.RemoveEmptyEntries);
    }
}
