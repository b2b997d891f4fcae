using System.Diagnostics;
using Snapshot.NativeThreads;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// Modules with what the shim has in place of parts of libstdc++ and libgcc compute what an ordinary library
/// computes; what cannot be had is refused by name.
/// </summary>
public sealed class NativeLanguageTests : IDisposable
{
    private const string Allocator = """
        #include <stddef.h>
        #include <string.h>
        #pragma GCC visibility push(hidden)
        static _Alignas(16) char heap[1 << 30];
        static size_t used;
        void *malloc(size_t size)
        {
            size_t *block = (size_t *)(heap + __atomic_fetch_add(&used, (size + 31) & ~15ul, __ATOMIC_RELAXED));
            block[0] = size;
            return (char *)block + 16;
        }
        void free(void *block) { (void)block; }
        void *calloc(size_t count, size_t size) { return malloc(count * size); }
        void *aligned_alloc(size_t alignment, size_t size) { return (void *)(((size_t)malloc(size + alignment) + alignment - 1) & -alignment); }
        void *realloc(void *block, size_t size)
        {
            void *fresh = malloc(size);
            if (block) memcpy(fresh, block, ((size_t *)block)[-2] < size ? ((size_t *)block)[-2] : size);
            return fresh;
        }
        int pthread_mutex_lock(char *mutex) { while (__atomic_test_and_set(mutex, __ATOMIC_ACQUIRE)) ; return 0; }
        int pthread_mutex_unlock(char *mutex) { __atomic_clear(mutex, __ATOMIC_RELEASE); return 0; }
        """;

    private const string Driver = """
        #include <dlfcn.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <sys/mman.h>
        static double (*work)(int);
        static void *call(void *result) { *(double *)result = work(40); return 0; }
        int main(int count, char **arguments)
        {
            pthread_t threads[8];
            double results[8];
            void *module = dlopen(arguments[count - 1], RTLD_NOW);
            if (!module) return puts(dlerror()), 1;
            void *runtime = dlopen("libsnapshot_threads.so", RTLD_NOW | RTLD_NOLOAD);
            if (runtime)
            {
                int (*open)(void *, unsigned long, int) = (int (*)(void *, unsigned long, int))dlsym(runtime, "snt_heap_open");
                void *heap = mmap(0, 1 << 28, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
                if (open(heap, 1 << 28, 0) != 0) return puts("no heap"), 1;
            }
            work = (double (*)(int))dlsym(module, "work");
            for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, call, &results[i]);
            for (int i = 0; i < 8; i++) pthread_join(threads[i], 0), printf("%.17g\n", results[i]);
            return 0;
        }
        """;

    private static readonly string s_kernels = Path.Combine(Repository.Root, "tests/Snapshot.TestModules");

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    /// <summary>Each is the body of <c>double work(int n)</c>; eight threads run it at once.</summary>
    [ToolTheory("g++")]
    [InlineData("""
        double sum = 0;
        for (int i = 0; i < n * 50; i++)
        {
            try
            {
                try { if (i % 3) throw std::runtime_error(std::to_string(i)); else throw i; }
                catch (int number)
                {
                    try { throw std::string("inner"); }
                    catch (std::string &text) { sum += number + (double)text.size(); }
                    throw;
                }
            }
            catch (std::exception &error) { sum += strlen(error.what()); }
            catch (int number) { sum += number * 0.5 + std::uncaught_exceptions(); }
        }
        return sum;
        """)]
    [InlineData("""
        struct Guard { double &sum; ~Guard() { sum += 1 + std::uncaught_exceptions(); } };
        std::function<double(int, double &)> deep = [&deep](int depth, double &sum) -> double
        {
            Guard guard{sum};
            if (depth == 0) throw std::out_of_range("bottom");
            return deep(depth - 1, sum) + 1;
        };
        double sum = 0;
        std::exception_ptr kept;
        for (int i = 0; i < n; i++)
        {
            try { sum += deep(60, sum); } catch (const std::exception &) { kept = std::current_exception(); }
            try { std::rethrow_exception(kept); } catch (const std::out_of_range &error) { sum += error.what()[0]; }
        }
        return sum;
        """)]
    [InlineData("""
        std::map<std::string, std::unique_ptr<double>> values;
        std::unordered_map<int, std::string> names;
        for (int i = 0; i < n * 20; i++)
        {
            names[i * 7919 % 1009] = "a name that is longer than the string itself " + std::to_string(i);
            values[names[i * 7919 % 1009]] = std::make_unique<double>(i);
        }
        double sum = names.size();
        for (auto &[name, value] : values) sum = sum * 0.5 + *value + name.size();
        return sum;
        """)]
    [InlineData("""
        struct Base { virtual ~Base() {} virtual double value() = 0; };
        struct Left : virtual Base { double value() override { return 1.5; } };
        struct Right : Left { double more = 2; double value() override { return Left::value() + more; } };
        std::vector<std::shared_ptr<Base>> all;
        for (int i = 0; i < n; i++) { if (i % 3) all.push_back(std::make_shared<Left>()); else all.push_back(std::make_shared<Right>()); }
        double sum = 0;
        for (auto &one : all) { sum += one->value(); if (auto right = std::dynamic_pointer_cast<Right>(one)) sum += right->more; }
        return sum;
        """)]
    [InlineData("""
        std::vector<double> values;
        for (int i = 0; i < n * 100; i++) values.push_back(i * 7919 % 1009 * 0.25);
        std::sort(values.begin(), values.end());
        std::stable_sort(values.begin(), values.begin() + 500, std::greater<double>());
        std::nth_element(values.begin() + 500, values.begin() + 700, values.end());
        double sum = 0;
        for (double value : values) sum = sum * 0.999 + value;
        return sum;
        """)]
    [InlineData("""
        static std::vector<int> made = [] { std::vector<int> all; for (int i = 0; i < 1000; i++) all.push_back(i); return all; }();
        static std::atomic<int> attempts{0};
        struct Stubborn { Stubborn() { if (attempts.fetch_add(1) == 0) throw 1; } double value = 5; };
        for (;;)
        {
            try { static Stubborn late; return late.value + made.size() + n; } catch (int) { }
        }
        """)]
    [InlineData("""
        static std::mutex mutex;
        static double shared = 0;
        static thread_local double own = 1;
        for (int i = 0; i < n * 100; i++)
        {
            std::lock_guard<std::mutex> lock(mutex);
            double before = shared;
            shared += i;
            if (shared - before != i) return -1;
            own += 1;
        }
        return own;
        """)]
    [InlineData("""
        double sum = 0;
        try { sum += std::stod("1.25") + std::stoi("12"); sum += std::stoi("none"); } catch (std::invalid_argument &) { sum += 100; }
        try { std::vector<int>(3).at(n); } catch (std::out_of_range &error) { sum += strlen(error.what()); }
        try { std::string("abc").substr(n); } catch (std::out_of_range &error) { sum += strlen(error.what()); }
        try { std::function<void()>()(); } catch (std::bad_function_call &) { sum += 1; }
        try { new char[(size_t)1 << 60]; } catch (std::bad_alloc &) { sum += 2; }
        char text[50];
        snprintf(text, sizeof text, "%.3f", sum);
        std::variant<int, std::string> either = std::string(text);
        std::optional<double> maybe = sum;
        std::mt19937_64 random(n);
        return strtod(std::get<std::string>(either).c_str(), nullptr) + *maybe + std::uniform_real_distribution<double>(0, 1)(random);
        """)]
    public void A_module_computes_what_an_ordinary_library_does(string body)
    {
        string source = _workshop.Write(Source(body), ".cpp"), plain = _workshop.NextModule();
        ModuleWorkshop.AssertDone(
            Repository.Run("/", "g++", ["-std=c++17", "-O2", "-fPIC", "-shared", source, "-o", plain]));
        string driver = BuildDriver(_workshop.Write(Driver));
        string expected = Output(driver, plain);
        foreach (ElfImage module in (ElfImage[])[BuildModule(source),
            BuildWithRuntime("g++", "-std=c++17", source)])
        {
            Assert.Empty(NativeModuleContract.ViolationsOf(module, []));
            Assert.NotEmpty(UnwindRules.UnwinderOf(module));
            Assert.Equal(expected, Output(driver, module.Path));
        }
    }

    [ToolTheory("g++")]
    [InlineData("std::thread other([] {}); other.join(); return 0;", "pthread_create")]
    [InlineData(
        "struct D { ~D() {} double x = 1; }; static thread_local D d; return d.x;",
        "__cxa_thread_atexit_impl")]
    [InlineData("std::this_thread::sleep_for(std::chrono::seconds(n)); return 0;", "nanosleep")]
    public void What_a_captured_thread_must_not_do_is_refused_by_name(string body, string import)
    {
        ElfImage module = BuildModule(_workshop.Write(Source(body), ".cpp"));
        IReadOnlyList<NativeModuleViolation> violations = NativeModuleContract.ViolationsOf(module, []);
        Assert.Contains(import, violations.Select(violation => violation.Subject));
    }

    [ToolTheory("g++")]
    [InlineData("std::cout << n; return 0;", "<iostream>")]
    [InlineData("std::ofstream file(\"x\"); file << n; return 0;", "<fstream>")]
    [InlineData("std::ofstream file(\"x\"); file << n; std::cout << n; return 0;", "<iostream> <fstream>")]
    [InlineData("std::ostringstream text; text << n; return text.str().size();", "std::locale")]
    [InlineData("return std::fopen(\"x\", \"r\") && (std::cout << n);", "<iostream> fopen")]
    public void What_the_source_includes_is_told_in_one_line_in_place_of_all_that_it_imports(
        string body, string causes)
    {
        ElfImage module = BuildWithRuntime("g++", "-std=c++17", _workshop.Write(Source(body), ".cpp"));
        IReadOnlyList<NativeModuleViolation> violations = NativeModuleContract.ViolationsOf(module, []);
        Assert.Equal(causes.Split(' '), violations.Select(violation => violation.Subject));
    }

    [ToolFact("g++")]
    public void The_module_of_chaos_keeps_the_contract_and_computes_what_an_ordinary_library_does()
    {
        string part = _workshop.NextModule() + ".o", plain = _workshop.NextModule(), path =
            _workshop.NextModule();
        string source = Path.Combine(s_kernels, "chaos.cpp");
        string registers = Path.Combine(s_kernels, "chaos_registers.c");
        ModuleWorkshop.AssertDone(_workshop.Run(
            "cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-c", registers, "-o", part));
        ModuleWorkshop.AssertDone(Repository.Run(
            "/", "g++", ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", source, part,
                "-o", plain]));
        ModuleWorkshop.AssertDone(_workshop.Run(
            ["--no-runtime", "g++", "-std=c++17", "-O2", source, part, .. Shim(), "-lm", "-o", path]));
        Assert.Empty(NativeModuleContract.ViolationsOf(ElfImage.Open(path), []));
        string driver = BuildDriver(Path.Combine(s_kernels, "run.c"));
        string expected = Output(driver, plain, "chaos", "3");
        Assert.Equal(expected, Output(driver, path, "chaos", "3"));
        ElfImage module = BuildWithRuntime("g++", "-std=c++17", source, part, "-lm");
        Assert.Empty(NativeModuleContract.ViolationsOf(module, []));
        Assert.Equal(expected, Output(driver, module.Path, "chaos", "3"));
    }

    [ToolFact("gfortran")]
    public void The_Fortran_module_of_chaos_keeps_the_contract_and_computes_what_an_ordinary_library_does()
    {
        string source = Path.Combine(s_kernels, "chaos.f90"), plain = _workshop.NextModule(), path =
            _workshop.NextModule();
        ModuleWorkshop.AssertDone(Repository.Run(
            Path.GetDirectoryName(plain)!, "gfortran",
            ["-O2", "-Wall", "-fPIC", "-shared", source, "-o", plain]));
        ModuleWorkshop.AssertDone(
            _workshop.Run(["--no-runtime", "gfortran", "-O2", source, .. Shim(), "-o", path]));
        Assert.Empty(NativeModuleContract.ViolationsOf(ElfImage.Open(path), []));
        string driver = BuildDriver(Path.Combine(s_kernels, "run.c"));
        string expected = Output(driver, plain, "chaos_fortran", "2");
        Assert.Equal(expected, Output(driver, path, "chaos_fortran", "2"));
        ElfImage module = BuildWithRuntime("gfortran", source);
        Assert.Empty(NativeModuleContract.ViolationsOf(module, []));
        Assert.Equal(expected, Output(driver, module.Path, "chaos_fortran", "2"));
    }

    private static string Source(string body) => $$"""
        #include <algorithm>
        #include <atomic>
        #include <chrono>
        #include <cstdio>
        #include <cstdlib>
        #include <cstring>
        #include <exception>
        #include <fstream>
        #include <functional>
        #include <map>
        #include <memory>
        #include <mutex>
        #include <optional>
        #include <random>
        #include <sstream>
        #include <stdexcept>
        #include <string>
        #include <thread>
        #include <unordered_map>
        #include <variant>
        #include <vector>
        {{(body.Contains("std::cout", StringComparison.Ordinal) ? "#include <iostream>" : "")}}
        extern "C" double work(int n)
        {
            {{body}}
        }
        """;

    private ElfImage BuildModule(string source)
    {
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(
            _workshop.Run(["--no-runtime", "g++", "-std=c++17", "-O2", source, .. Shim(), "-o", path]));
        return ElfImage.Open(path);
    }

    private ElfImage BuildWithRuntime(string compiler, params string[] arguments)
    {
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(_workshop.RunWith(
            start => start.Environment["SNAPSHOT_MODULE_DIR"] = ModuleLibrary.Runtime,
            [compiler, "-O2", .. arguments, "-o", path]));
        return ElfImage.Open(path);
    }

    /// <summary>An allocator and a lock in place of the runtime's, and the shim's own part for C++.</summary>
    private string[] Shim()
    {
        string allocator = _workshop.NextModule() + ".o";
        ModuleWorkshop.AssertDone(
            _workshop.Run("cc", "-O2", "-fno-builtin", "-c", _workshop.Write(Allocator), "-o", allocator));
        return [allocator, .. ModuleWorkshop.CxxShim.Select(BuildPart)];
    }

    private string BuildPart(string source)
    {
        string part = _workshop.NextModule() + ".o";
        ModuleWorkshop.AssertDone(_workshop.Run(
            "cc", "-std=c11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wconversion",
            "-fno-builtin",
            "-ffunction-sections", "-c", source, "-o", part));
        return part;
    }

    private string BuildDriver(string source)
    {
        string driver = _workshop.NextModule() + ".out";
        ModuleWorkshop.AssertDone(
            Repository.Run("/", "cc", ["-O2", source, "-o", driver, "-pthread", "-ldl"]));
        return driver;
    }

    private static string Output(string driver, params string[] arguments)
    {
        ProcessStartInfo start = new(driver, arguments);
        start.Environment["LD_LIBRARY_PATH"] = ModuleLibrary.Runtime;
        ProgramResult result = Repository.Run(start);
        ModuleWorkshop.AssertDone(result);
        Assert.NotEmpty(result.Output);
        return result.Output;
    }
}
