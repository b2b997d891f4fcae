using System.Runtime.Versioning;
using Snapshot.NativeThreads;
using Snapshot.Tool.Supervision;

namespace Snapshot.Tool.Execution;

/// <summary>
/// One process of a program that is captured at any instruction: from its start, or from an image.
/// </summary>
/// <param name="options">What is run, and how it is kept.</param>
/// <param name="say">Told, in a sentence, of what is no output of the program.</param>
[SupportedOSPlatform("linux")]
internal sealed unsafe class ProgramRun(ExecOptions options, Action<string> say)
{
    private const string ThreadName = "main";
    private const string ArenaName = "program";

    /// <summary>The part of the arena that is heap, in eighths; the rest is for stack and tables.</summary>
    private const long HeapEighths = 6;

    private static readonly TimeSpan s_untilContinued = TimeSpan.FromSeconds(2);

    /// <summary>Runs the program until it ends, or a signal asks for the end.</summary>
    /// <returns>What the command ends with.</returns>
    /// <exception cref="CannotStartException">There is no such program, or it is none.</exception>
    /// <exception cref="SnapshotException">The store or the machine does not let it run.</exception>
    internal int Run()
    {
        string program = ProgramFile.Find(options.Program[0]);
        RequireProgram(program);
        using ProgramEvents events = new();

        // Closed at the program's end only: when a signal ends the process, the program runs until then.
        SnapshotSession session =
            SnapshotSession.Open(options.Store, new SnapshotOptions { Store = options.StoreOptions });
        NativeHost host = OpenHost(session);
        NativeModule module = host.Load(program);
        ProgramStart* start = Prepare(session, host.Arena);
        if (start->Ended != 0)
        {
            say(
                $"the program has ended, with code {start->ExitCode}, and the store holds its end. To run " +
                "it anew, give another store.");
            session.Dispose();
            return start->ExitCode;
        }

        start->Asks = events.AsksDescriptor;
        start->Answers = events.AnswersDescriptor;
        start->IsContinued = 0;
        NativeThread thread = host.Start(ThreadName, module, ProgramEntry.Symbol, start);
        if (session.Restarted is { } restarted) TellRestart(restarted, start);
        WaitFor(thread, events);
        if (Attend(session, events) is { } signal) return Ending.OfSignal(signal).ExitCode;
        start->Ended = (long)thread.Join() + 1;
        Checkpoint(session, "its end, so that running it again will repeat the last part of it");
        session.Dispose();
        return start->ExitCode;
    }

    private static void RequireProgram(string path)
    {
        try
        {
            if (ProgramEntry.IsIn(ElfImage.Open(path))) return;
        }
        catch (SnapshotException error)
            when (error.Code == SnapshotErrorCode.NativeModule && error.InnerException is null)
        {
            // A script, or a program that is linked as most are: the same advice helps.
        }

        string name = Path.GetFileName(path);
        throw new CannotStartException(
            ExitCode.NotExecutable,
            $"'{path}' is no program that can be captured. Link it by snapshot-cc, of the package " +
            "Snapshot.NativeThreads: " +
            $"snapshot-cc --program gcc -O2 {name}.c -o {name}. See docs/NATIVE.md, 'A whole program'.");
    }

    private NativeHost OpenHost(SnapshotSession session)
    {
        // What an arena has that exists is what it keeps.
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        ArenaOptions defaults = new();
        bool isLarge = !session.IsRestarted && memory > defaults.Capacity / 2;
        Arena arena = session.OpenArena(
            ArenaName,
            isLarge
                ? new ArenaOptions { Capacity = Math.Min(2 * memory, ArenaOptions.MaxCapacity) } : defaults);
        return session.OpenNative(
            arena,
            new NativeOptions
            {
                StackBytes = options.StackBytes,
                HeapBytes = arena.Capacity / 8 * HeapEighths,
            });
    }

    /// <summary>The command line, given to a new program, compared with that of one that goes on.</summary>
    private ProgramStart* Prepare(SnapshotSession session, Arena arena)
    {
        ProgramStart* start = arena.RootPointer<ProgramStart>(ProgramStart.RootName);
        if (!session.IsRestarted)
        {
            start->Fill(arena, options.Program);
            return start;
        }

        if (start->Words.SequenceEqual(options.Program.Skip(1))) return start;
        throw new CannotStartException(
            ExitCode.Usage,
            $"the store holds the program with the arguments '{string.Join(' ', start->Words)}', which it " +
            "goes on with. Give the same, or begin anew with another store.");
    }

    /// <summary>
    /// Tells it behind what the program cuts off from a file that takes standard error, too.
    /// </summary>
    private void TellRestart(RestartInfo restarted, ProgramStart* start)
    {
        SpinWait.SpinUntil(() => Volatile.Read(ref start->IsContinued) != 0, s_untilContinued);
        say($"the program goes on from generation {restarted.Generation}.");
    }

    private static void WaitFor(NativeThread thread, ProgramEvents events) =>
        new Thread(() =>
        {
            thread.Join();
            events.Add(new ProgramEvent(ProgramEventKind.End));
        })
        { IsBackground = true, Name = "snapshot end" }.Start();

    /// <summary>Takes checkpoints while the program runs.</summary>
    /// <returns>The signal that asks for the end, or null: the program has ended.</returns>
    private int? Attend(SnapshotSession session, ProgramEvents events)
    {
        while (true)
        {
            ProgramEvent? happened = events.Next(options.Every);
            if (happened?.Kind == ProgramEventKind.End) return null;
            bool stops = happened?.Kind == ProgramEventKind.Stop;
            Checkpoint(
                session, stops ? "what it did since the last" : "this moment; the program runs on");
            if (stops) return happened!.Value.Signal;
            if (happened?.Kind == ProgramEventKind.Asked) events.Answer();
        }
    }

    /// <summary>Takes one; says what is lost when it fails.</summary>
    private void Checkpoint(SnapshotSession session, string lost)
    {
        try
        {
            session.RequestCheckpoint().WaitCommittedInThread();
        }
        catch (SnapshotException error)
        {
            say($"a checkpoint failed, and no image has {lost}. {error.Message}");
        }
    }
}
