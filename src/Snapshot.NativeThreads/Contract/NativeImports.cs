using System.Collections.Frozen;

namespace Snapshot.NativeThreads;

/// <summary>What native modules may import from other libraries, and what not, with the reason.</summary>
/// <remarks>
/// While a thread is in another library its capture waits; so a function may do what it likes inside, if it
/// ends soon and leaves nothing in the caller's hands that is not in the new process: no pointer into its
/// library, no memory of its heap, no id, no descriptor. What is not listed is refused. A line of the table
/// is a group: its reason, then its names; <c>name*</c> stands for all that begin so, <c>name~</c> also for
/// the versions of other number types.
/// </remarks>
internal static class NativeImports
{
    private static readonly string[] s_numberTypes = ["f", "l", "q", "f32", "f64", "f128", "f32x", "f64x"];

    private static readonly ImportGroup[] s_groups =
    [
        Allow("Snapshot's own", "sn_*"),
        Allow(
            "memory and strings that the caller gives",
            "mem* wmem* str* wcs* stpcpy stpncpy __stpcpy __strtok_r __xpg_strerror_r __rawmemchr bcmp " +
            "bcopy bzero index rindex ffs ffsl ffsll explicit_bzero swab basename"),
        Allow(
            "numbers from and to text",
            "sprintf snprintf vsprintf vsnprintf sscanf vsscanf atoi atol atoll atof quadmath_snprintf"),
        Allow(
            "classes of characters, by value",
            "isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace " +
            "isupper isxdigit tolower toupper toascii isw* tow*"),
        Allow(
            "elementary functions",
            "acos~ acosh~ asin~ asinh~ atan~ atan2~ atanh~ cbrt~ ceil~ copysign~ cos~ cosh~ drem~ erf~ " +
            "erfc~ exp~ exp10~ exp2~ expm1~ fabs~ fdim~ finite~ floor~ fma~ fmax~ fmin~ fmod~ frexp~ " +
            "gamma~ hypot~ ilogb~ isinf~ isnan~ j0~ j1~ jn~ ldexp~ lgamma~ llogb~ llrint~ llround~ log~ " +
            "log10~ log1p~ log2~ logb~ lrint~ lround~ modf~ nan~ nearbyint~ nextafter~ nextdown~ " +
            "nexttoward~ nextup~ pow~ pow10~ remainder~ remquo~ rint~ round~ roundeven~ scalb~ scalbln~ " +
            "scalbn~ significand~ sin~ sincos~ sinh~ sqrt~ tan~ tanh~ tgamma~ trunc~ y0~ y1~ yn~ lgamma_r " +
            "lgammaf_r lgammal_r"),
        Allow(
            "complex functions",
            "cabs~ cacos~ cacosh~ carg~ casin~ casinh~ catan~ catanh~ ccos~ ccosh~ cexp~ cimag~ clog~ " +
            "clog10~ conj~ cpow~ cproj~ creal~ csin~ csinh~ csqrt~ ctan~ ctanh~ cexpi~"),
        Allow(
            "kinds of numbers; elementary functions on vectors",
            "__finite~ __fpclassify~ __isinf~ __isnan~ __issignaling~ __signbit~ __iseqsig~ _ZGV*"),
        Allow(
            "the floating-point environment, which is in the registers",
            "feclearexcept fedisableexcept feenableexcept fegetenv fegetexcept fegetexceptflag fegetmode " +
            "fegetround feholdexcept feraiseexcept fesetenv fesetexcept fesetexceptflag fesetmode " +
            "fesetround fetestexcept fetestexceptflag feupdateenv"),
        Allow("integers", "abs labs llabs div ldiv lldiv imaxabs imaxdiv"),
        Allow("searching and sorting, with calls back", "bsearch lfind lsearch qsort qsort_r"),
        Allow(
            "random numbers from a state that the caller gives",
            "drand48_r erand48 jrand48 nrand48 rand_r random_r"),
        Allow(
            "jumps within the thread's own stack",
            "setjmp _setjmp __setjmp sigsetjmp __sigsetjmp longjmp _longjmp siglongjmp __longjmp_chk"),
        Allow(
            "the time, by value",
            "clock clock_getres clock_gettime difftime getrusage gettimeofday gmtime_r localtime_r mktime " +
            "time timegm times timespec_get sched_getcpu sched_yield"),
        Allow(
            "the end of the process",
            "abort __assert __assert_fail __assert_perror_fail __chk_fail __fortify_fail __stack_chk_fail"),
        Allow("errno, which is captured with its thread", "__errno_location"),
        Allow(
            "what compilers and C++ put into libraries",
            "__cxa_finalize __cxa_pure_virtual __gmon_start__ _ITM_* _ZGTt*"),
        Allow("messages, given back as they are where no catalogue is bound", "gettext dgettext dcgettext"),
        Allow(
            "destructors of static objects, which constructors register anew in every process",
            "__cxa_atexit"),
        Allow(
            "the search for unwind tables, within the module's own unwinder",
            "_dl_find_object dl_iterate_phdr"),
        Allow("thread-local variables, which have a rule of their own", "__tls_get_addr"),
        Allow(
            "functions of Fortran that return values or fill what the caller gives",
            "_gfortran_adjustl* _gfortran_adjustr* _gfortran_associated _gfortran_compare_string* " +
            "_gfortran_concat_string* _gfortran_cpu_time_* _gfortran_date_and_time _gfortran_erfc_scaled_* " +
            "_gfortran_is_extension_of _gfortran_pow_* _gfortran_select_string* _gfortran_size0 " +
            "_gfortran_size1 _gfortran_string_index* _gfortran_string_len_trim* _gfortran_string_scan* " +
            "_gfortran_string_verify* _gfortran_system_clock_* _gfortran_ieee_*"),
        Allow(
            "errors of Fortran, which end the process",
            "_gfortran_error_stop_* _gfortran_os_error* _gfortran_runtime_error* _gfortran_stop_*"),

        Refuse(
            "it allocates in libc's heap, which is not captured; link the shim, " +
            "libsnapshot_threads_shim.a, that allocates in the arena",
            "malloc calloc realloc reallocarray free cfree memalign aligned_alloc posix_memalign valloc " +
            "pvalloc malloc_usable_size mallopt mallinfo mallinfo2 malloc_trim"),
        Refuse(
            "its result is allocated in libc's heap, which is not captured; allocate in the module and copy",
            "strdup strndup __strdup __strndup wcsdup asprintf vasprintf __asprintf_chk __vasprintf_chk " +
            "getline getdelim __getdelim open_memstream realpath getcwd get_current_dir_name tempnam " +
            "scandir glob regcomp tsearch hcreate hsearch"),
        Refuse(
            "its result points into libc, which is elsewhere in the next process; use the form with _r, or " +
            "copy",
            "strtok strerror strerror_r strerror_l strerrorname_np strerrordesc_np strsignal __strerror_r " +
            "asctime ctime gmtime localtime getenv secure_getenv l64a ecvt fcvt inet_ntoa environ " +
            "__environ program_invocation_name"),
        Refuse(
            "it gives a pointer to libc's tables of characters, which a register would hold; compile with " +
            "-D__NO_CTYPE, as snapshot-cc does",
            "__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc"),
        Refuse(
            "the state of its random numbers is in libc and not captured; use rand_r, erand48, or a " +
            "generator of the module",
            "rand srand random srandom initstate setstate drand48 lrand48 mrand48 srand48 seed48 lcong48"),
        Refuse(
            "FILE* and what is behind it belong to one process; let C# read and write, outside native code",
            "fopen* fdopen freopen* fclose fflush fread* fwrite* fputc* fputs* fgetc* fgets* fgetw* fputw* " +
            "getc* getchar* gets putc* putchar* puts ungetc fprintf vfprintf printf vprintf dprintf " +
            "vdprintf fscanf vfscanf scanf vscanf fseek* ftell* rewind fgetpos* fsetpos* feof* ferror* " +
            "clearerr* fileno* setbuf* setvbuf setlinebuf perror tmpfile* popen pclose fmemopen stdin " +
            "stdout stderr _IO_* __overflow __uflow remove rename fputwc* fgetwc* wprintf swprintf") with
        {
            InProgram =
                "of stdio a program has what opens files by name, reads, writes and places, and " +
                "not this; do it by fopen, or use the library (docs/LIBRARY.md)",
        },
        RefuseOutsideOfBlockedCalls(
            "a descriptor belongs to one process, and a thread that waits in the kernel cannot be " +
            "captured; let C# do it, outside native code, or do it in a function that is called by " +
            "sn_blocked_call",
            "read write readv writev pread* pwrite* preadv* pwritev* open open64 openat* creat* close " +
            "lseek* fsync fdatasync dup dup2 dup3 pipe pipe2 ioctl fcntl* select pselect poll ppoll " +
            "epoll_* eventfd* socket* connect accept* bind listen send* recv* flock lockf* fstat* stat " +
            "stat64 lstat* ftruncate* unlink* mkdir* opendir readdir* memfd_create __read_chk __poll_chk " +
            "io_*") with
        {
            InProgram =
                "a descriptor, a socket or a device belongs to one process; read and write files " +
                "by stdio (fopen), or use the library (docs/LIBRARY.md)",
        },
        RefuseOutsideOfBlockedCalls(
            "it sleeps in the kernel, where a thread cannot be captured; use a condition of the arena " +
            "(sn_*), or do it in a function that is called by sn_blocked_call",
            "sleep usleep nanosleep clock_nanosleep pause wait waitpid wait3 wait4 waitid sigwait* " +
            "sigsuspend sigtimedwait") with
        {
            InProgram =
                "it waits for other processes or for signals, which are others after a restart; " +
                "do without it, or use the library (docs/LIBRARY.md)",
        },
        Refuse(
            "it starts or ends a thread behind Snapshot's back; start native threads by Snapshot",
            "pthread_create pthread_join pthread_detach pthread_exit pthread_cancel pthread_kill " +
            "pthread_setcancel* pthread_tryjoin_np pthread_timedjoin_np thrd_* clone __clone " +
            "pthread_attr_* pthread_testcancel") with
        {
            InProgram =
                "a program of 'snapshot exec' has one thread; use the library, in which several " +
                "can take part (docs/LIBRARY.md)",
        },
        Refuse(
            "OpenMP has threads that Snapshot does not know; start native threads by Snapshot and give " +
            "each its share",
            "GOMP_* omp_* __kmpc_* GOACC_* kmp_*") with
        {
            InProgram =
                "a program of 'snapshot exec' has one thread, and OpenMP has several; use the " +
                "library, with checkpoints between parallel regions (docs/LIBRARY.md)",
        },
        Refuse(
            "it is a lock of libc, which names its owner by an id of this process; link the shim, whose " +
            "mutexes are in the arena, or use sn_*",
            "pthread_mutex_* pthread_mutexattr_* pthread_cond_* pthread_condattr_* pthread_rwlock_* " +
            "pthread_spin_* pthread_barrier_* pthread_once sem_* mtx_* cnd_* call_once " +
            "pthread_rwlockattr_* pthread_barrierattr_*"),
        Refuse(
            "what it keeps for a thread is in libc and not captured; use __thread",
            "pthread_key_* __pthread_key_create pthread_getspecific pthread_setspecific tss_*"),
        Refuse(
            "it names this process or thread, and the next one is another; ask C# for it when the thread " +
            "is resumed",
            "getpid getppid gettid pthread_self pthread_equal getpgrp gethostname getuid geteuid getgid " +
            "sysconf") with
        {
            InProgram =
                "it names this process or machine, and the next one may be another; do without " +
                "it, or let a script put it into an argument",
        },
        Refuse(
            "it makes another process",
            "fork _Fork vfork exec* fexecve posix_spawn* system daemon ptrace") with
        {
            InProgram =
                "it makes another process, which no image has; let a script start it, or use the " +
                "library (docs/LIBRARY.md)",
        },
        Refuse(
            "signals are how a thread is captured; native code must not change or send them",
            "signal __sysv_signal sigaction sigprocmask pthread_sigmask sigaltstack raise kill killpg " +
            "tgkill sigqueue alarm ualarm setitimer timer_* siginterrupt sigset sigvec bsd_signal " +
            "pthread_sigqueue signalfd") with
        {
            InProgram =
                "signals are how the program is captured, and it must not change or send them; " +
                "checkpoints are taken by themselves, and on SIGUSR1",
        },
        Refuse(
            "what it registers for the process's end is lost in the next process; let C# do it",
            "atexit on_exit at_quick_exit __cxa_at_quick_exit __cxa_thread_atexit_impl pthread_atfork " +
            "__register_atfork"),
        Refuse(
            "it ends the process without a word to Snapshot; return, or abort",
            "exit _exit _Exit quick_exit"),
        Refuse(
            "libraries and their addresses are others in the next process; link against what is called",
            "dlopen dlmopen dlsym dlvsym dlclose dladdr dladdr1 dlinfo dlerror dlfcn*") with
        {
            InProgram =
                "libraries and their addresses are others in the next process; link against what " +
                "is called",
        },
        Refuse(
            "memory outside of arenas is not captured; allocate by malloc, or in an arena",
            "mmap mmap64 munmap mremap mprotect madvise brk sbrk shm_* shmat shmdt shmget mlock* " +
            "munlock*") with
        {
            InProgram =
                "memory outside of the program's heap is not captured; allocate by malloc",
        },
        Refuse("it calls the kernel past this list", "syscall prctl arch_prctl personality"),
        Refuse(
            "it runs on a stack that Snapshot does not know",
            "getcontext setcontext makecontext swapcontext"),
        Refuse(
            "it walks the stack, on which Snapshot may have put a return address of its own", "backtrace*"),
        Refuse(
            "locales are in libc's heap, which is not captured",
            "setlocale newlocale __newlocale duplocale freelocale uselocale __uselocale localeconv " +
            "nl_langinfo* __ctype_get_mb_cur_max iconv* wctype* btowc wctob mbrtowc wcrtomb mbsrtowcs " +
            "mbsnrtowcs wcsnrtombs catopen") with
        {
            InProgram =
                "locales are in libc's heap, which is not captured; without it the program has " +
                "the locale C",
        },
        Refuse(
            "the shared C++ runtime allocates in libc's heap and walks the stack; link with " +
            "-static-libstdc++ -static-libgcc, as snapshot-cc does",
            "_Z* __cxa_* __gxx_* __dynamic_cast _Unwind_* __gcc_personality_v0 __emutls_* __once_proxy"),
        Refuse(
            "the I/O of Fortran belongs to one process; let C# read and write, outside native code",
            "_gfortran_st_* _gfortran_transfer_* _gfortran_flush* _gfortran_caf_* _gfortran_get_command* " +
            "_gfortran_getarg* _gfortran_unit* _gfortran_ttynam* _gfortran_inquire* " +
            "_gfortran_execute_command* _gfortran_set_args _gfortran_set_options") with
        {
            InProgram =
                "the I/O and the start of Fortran programs are libgfortran's, which is not " +
                "captured; use the library, which has a module for Fortran (docs/LIBRARY.md)",
        },
        Refuse(
            "the state of its random numbers is in libgfortran and not captured; use a generator of the " +
            "module",
            "_gfortran_random_* _gfortran_arandom_* _gfortran_rand _gfortran_irand _gfortran_srand"),
        Refuse(
            "its result may be allocated by libgfortran, in libc's heap, which is not captured; write the " +
            "loop",
            "_gfortran_matmul_* _gfortran_pack* _gfortran_unpack* _gfortran_reshape* _gfortran_spread* " +
            "_gfortran_cshift* _gfortran_eoshift* _gfortran_transpose* _gfortran_internal_* " +
            "_gfortran_string_trim* _gfortran_string_minmax* _gfortran_sum_* _gfortran_product_* " +
            "_gfortran_count_* _gfortran_any_* _gfortran_all_* _gfortran_parity_* _gfortran_norm2_* " +
            "_gfortran_findloc* _gfortran_maxloc* _gfortran_minloc* _gfortran_mmaxloc* _gfortran_mminloc* " +
            "_gfortran_smaxloc* _gfortran_sminloc* _gfortran_maxval* _gfortran_minval* _gfortran_mmaxval* " +
            "_gfortran_mminval* _gfortran_smaxval* _gfortran_sminval* _gfortran_msum* _gfortran_ssum* " +
            "_gfortran_mproduct* _gfortran_sproduct* _gfortran_bessel_* _gfortran_iany_* _gfortran_iall_*"),
        Refuse(
            "MPI keeps its state in its library; call it from C#, outside native code",
            "MPI_* PMPI_* mpi_*") with
        {
            InProgram =
                "MPI keeps its state in its library, and a program of 'snapshot exec' is one " +
                "process; use the library, or VELOC's calls (docs/LIBRARY.md)",
        },
    ];

    private static readonly FrozenDictionary<string, ImportGroup> s_names = s_groups
        .SelectMany(group => group.Names.SelectMany(Versions).Select(name => (name, group)))
        .ToFrozenDictionary(pair => pair.name, pair => pair.group);

    /// <summary>
    /// The longest first: what begins with it is nearer to its group than to one of a shorter beginning.
    /// </summary>
    private static readonly (string Beginning, ImportGroup Group)[] s_beginnings = [.. s_groups
        .SelectMany(group => group.Names.Where(name => name[^1] == '*').Select(name => (name[..^1], group)))
        .OrderByDescending(pair => pair.Item1.Length)];

    /// <summary>
    /// Why an import is refused, as the rest of a sentence and what to do; null when it is allowed.
    /// </summary>
    /// <param name="symbol">The import.</param>
    /// <param name="hasBlockedCalls">
    /// Whether the module has functions that are called where they may wait.
    /// </param>
    /// <param name="isProgram">
    /// Whether it is a whole program, in which only the shim calls functions so, and no C# is around it.
    /// </param>
    internal static string? RefusalOf(string symbol, bool hasBlockedCalls = false, bool isProgram = false)
    {
        if ((GroupOf(symbol) ?? GroupOf(Plain(symbol))) is not { } group)
        {
            return "it is not known whether it blocks and whether its results survive; link it statically" +
                (isProgram ? "" : ", or build its library as a native module");
        }

        if (group.IsAllowed || (hasBlockedCalls && !isProgram && group.MayWaitInBlockedCall)) return null;
        return isProgram ? group.InProgram ?? group.Reason : group.Reason;
    }

    /// <summary>Whether it is allowed or refused by name, and not because nothing is known of it.</summary>
    internal static bool IsListed(string symbol) => (GroupOf(symbol) ?? GroupOf(Plain(symbol))) is not null;

    private static ImportGroup? GroupOf(string symbol)
    {
        if (s_names.TryGetValue(symbol, out ImportGroup? exact)) return exact;
        foreach ((string beginning, ImportGroup group) in s_beginnings)
        {
            if (symbol.StartsWith(beginning, StringComparison.Ordinal)) return group;
        }

        return null;
    }

    /// <summary>The function that a symbol is a checked, standard-dependent or fast form of.</summary>
    private static string Plain(string symbol)
    {
        string plain = symbol;
        foreach (string prefix in (string[])["__isoc99_", "__isoc23_", "__"])
        {
            if (!plain.StartsWith(prefix, StringComparison.Ordinal)) continue;
            bool isForm = prefix.Length > 2;
            foreach (string suffix in (string[])["_chk", "_finite", "_internal"])
            {
                if (!plain.EndsWith(suffix, StringComparison.Ordinal)) continue;
                plain = plain[..^suffix.Length];
                isForm = true;
            }

            return isForm ? plain[prefix.Length..] : symbol;
        }

        return symbol;
    }

    private static IEnumerable<string> Versions(string name) => name[^1] switch
    {
        '*' => [],
        '~' => [name[..^1], .. s_numberTypes.Select(type => name[..^1] + type)],
        _ => [name],
    };

    private static ImportGroup Allow(string reason, string names) => new(true, reason, names.Split(' '));

    private static ImportGroup Refuse(string reason, string names) => new(false, reason, names.Split(' '));

    private static ImportGroup RefuseOutsideOfBlockedCalls(string reason, string names) =>
        new(false, reason, names.Split(' ')) { MayWaitInBlockedCall = true };

    private sealed record ImportGroup(bool IsAllowed, string Reason, string[] Names)
    {
        /// <summary>
        /// Whether a module that calls functions by sn_blocked_call may have it. The file does not show
        /// whether it is also called elsewhere; a checkpoint that waits for such a thread names it.
        /// </summary>
        internal bool MayWaitInBlockedCall { get; init; }

        /// <summary>The reason for a whole program, where it is another.</summary>
        internal string? InProgram { get; init; }
    }
}
