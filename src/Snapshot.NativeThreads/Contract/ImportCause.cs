namespace Snapshot.NativeThreads;

/// <summary>
/// A part of libstdc++ that, linked into a module, imports many functions: what is to be changed is one line
/// of the module's source, and that is what is told.
/// </summary>
/// <param name="Name">As the source has it.</param>
/// <param name="Symbol">What is in the module where it is.</param>
/// <param name="Brings">What it imports, among what may be allowed.</param>
/// <param name="Problem">What is wrong; the module is the sentence's subject.</param>
/// <param name="Remedy">What to do; a sentence.</param>
internal sealed record ImportCause(string Name, string Symbol, string[] Brings, string Problem, string Remedy)
{
    private const string OfLocales =
        "newlocale __newlocale uselocale __uselocale duplocale __duplocale freelocale __freelocale " +
        "nl_langinfo_l __nl_langinfo_l __ctype_get_mb_cur_max __iswctype_l __wctype_l __towlower_l " +
        "__towupper_l __strcoll_l __wcscoll_l __strxfrm_l __wcsxfrm_l __strftime_l __wcsftime_l __strtod_l " +
        "__strtof_l strtold_l bind_textdomain_codeset bindtextdomain dgettext iconv iconv_open iconv_close " +
        "btowc wctob mbrtowc mbsnrtowcs mbsrtowcs wcrtomb wcsnrtombs __vsnprintf_chk __xpg_strerror_r";

    private const string OfStreams =
        "stdin stdout stderr fflush fread fwrite getc ungetc putc getwc ungetwc putwc fseeko64 ftello64";

    private const string OfFiles =
        "fopen fopen64 fdopen fclose fileno fstat64 ioctl lseek64 poll read write writev";

    private const string WriteElsewhere =
        "Let C# read and write, before, after or beside native code; std::to_string and snprintf make text.";

    private const string InProgram =
        "It pulls in libstdc++'s locale code, which keeps its state in libc. Read and write by stdio " +
        "(printf, fopen), which a program has; std::to_string and snprintf make text.";

    /// <summary>Where one brings another, it stands before that.</summary>
    private static readonly ImportCause[] s_all =
    [
        new(
            "<iostream>", "_ZNSt8ios_base4InitC1Ev", Split($"{OfStreams} {OfLocales}"),
            "has the streams of <iostream> in it, which belong to one process: its source, or a library " +
            "that is linked into it, says #include <iostream>",
            WriteElsewhere),
        new(
            "<fstream>", "_ZNSt12__basic_fileIcE4openEPKcSt13_Ios_Openmodei", Split($"{OfFiles} {OfLocales}"),
            "uses the file streams of <fstream>: a file that is open belongs to one process", WriteElsewhere),
        new(
            "std::locale", "_ZNSt6localeC1Ev", Split(OfLocales),
            "uses std::locale, whose state is in libc and not captured; string streams and std::regex do " +
            "so, too",
            "Do without them; std::to_string and snprintf make text."),
    ];

    /// <summary>Those that a module has.</summary>
    /// <param name="symbols">All its symbols, also those that it does not export.</param>
    /// <param name="isProgram">Whether it is a whole program, which has stdio.</param>
    internal static IEnumerable<ImportCause> In(IReadOnlyList<ElfSymbol> symbols, bool isProgram)
    {
        HashSet<string> defined = [.. symbols.Where(symbol => !symbol.IsImport).Select(
            symbol => symbol.Name)];
        return s_all.Where(cause => defined.Contains(cause.Symbol))
            .Select(cause => isProgram ? cause with { Remedy = InProgram } : cause);
    }

    private static string[] Split(string names) => names.Split(' ');
}
