using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>What may be imported, and why the rest may not.</summary>
public sealed class NativeImportsTests
{
    [Theory]
    [InlineData(
        "memcpy __memcpy_chk memset strlen strchr strtod __isoc99_sscanf __isoc23_strtol __snprintf_chk " +
        "atoi")]
    [InlineData(
        "sin sinf sinl sincosf powl __pow_finite cexp _ZGVdN4v_exp fesetround sinq expf128 __signbitf")]
    [InlineData(
        "qsort bsearch _setjmp __sigsetjmp longjmp __longjmp_chk abort __assert_fail __stack_chk_fail")]
    [InlineData("clock_gettime time isalpha toupper sn_anything __errno_location rand_r")]
    [InlineData(
        "_gfortran_runtime_error_at _gfortran_pow_i8_i8 _gfortran_string_index __cxa_finalize _ITM_RU1")]
    public void Allowed(string names) =>
        Assert.All(names.Split(' '), name => Assert.Null(NativeImports.RefusalOf(name)));

    [Theory]
    [InlineData(
        "heap", "malloc calloc realloc free posix_memalign memalign strdup __strdup getline asprintf wcsdup")]
    [InlineData(
        "FILE*", "fopen fopen64 printf __printf_chk fputs fwrite puts stdout stderr fscanf __isoc99_fscanf")]
    [InlineData("descriptor", "read write open poll select epoll_wait recvfrom ioctl pread64")]
    [InlineData("sleeps", "sleep nanosleep usleep clock_nanosleep pause waitpid")]
    [InlineData(
        "thread",
        "pthread_create pthread_join thrd_create GOMP_parallel omp_get_num_threads pthread_key_create")]
    [InlineData(
        "lock of libc", "pthread_mutex_lock pthread_cond_wait sem_wait pthread_barrier_wait pthread_once")]
    [InlineData("another process", "fork vfork execve posix_spawn system")]
    [InlineData("signals", "signal sigaction raise pthread_sigmask setitimer alarm")]
    [InlineData("process's end", "atexit on_exit __cxa_thread_atexit_impl")]
    [InlineData("ends the process", "exit _exit")]
    [InlineData("libraries", "dlopen dlsym")]
    [InlineData("points into libc", "strtok strerror getenv localtime")]
    [InlineData("-D__NO_CTYPE", "__ctype_b_loc __ctype_toupper_loc")]
    [InlineData("random", "rand random drand48 _gfortran_random_r8")]
    [InlineData("not captured", "mmap setlocale sbrk")]
    [InlineData("stack", "swapcontext backtrace makecontext")]
    [InlineData("-static-libstdc++", "_Znwm __cxa_throw _Unwind_Resume _ZSt4cout __gxx_personality_v0")]
    [InlineData("Fortran", "_gfortran_st_write _gfortran_transfer_real")]
    [InlineData("libgfortran", "_gfortran_matmul_r8 _gfortran_string_trim _gfortran_internal_pack")]
    [InlineData("not known", "dgemm_ H5Fopen __something_chk")]
    public void Refused_with_the_reason(string reason, string names) => Assert.All(
        names.Split(' '),
        name => Assert.Contains(reason, NativeImports.RefusalOf(name) ?? name, StringComparison.Ordinal));
}
