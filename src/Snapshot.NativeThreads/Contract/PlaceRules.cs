namespace Snapshot.NativeThreads;

/// <summary>
/// The rules about where a native module is in memory, and that it can be told from another.
/// </summary>
internal static class PlaceRules
{
    internal static IEnumerable<NativeModuleViolation> ViolationsOf(ElfImage module)
    {
        if (module.Dynamic.IsProgram || module.Find(ElfSegmentType.Interpreter) is not null)
        {
            yield return new(
                NativeModuleRule.Library, "PT_INTERP", "is a program and not a library",
                "Link it with -shared.");
        }

        AddressRange extent = module.Extent;
        if (NativeModuleBase.At(extent.Start) is null)
        {
            yield return new(
                NativeModuleRule.Base,
                "PT_LOAD",
                $"is linked at 0x{extent.Start:x}, which is no base of native modules: these are 0x" +
                $"{NativeModuleBase.First:x} + n * 0x{NativeModuleBase.Size:x} with n from 0 to " +
                $"{NativeModuleBase.Count - 1}",
                "Link it with snapshot-cc, or with -Wl,-Ttext-segment= and one of these addresses.");
        }

        if (extent.Length > NativeModuleBase.Size)
        {
            yield return new(
                NativeModuleRule.Length,
                "PT_LOAD",
                $"is {extent.Length} bytes long, and at a base there are {NativeModuleBase.Size}",
                "Allocate large arrays in an arena instead of in variables of the module.");
        }

        if (ElfNotes.BuildIdOf(module) is null)
        {
            yield return new(
                NativeModuleRule.BuildId,
                ".note.gnu.build-id",
                "has no build id, so that a restart could not tell whether it was rebuilt",
                "Link it with -Wl,--build-id.");
        }
    }
}
