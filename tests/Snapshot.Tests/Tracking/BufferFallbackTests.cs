using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.TestPrograms;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>Memory of programs where the kernel tells less, and static memory of a library.</summary>
public sealed unsafe class BufferFallbackTests : IDisposable
{
    private static readonly string[] s_missing =
        [nameof(ForeignScenarios.Unmapped), nameof(ForeignScenarios.WithoutAccess)];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-static-");

    public static TheoryData<string> Scenarios => [.. ForeignScenarios.All.Keys];

    public static TheoryData<string> ScenariosWithoutGaps => [.. ForeignScenarios.All.Keys.Except(s_missing)];

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Linux before 6.11 does not answer for one mapping.</summary>
    [MachineTheory]
    [Needs(Capability.WriteTracking)]
    [MemberData(nameof(Scenarios))]
    public void Mappings_may_be_read_out_of_their_text(string scenario)
    {
        using UserfaultDescriptor userfault = UserfaultDescriptor.Open();
        using PagemapDescriptor pagemap = PagemapDescriptor.Open(canScan: true);
        using ScanCrew crew = new(pagemap);
        using MappingLookup text = MappingLookup.TryOpen(asks: false)!;
        BufferTerms terms = new(userfault, pagemap, crew, text, MayWatch: true, IsInParent: false);
        ForeignScenarios.All[scenario](
            region => new LookingAnew(new BufferTracker(region, terms), text));
    }

    /// <summary>In a sandbox without /proc all is read, and never skipped for being without memory.</summary>
    [Theory]
    [MemberData(nameof(ScenariosWithoutGaps))]
    public void Without_any_of_proc_content_tells(string scenario)
    {
        if (scenario == nameof(ForeignScenarios.NeverTouched)) return;
        BufferTerms terms = new(null, null, null, null, MayWatch: true, IsInParent: false);
        ForeignScenarios.All[scenario](region => new BufferTracker(region, terms));
    }

    [MachineFact]
    [Needs(Capability.WriteTracking, Programs = ["cc"], Toolchain = true)]
    public void Static_arrays_are_watched_where_they_are_no_file_and_hashed_where_they_are()
    {
        const int bytes = 256 << 10;
        string source = Path.Combine(_folder.FullName, "static.c");
        string library = Path.Combine(_folder.FullName, "static.so");
        File.WriteAllText(source, $"char zeros[{bytes}]; char filled[{bytes}] = {{1}};");
        ProgramResult built = Repository.Run(
            _folder.FullName, "cc", "-shared", "-fPIC", "-o", library, source);
        Assert.True(built.ExitCode == 0, built.ToString());
        nint handle = NativeLibrary.Load(library);
        using TrackerFactory factory = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        foreach (string name in (string[])["zeros", "filled"])
        {
            byte* at = (byte*)NativeLibrary.GetExport(handle, name);
            for (int page = 0; page < bytes; page += Pages.Size) at[page] = 1;
            using ForeignMemory memory = new(at, bytes, region => factory.CreateForBuffer(region));
            Assert.Equal(name == "zeros", memory.IsWatched);
            memory.ExpectAll();
            memory.Expect();
            at[100_000] ^= 1;
            memory.Expect(memory.Around(100_000));
        }
    }

    /// <summary>Before each collect what is mapped is looked at anew, as it is before each pause.</summary>
    private sealed class LookingAnew(DirtyTracker tracker, MappingLookup mappings) : DirtyTracker
    {
        internal override TrackingMechanism Mechanism => tracker.Mechanism;

        internal override bool SeesEveryWrite => tracker.SeesEveryWrite;

        internal override void Arm() => tracker.Arm();

        internal override void Collect(PageBitmap changed)
        {
            mappings.Forget();
            tracker.Collect(changed);
        }

        internal override long CountChanged() => tracker.CountChanged();

        internal override void GiveBack(PageBitmap pages) => tracker.GiveBack(pages);

        internal override void MarkEmpty(PageBitmap into) => tracker.MarkEmpty(into);

        internal override void Leave() => tracker.Leave();

        internal override void HandOver(PageBitmap pages) => tracker.HandOver(pages);

        public override void Dispose() => tracker.Dispose();
    }
}
