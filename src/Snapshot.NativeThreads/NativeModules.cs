using Snapshot.Interop;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>
/// The native modules of a session: those that are loaded, and in a restarted one those of the image.
/// </summary>
/// <remarks>
/// Not thread-safe. In a restarted session the modules of the image are loaded first, in the image's order,
/// since that decides where their thread-locals are; only then may a thread go on.
/// </remarks>
internal sealed unsafe class NativeModules
{
    private readonly Arena _arena;
    private readonly NativeSpaceHeader* _header;
    private readonly IReadOnlyList<NativeModuleManifest> _expected;
    private readonly NativeEnvironment _here = NativeEnvironment.Read();
    private readonly List<NativeModule> _loaded = [];
    private readonly List<ElfImage> _images = [];

    /// <summary>
    /// The runtime itself: captured stacks have addresses of its code. Nothing of its data is captured.
    /// </summary>
    private readonly NativeModuleManifest _runtime =
        NativeModuleManifest.Of(ElfImage.Open(NativeRuntime.Path)) with { Writable = [] };

    /// <exception cref="SnapshotException">
    /// NativeModule: the image is of another processor or runtime.
    /// </exception>
    internal NativeModules(Arena arena, NativeSpaceHeader* header)
    {
        _arena = arena;
        _header = header;
        if (header->Manifest == null)
        {
            _expected = [];
            return;
        }

        int bytes = *(int*)header->Manifest;
        NativeManifest then =
            NativeManifest.FromBytes(new ReadOnlySpan<byte>(header->Manifest + sizeof(int), bytes));
        _expected = [.. then.Modules.Skip(1)];
        IReadOnlyList<string> differences =
            [.. then.Environment.Differences(_here), .. then.Modules[0].Differences(_runtime)];
        if (differences.Count > 0) throw Refused("The image cannot go on here.", differences, path: null);
    }

    internal IReadOnlyList<NativeModule> Loaded => _loaded;

    /// <summary>Whether all modules of the image are there.</summary>
    internal bool IsComplete => _loaded.Count >= _expected.Count;

    /// <summary>The files of the image that are still to be loaded, in order.</summary>
    internal IEnumerable<string> Missing => _expected.Skip(_loaded.Count).Select(module => module.Path);

    /// <summary>The module of that file, or null when it is not loaded.</summary>
    internal NativeModule? Find(string path) => _loaded.Find(module => module.Path == path);

    /// <summary>Checks and loads a file; it does not count before <see cref="Add"/>.</summary>
    /// <exception cref="SnapshotException">NativeModule.</exception>
    internal NativeModule Load(string path)
    {
        ElfImage image = NativeModuleContract.Require(path, _images);
        NativeModuleManifest manifest = NativeModuleManifest.Of(image);
        NativeModuleManifest.RequireApart([.. _loaded.Select(module => module.Manifest), manifest]);
        RequireSame(manifest);
        void* handle = NativeRuntime.Load(path, out LoadedModule place, out ulong moved, out string error);
        if (handle == null) throw Refused($"{path} could not be loaded: {error}", [], path);
        if (manifest.FaultOfPlace(manifest.Base + moved) is { } fault) throw Refused(fault, [], path);
        manifest = manifest with
        {
            ThreadLocalOffset = place.ThreadLocalBytes == 0 ? null : (long)place.ThreadLocalOffset,
        };
        RequireSame(manifest);
        ulong[] unwinder = [.. UnwindRules.UnwinderOf(image).SelectMany(
            range => (ulong[])[range.Start, range.End])];
        fixed (ulong* pairs = unwinder)
        {
            NativeError.ThrowIfFailed(
                NativeRuntime.snt_module_add(&place, pairs, (uint)unwinder.Length / 2),
                "Registering a native module",
                "A process has at most 64 of them, with 4 KiB of thread-local variables together.");
        }

        _images.Add(image);
        return new NativeModule(manifest, handle);
    }

    /// <summary>The module is part of the session, and of its images.</summary>
    internal void Add(NativeModule module)
    {
        _loaded.Add(module);
        if (_loaded.Count > _expected.Count) Record();
    }

    /// <summary>
    /// Written anew elsewhere, and then taken by one store: memory may be captured at any moment of this.
    /// </summary>
    private void Record()
    {
        byte[] bytes =
            NativeManifest.ToBytes(_here, [_runtime, .. _loaded.Select(module => module.Manifest)]);
        byte* before = _header->Manifest;
        byte* fresh = (byte*)_arena.Allocate(sizeof(int) + bytes.Length);
        *(int*)fresh = bytes.Length;
        bytes.CopyTo(new Span<byte>(fresh + sizeof(int), bytes.Length));
        Volatile.Write(ref *(nint*)&_header->Manifest, (nint)fresh);
        if (before != null) _arena.Free(before);
    }

    private void RequireSame(NativeModuleManifest module)
    {
        if (_loaded.Count >= _expected.Count) return;
        NativeModuleManifest then = _expected[_loaded.Count];
        string name = Path.GetFileName(then.Path);
        if (Path.GetFileName(module.Path) != name)
        {
            throw Refused(
                $"The image has {name} as its native module {_loaded.Count + 1}, and {module.Path} is " +
                "loaded in its place. Load the same modules in the same order.",
                [],
                module.Path);
        }

        IReadOnlyList<string> differences = then.Differences(module);
        if (differences.Count > 0)
            throw Refused("The native module is not the one of the image.", differences, module.Path);
    }

    private static SnapshotException Refused(string what, IEnumerable<string> differences, string? path) =>
        new(SnapshotErrorCode.NativeModule, string.Join("\n  ", [what, .. differences])) { Path = path };
}
