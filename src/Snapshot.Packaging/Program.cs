using Snapshot.Packaging;

if (args is not [var version, var library, var command, var folder])
{
    Console.Error.WriteLine(
        "Usage: Snapshot.Packaging VERSION LIBRARY COMMAND FOLDER, from the root of the sources");
    return 2;
}

Directory.CreateDirectory(folder);
foreach (string made in new PackageSet(version, library, command, Environment.CurrentDirectory).Write(folder))
    Console.WriteLine($"Successfully created package '{made}'.");
return 0;
