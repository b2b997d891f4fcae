using Snapshot.Interop;

namespace Snapshot.Threads.Native;

/// <summary>
/// The kernel modules of a session: those that are loaded, and in a restarted one those of the image.
/// </summary>
/// <remarks>
/// Not thread-safe. In a restarted session the modules of the image are loaded first, in the image's order, since that
/// decides where their thread-locals are; only then may a thread go on.
/// </remarks>
internal sealed unsafe class KernelModules
{
    private readonly Arena _arena;
    private readonly KernelSpaceHeader* _header;
    private readonly IReadOnlyList<KernelModuleManifest> _expected;
    private readonly KernelEnvironment _here = KernelEnvironment.Read();
    private readonly List<KernelModule> _loaded = [];
    private readonly List<ElfImage> _images = [];

    /// <summary>
    /// The runtime itself: captured stacks have addresses of its code. Nothing of its data is captured.
    /// </summary>
    private readonly KernelModuleManifest _runtime =
        KernelModuleManifest.Of(ElfImage.Open(NativeKernel.Path)) with { Writable = [] };

    /// <exception cref="SnapshotException">KernelModule: the image is of another processor or runtime.</exception>
    internal KernelModules(Arena arena, KernelSpaceHeader* header)
    {
        _arena = arena;
        _header = header;
        if (header->Manifest == null)
        {
            _expected = [];
            return;
        }

        int bytes = *(int*)header->Manifest;
        KernelManifest then = KernelManifest.FromBytes(new ReadOnlySpan<byte>(header->Manifest + sizeof(int), bytes));
        _expected = [.. then.Modules.Skip(1)];
        IReadOnlyList<string> differences =
            [.. then.Environment.Differences(_here), .. then.Modules[0].Differences(_runtime)];
        if (differences.Count > 0) throw Refused("The image cannot go on here.", differences, path: null);
    }

    internal IReadOnlyList<KernelModule> Loaded => _loaded;

    /// <summary>Whether all modules of the image are there.</summary>
    internal bool IsComplete => _loaded.Count >= _expected.Count;

    /// <summary>The files of the image that are still to be loaded, in order.</summary>
    internal IEnumerable<string> Missing => _expected.Skip(_loaded.Count).Select(module => module.Path);

    /// <summary>The module of that file, or null when it is not loaded.</summary>
    internal KernelModule? Find(string path) => _loaded.Find(module => module.Path == path);

    /// <summary>Checks and loads a file; it does not count before <see cref="Add"/>.</summary>
    /// <exception cref="SnapshotException">KernelModule.</exception>
    internal KernelModule Load(string path)
    {
        ElfImage image = KernelModuleContract.Require(path, _images);
        KernelModuleManifest manifest = KernelModuleManifest.Of(image);
        KernelModuleManifest.RequireApart([.. _loaded.Select(module => module.Manifest), manifest]);
        RequireSame(manifest);
        void* handle = NativeKernel.Load(path, out NativeModule place, out ulong moved, out string error);
        if (handle == null) throw Refused($"{path} could not be loaded: {error}", [], path);
        if (manifest.FaultOfPlace(manifest.Base + moved) is { } fault) throw Refused(fault, [], path);
        manifest = manifest with
        {
            ThreadLocalOffset = place.ThreadLocalBytes == 0 ? null : (long)place.ThreadLocalOffset,
        };
        RequireSame(manifest);
        ulong[] unwinder = [.. UnwindRules.UnwinderOf(image).SelectMany(range => (ulong[])[range.Start, range.End])];
        fixed (ulong* pairs = unwinder)
        {
            NativeError.ThrowIfFailed(
                NativeKernel.snk_module_add(&place, pairs, (uint)unwinder.Length / 2),
                "Registering a kernel module",
                "A process has at most 64 of them, with 4 KiB of thread-local variables together.");
        }

        _images.Add(image);
        return new KernelModule(manifest, handle);
    }

    /// <summary>The module is part of the session, and of its images.</summary>
    internal void Add(KernelModule module)
    {
        _loaded.Add(module);
        if (_loaded.Count > _expected.Count) Record();
    }

    /// <summary>
    /// Written anew elsewhere, and then taken by one store: memory may be captured at any moment of this.
    /// </summary>
    private void Record()
    {
        byte[] bytes = KernelManifest.ToBytes(_here, [_runtime, .. _loaded.Select(module => module.Manifest)]);
        byte* before = _header->Manifest;
        byte* fresh = (byte*)_arena.Allocate(sizeof(int) + bytes.Length);
        *(int*)fresh = bytes.Length;
        bytes.CopyTo(new Span<byte>(fresh + sizeof(int), bytes.Length));
        Volatile.Write(ref *(nint*)&_header->Manifest, (nint)fresh);
        if (before != null) _arena.Free(before);
    }

    private void RequireSame(KernelModuleManifest module)
    {
        if (_loaded.Count >= _expected.Count) return;
        KernelModuleManifest then = _expected[_loaded.Count];
        string name = Path.GetFileName(then.Path);
        if (Path.GetFileName(module.Path) != name)
        {
            throw Refused(
                $"The image has {name} as its kernel module {_loaded.Count + 1}, and {module.Path} is loaded in its " +
                "place. Load the same modules in the same order.",
                [],
                module.Path);
        }

        IReadOnlyList<string> differences = then.Differences(module);
        if (differences.Count > 0)
            throw Refused("The kernel module is not the one of the image.", differences, module.Path);
    }

    private static SnapshotException Refused(string what, IEnumerable<string> differences, string? path) =>
        new(SnapshotErrorCode.KernelModule, string.Join("\n  ", [what, .. differences])) { Path = path };
}
