using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Threads.Fibers;

/// <summary>One type of frame as an arena records it. Kept in images.</summary>
internal unsafe struct FrameTypeEntry
{
    /// <summary>UTF-8: the name with its assembly, then the layout. An allocation of the arena.</summary>
    internal byte* Text;

    internal int NameBytes;
    internal int LayoutBytes;

    /// <summary>The version of its module, mixed with those of what its fields are made of.</summary>
    internal Guid Module;
}

/// <summary>The table of an arena's frame types, and the code of each in this process.</summary>
/// <remarks>
/// An index once given stands for its type for ever: frames hold it. In a new process the code of each type
/// is found by name, and checked by module version and layout, once a type and not once a frame. Thread-safe;
/// <see cref="Code"/> is read without a lock: a larger table is published complete, and the smaller ones stay
/// valid to the end.
/// </remarks>
internal sealed unsafe class FrameTypes
{
    private const int FirstCapacity = 16;

    /// <summary>Of arrays, pointers and type arguments in the name of a type.</summary>
    private const int LevelsMost = 1000;

    /// <summary>One lock for all tables: the indices of a type are an array that they share.</summary>
    private static readonly Lock s_recording = new();

    private static int s_lastNumber;

    private readonly Arena _arena;
    private readonly FiberSpaceHeader* _header;

    /// <summary>Where <see cref="FrameCode{T}.Indices"/> keeps this table's index of a type.</summary>
    private readonly int _number = Interlocked.Increment(ref s_lastNumber);

    private nint[] _code = [];

    internal FrameTypes(Arena arena, FiberSpaceHeader* header)
    {
        _arena = arena;
        _header = header;
        _code = new nint[Math.Max(FirstCapacity, header->TypeCapacity)];
    }

    /// <summary>
    /// The code of each frame type by its index; 0 for one that this process does not have.
    /// </summary>
    internal nint[] Code => Volatile.Read(ref _code);

    /// <summary>The index of a type; recorded when this is the first frame of it.</summary>
    /// <exception cref="SnapshotException">ArenaFull; nothing was changed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int IndexOf<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>()
        where TStateMachine : IAsyncStateMachine
    {
        int[] indices = Volatile.Read(ref FrameCode<TStateMachine>.Indices);
        int index = (uint)_number < (uint)indices.Length ? Volatile.Read(ref indices[_number]) : 0;
        return index != 0 ? index : Record<TStateMachine>();
    }

    /// <summary>Finds the code of every recorded type.</summary>
    /// <returns>By index what is wrong with those that cannot be resumed here.</returns>
    internal Dictionary<int, string> BindRecorded()
    {
        Dictionary<int, string> faults = [];
        lock (s_recording)
        {
            for (int index = 1; index <= _header->TypeCount; index++)
            {
                if (FaultOf(index) is { } fault) faults.Add(index, fault);
            }
        }

        return faults;
    }

    /// <summary>The recorded name of a type, with its assembly.</summary>
    internal string NameOf(int index)
    {
        FrameTypeEntry* entry = _header->Types + index;
        return Encoding.UTF8.GetString(entry->Text, entry->NameBytes);
    }

    /// <summary>
    /// The fiber method that a type of frame belongs to, in words; also for an index that is none.
    /// </summary>
    internal string MethodOf(int index)
    {
        if (index < 1 || index > _header->TypeCount) return "a method";
        string name = NameOf(index);
        return Named(name) is { } type ? FrameDiagnosis.MethodOf(type) : name;
    }

    /// <summary>
    /// The type of that name in this process, or null. The name may be anything that an image says.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2057",
        Justification = "A type that was trimmed has no frames; else the error says so.")]
    [UnconditionalSuppressMessage(
        "Trimming", "IL2073", Justification = "Promotion names the instantiation, and keeps the fields.")]
    [return: DynamicallyAccessedMembers(FrameLayout.Members)]
    internal static Type? Named(string name)
    {
        // The runtime takes a name apart by recursion: some thousand levels overflow the stack.
        if (name.AsSpan().CountAny('[', '*', '&') > LevelsMost) return null;
        try
        {
            return Type.GetType(name, throwOnError: false);
        }
        catch (Exception error)
            when (error is ArgumentException or TypeLoadException or IOException or BadImageFormatException)
        {
            // "No error" means a type that is not there, and not a name of one that could not be.
            return null;
        }
    }

    private string LayoutOf(int index)
    {
        FrameTypeEntry* entry = _header->Types + index;
        return Encoding.UTF8.GetString(entry->Text + entry->NameBytes, entry->LayoutBytes);
    }

    /// <summary>
    /// Binds one type. Ahead of time too: the code that made the first frame of a type names
    /// <see cref="Bind"/> of it, so it is there to be found.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2060", Justification = "Promotion names the instantiation, and keeps the fields.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Promotion names the instantiation.")]
    private string? FaultOf(int index)
    {
        string name = NameOf(index);
        Type? type = Named(name);
        bool isFrame =
            type is { ContainsGenericParameters: false } && type.IsAssignableTo(typeof(IAsyncStateMachine));
        if (type is null || !isFrame) return "this process does not have it";
        Guid module = ModuleOf(type);
        if (module != _header->Types[index].Module)
        {
            return $"it is of another build (module version {_header->Types[index].Module} in the image, " +
                $"{module} here); restart with the binaries that wrote the image";
        }

        typeof(FrameTypes).GetMethod(nameof(Bind), BindingFlags.Instance | BindingFlags.NonPublic)!
            .MakeGenericMethod(type).Invoke(this, [index]);
        string layout = (string)typeof(FrameTypes)
            .GetMethod(nameof(Layout), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(type).Invoke(null, [])!;
        if (layout == LayoutOf(index)) return null;
        return "its frame has another layout in this runtime: " +
            $"{FrameLayout.Difference(LayoutOf(index), layout)}";
    }

    private void Bind<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(int index)
        where TStateMachine : IAsyncStateMachine
    {
        nint[] code = _code;
        if (index >= code.Length) Array.Resize(ref code, 2 * index);
        code[index] = FrameCode<TStateMachine>.Address;
        Volatile.Write(ref _code, code);

        // Last: who finds the index takes no lock, makes a frame with it, and may run that at once.
        int[] indices = FrameCode<TStateMachine>.Indices;
        if (indices.Length <= _number) Array.Resize(ref indices, _number + 1);
        Volatile.Write(ref indices[_number], index);
        Volatile.Write(ref FrameCode<TStateMachine>.Indices, indices);
    }

    private static string Layout<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>()
        where TStateMachine : IAsyncStateMachine => FrameLayout.Describe<TStateMachine>();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Record<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>()
        where TStateMachine : IAsyncStateMachine
    {
        lock (s_recording)
        {
            int[] indices = FrameCode<TStateMachine>.Indices;
            if (_number < indices.Length && indices[_number] != 0) return indices[_number];
            byte[] name = Encoding.UTF8.GetBytes(typeof(TStateMachine).AssemblyQualifiedName!);
            byte[] layout = Encoding.UTF8.GetBytes(Layout<TStateMachine>());
            if (_header->TypeCount + 1 >= _header->TypeCapacity) GrowEntries();
            byte* text = (byte*)_arena.Allocate(name.Length + layout.Length);
            name.CopyTo(new Span<byte>(text, name.Length));
            layout.CopyTo(new Span<byte>(text + name.Length, layout.Length));
            int index = _header->TypeCount + 1;
            _header->Types[index] = new FrameTypeEntry
            {
                Text = text,
                NameBytes = name.Length,
                LayoutBytes = layout.Length,
                Module = ModuleOf(typeof(TStateMachine)),
            };
            _header->TypeCount = index;
            Bind<TStateMachine>(index);
            return index;
        }
    }

    private void GrowEntries()
    {
        int capacity = Math.Max(FirstCapacity, 2 * _header->TypeCapacity);
        FrameTypeEntry* types = (FrameTypeEntry*)_arena.Allocate((long)capacity * sizeof(FrameTypeEntry));
        for (int index = 1; index <= _header->TypeCount; index++) types[index] = _header->Types[index];
        if (_header->Types != null) _arena.Free(_header->Types);
        _header->Types = types;
        _header->TypeCapacity = capacity;
    }

    /// <summary>
    /// The module version of a state machine, and those of the types that its fields and type arguments are
    /// of.
    /// </summary>
    /// <remarks>
    /// A struct of another assembly may be another one after a rebuild of that assembly alone. The core
    /// library is left out: it differs between just in time and ahead of time, and between updates of the
    /// runtime, of which what the layout shows is what counts. This library's version is compared for all
    /// frames together.
    /// </remarks>
    private static Guid ModuleOf([DynamicallyAccessedMembers(FrameLayout.Members)] Type machine)
    {
        HashSet<Guid> modules = [machine.Module.ModuleVersionId];
        foreach (Type argument in machine.GetGenericArguments()) AddModules(modules, argument);
        foreach (FieldInfo field in FrameLayout.FieldsOf(machine)) AddModules(modules, field.FieldType);
        if (modules.Count == 1) return machine.Module.ModuleVersionId;
        UInt128 mixed = 0;
        foreach (Guid module in modules) mixed ^= Number(module);
        Span<byte> bytes = stackalloc byte[16];
        MemoryMarshal.Write(bytes, mixed);
        return new Guid(bytes);
    }

    private static void AddModules(HashSet<Guid> modules, Type type)
    {
        while (type.HasElementType) type = type.GetElementType()!;
        bool isCompared =
            type.Assembly != typeof(object).Assembly && type.Assembly != typeof(FrameTypes).Assembly;
        if (isCompared) modules.Add(type.Module.ModuleVersionId);
        foreach (Type argument in type.GetGenericArguments()) AddModules(modules, argument);
    }

    private static UInt128 Number(Guid guid)
    {
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes);
        return MemoryMarshal.Read<UInt128>(bytes);
    }
}
