using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>A thread of an image's writer.</summary>
internal static class ImageThread
{
    /// <summary>Starts it.</summary>
    /// <param name="options">Say what is to be around its work.</param>
    /// <param name="task">What it does.</param>
    /// <param name="work">The same as code.</param>
    /// <param name="fail">
    /// Takes what that throws, whatever it is: it is rethrown on the thread that appends.
    /// </param>
    internal static Thread Start(
        ImageWriterOptions options, CheckpointTask task, Action work, Action<Exception> fail)
    {
        Thread thread = new(Run) { IsBackground = true, Name = NameOf(task) };
        thread.Start();
        return thread;

        void Run()
        {
            try
            {
                options.Around(task, work);
            }
#pragma warning disable CA1031 // It is rethrown elsewhere.
            catch (Exception error)
#pragma warning restore CA1031
            {
                fail(error);
            }
        }
    }

    private static string NameOf(CheckpointTask task) => task == CheckpointTask.Encode
        ? "snapshot image encode"
        : "snapshot image write";
}
