using Snapshot.TestPrograms;

// The programs that tests start as processes of their own: one verb, one line.
return (args is [string verb, ..] ? verb : "") switch
{
    "tracker-as-user" => TrackerAsUser.Run(),
    _ => throw new ArgumentException($"unknown verb in: {string.Join(' ', args)}"),
};
