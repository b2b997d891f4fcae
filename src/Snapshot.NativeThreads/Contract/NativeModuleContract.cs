using System.Text;

namespace Snapshot.NativeThreads;

/// <summary>
/// What a shared library must keep for threads that run its code to be captured at any instruction.
/// </summary>
/// <remarks>
/// A captured stack, and the registers, hold addresses of the module's code and data: so it is linked at a
/// fixed address. They must hold nothing else of the process: so addresses of other libraries stay in memory
/// that is written anew when the module is loaded and never captured, and what is imported leaves nothing
/// behind. And each stack must be walked, to know that. docs/NATIVE.md says the same to those who build
/// modules.
/// </remarks>
internal static class NativeModuleContract
{
    /// <summary>
    /// Goes up when a module that was good becomes bad, or the other way round: a note says which was
    /// checked.
    /// </summary>
    internal const uint Version = 1;

    /// <summary>All violations, those of the layout first.</summary>
    /// <param name="module">The library.</param>
    /// <param name="others">The native modules that it may import from.</param>
    /// <exception cref="SnapshotException">NativeModule: the file is damaged.</exception>
    internal static IReadOnlyList<NativeModuleViolation> ViolationsOf(
        ElfImage module, IReadOnlyCollection<ElfImage> others)
    {
        IReadOnlyList<ElfSection> sections = ElfSection.ReadAll(module);
        IReadOnlyList<ElfSymbol> symbols = ElfSymbol.ReadStatic(module, sections);
        return
        [
            .. PlaceRules.ViolationsOf(module),
            .. ProtectionRules.ViolationsOf(module, sections),
            .. ThreadLocalRules.ViolationsOf(module, symbols),
            .. UnwindRules.ViolationsOf(module, symbols),
            .. BindingRules.ViolationsOf(module),
            .. ImportRules.ViolationsOf(module, symbols, others),
            .. NoteRules.ViolationsOf(module),
        ];
    }

    /// <summary>Opens a library that keeps the contract.</summary>
    /// <param name="path">The file.</param>
    /// <param name="others">The native modules that it may import from.</param>
    /// <exception cref="SnapshotException">
    /// NativeModule, with all violations and what to do about each.
    /// </exception>
    internal static ElfImage Require(string path, IReadOnlyCollection<ElfImage> others)
    {
        ElfImage module = ElfImage.Open(path);
        IReadOnlyList<NativeModuleViolation> violations = ViolationsOf(module, others);
        if (violations.Count == 0) return module;
        StringBuilder message = new(
            $"{path} breaks the contract of native modules (docs/NATIVE.md in the package Snapshot):");
        foreach (NativeModuleViolation violation in violations) message.Append("\n  ").Append(violation);
        throw new SnapshotException(SnapshotErrorCode.NativeModule, message.ToString()) { Path = path };
    }
}
