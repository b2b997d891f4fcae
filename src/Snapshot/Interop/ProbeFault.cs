namespace Snapshot.Interop;

/// <summary>One fault for a probe: a thread touches a page, waits, and is let go on.</summary>
/// <remarks>
/// The thread must touch the page in native code. In managed code it would sleep where a garbage collection
/// waits for it, and the code that lets it go on is managed here.
/// </remarks>
internal static unsafe class ProbeFault
{
    private const int TimeoutMilliseconds = 2000;

    /// <summary>
    /// What a probe found, for a thread that touches a page and for a system call that does.
    /// </summary>
    internal readonly record struct Result(Finding Works, Finding InSystemCalls)
    {
        internal static Result Nothing(string why) =>
            new(Finding.No(why), Finding.No("not tried: it does not work for a thread"));

        internal static Result Nothing(string what, int errno) => Nothing(Finding.No(what, errno).Detail);
    }

    /// <summary>What works for a thread is tried by a system call: read(2) into a page.</summary>
    /// <param name="userfault">Where the kernel tells of the fault.</param>
    /// <param name="detail">What was seen so far, which worked.</param>
    /// <param name="waited">What to say when the call waited and succeeded.</param>
    /// <param name="page">The page, of number 5.</param>
    /// <param name="serve">Has it touched as it is told, and answers; what went wrong, or null.</param>
    internal static Result AlsoInSystemCalls(
        UserfaultDescriptor userfault, string detail, string waited, byte* page, Func<Action, string?> serve)
    {
        if (!userfault.WaitsInSystemCalls)
        {
            return new Result(
                new Finding(true, detail),
                Finding.No("read(2) into such a page fails with EFAULT: user-mode only"));
        }

        bool read = false;
        string? wrong = serve(() => read = WriteProtectProbe.ReadInto(page));
        return wrong is null && read
            ? new Result(new Finding(true, detail), new Finding(true, waited))
            : new Result(
                new Finding(true, detail), Finding.No($"read(2) into page 5: {wrong ?? "it failed"}"));
    }

    /// <summary>Has a page touched and the fault answered; what went wrong, or null.</summary>
    /// <param name="userfault">Where the kernel tells of the fault.</param>
    /// <param name="page">The page.</param>
    /// <param name="touch">Touches it, on a thread of its own.</param>
    /// <param name="answer">Lets the thread go on; 0 or an errno.</param>
    internal static string? Serve(UserfaultDescriptor userfault, byte* page, Action touch, Func<int> answer)
    {
        Thread toucher = new(() => touch()) { IsBackground = true };
        toucher.Start();
        ulong address;
        int waiting = Native.sn_uffd_next_fault(userfault.Number, TimeoutMilliseconds, &address);
        int answering = answer();
        if (answering != 0) userfault.Dispose(); // nobody waits any longer
        toucher.Join();
        if (waiting != 0) return $"the kernel did not tell: {Finding.Text(waiting)}";
        if (address != (ulong)page) return $"the kernel told of another page, at 0x{address:x}";
        return answering == 0 ? null : $"it cannot be answered: {Finding.Text(answering)}";
    }
}
