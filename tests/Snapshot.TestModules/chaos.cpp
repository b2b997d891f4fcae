// chaos.cpp: what C++ does that is hard to capture in the middle; see chaos.h.
#include "chaos.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "chaos_registers.h"

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

std::uint64_t bits(double value)
{
    std::uint64_t result;
    std::memcpy(&result, &value, sizeof result);
    return result;
}

// ---- deep recursion: vector registers live over calls, pointers into the frames of callers -------------------------

using Lanes = double __attribute__((vector_size(32), aligned(16)));

struct Frame {
    Frame *parent;
    Lanes lanes;
    std::uint64_t depth;
};

[[gnu::noinline]] double descend(Frame *parent, const Lanes &carried, std::uint64_t depth, std::uint64_t &hash)
{
    Frame own = {parent, carried * 1.0000001 + static_cast<double>(depth), depth};
    hash = mix(hash, depth);
    Lanes before = own.lanes * carried;
    double below = depth == 0 ? 1.0 : descend(&own, carried + own.lanes * 1e-3, depth - 1, hash);
    Lanes after = before + own.lanes * below * 1e-9;
    if (parent != nullptr) {
        parent->lanes += after * 1e-6;
        hash = mix(hash, parent->depth - depth);
    }

    // Up the frames of callers, by pointers that were made when they were entered.
    std::uint64_t reached = 0;
    for (Frame *frame = &own; frame != nullptr && reached < 12; frame = frame->parent)
        reached++;
    return after[0] + after[1] * 0.5 + after[2] * 0.25 + after[3] * 0.125 + static_cast<double>(reached);
}

void recurse(chaos_job &job)
{
    for (int i = 0; i < 155; i++) {
        Lanes start = {1.0, 0.5, 0.25, std::fmod(job.sum, 8.0)};
        job.sum = std::fmod(job.sum * 0.5 + descend(nullptr, start, 400, job.hash), 1e6);
        job.hash = mix(job.hash, bits(job.sum));
    }
}

// ---- containers, strings, virtual calls ----------------------------------------------------------------------------

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const { return "shape"; }
};

struct Square : Shape {
    double side;
    explicit Square(double side) : side(side) {}
    double area() const override { return side * side; }
};

struct Circle : Shape {
    double radius;
    explicit Circle(double radius) : radius(radius) {}
    double area() const override { return radius * radius * 3.0; }
    std::string name() const override { return "a circle whose name does not fit into the string itself"; }
};

const std::string &prefix()
{
    static const std::string text = std::string("initialised by the first thread that comes: ") + std::to_string(4711);
    return text;
}

void contain(chaos_job &job)
{
    std::map<std::uint64_t, std::unique_ptr<Shape>> shapes;
    std::map<std::string, std::vector<double>> byName;
    for (std::uint64_t i = 0; i < 5500; i++) {
        std::uint64_t key = mix(i, job.hash) % 4096;
        double size = static_cast<double>(key % 97) * 0.25;
        if (key % 3 == 0) shapes[key] = std::make_unique<Circle>(size);
        else shapes[key] = std::make_unique<Square>(size);
        if (i % 7 == 0) shapes.erase(shapes.begin());
    }

    for (const auto &[key, shape] : shapes) {
        byName[prefix() + shape->name() + std::to_string(key % 16)].push_back(shape->area());
        job.sum += shape->area() * 1e-6;
    }

    for (const auto &[name, areas] : byName) {
        job.hash = mix(job.hash, std::hash<std::string>()(name));
        for (double area : areas) job.hash = mix(job.hash, bits(area));
    }

    std::function<double(double)> scale = [factor = job.sum](double x) { return x * 0.999 + factor * 1e-9; };
    job.sum = scale(job.sum);
}

// ---- exceptions: through many frames, caught, thrown again, one within another's handler ----------------------------

struct Counted {
    std::uint64_t &hash;
    std::uint64_t depth;
    ~Counted() { hash = mix(hash, depth); }
};

struct Failure : std::runtime_error {
    double value;
    Failure(const std::string &what, double value) : std::runtime_error(what), value(value) {}
};

[[gnu::noinline]] double fail(std::uint64_t depth, double value, std::uint64_t &hash)
{
    Counted counted{hash, depth};
    double local = value * 1.25 + static_cast<double>(depth);
    if (depth == 0) throw Failure("failed with " + std::to_string(value), value);
    try {
        return fail(depth - 1, local, hash) + local;
    } catch (Failure &failure) {
        failure.value += local * 1e-3;
        if (depth % 10 == 0) throw;
        if (depth % 10 == 5) throw Failure(std::string(failure.what()) + "!", failure.value);
        try {
            throw static_cast<int>(depth);
        } catch (int number) {
            hash = mix(hash, static_cast<std::uint64_t>(number));
        }
        throw;
    }
}

void raise(chaos_job &job)
{
    for (int i = 0; i < 9; i++) {
        try {
            job.sum += fail(50, static_cast<double>(i) + std::fmod(job.sum, 16.0), job.hash);
        } catch (const std::exception &error) {
            job.hash = mix(job.hash, std::strlen(error.what()));
            job.sum = std::fmod(job.sum + dynamic_cast<const Failure &>(error).value, 1e6);
        }

        try {
            job.sum += std::vector<double>(3).at(job.hash % 5);
        } catch (const std::out_of_range &) {
            job.hash = mix(job.hash, 5);
        }
    }
}

// ---- sorting, with calls back out of libc and out of templates -------------------------------------------------------

thread_local std::uint64_t t_compared;

int compare(const void *left, const void *right)
{
    double a = *static_cast<const double *>(left), b = *static_cast<const double *>(right);
    t_compared++;
    return a < b ? -1 : a > b;
}

void sort(chaos_job &job)
{
    std::uint64_t compared = t_compared;
    std::vector<double> values(8000);
    for (std::size_t i = 0; i < values.size(); i++)
        values[i] = std::fmod(static_cast<double>(mix(i, job.hash) % 1000003) * 0.5, 1009.0);
    std::vector<double> copy(values);
    std::qsort(copy.data(), 2000, sizeof copy[0], compare);
    std::stable_sort(copy.begin() + 2000, copy.end(), [](double a, double b) { return a > b; });
    std::sort(values.begin(), values.end());
    job.hash = mix(job.hash, t_compared > compared ? 1 : 0);
    for (std::size_t i = 0; i < values.size(); i++) {
        job.hash = mix(job.hash, bits(values[i]) ^ bits(copy[i]) << 1);
        job.sum += values[i] * 1e-9;
    }
}

// ---- jumps over frames; variables of the thread, errno among them ----------------------------------------------------

thread_local std::array<std::uint64_t, 8> t_counts;
thread_local double t_drift = 1.5;

[[noreturn, gnu::noinline]] void leave(std::jmp_buf place, std::uint64_t depth, std::uint64_t value)
{
    t_counts[depth % 8] += value;
    if (depth == 0) std::longjmp(place, static_cast<int>(value % 1000) + 1);
    leave(place, depth - 1, value + depth);
}

void jump(chaos_job &job)
{
    // volatile: locals that are changed between setjmp and longjmp.
    volatile std::uint64_t jumped = 0;
    std::jmp_buf place;
    errno = static_cast<int>(job.hash % 100) + 1;
    int number = errno;
    int came = setjmp(place);
    job.hash = mix(job.hash, static_cast<std::uint64_t>(came));
    t_drift = t_drift * 0.999 + came * 1e-3;
    if (jumped < 11000) {
        jumped = jumped + 1;
        leave(place, jumped % 30, jumped);
    }

    if (errno != number) job.hash = 0;
    for (std::uint64_t count : t_counts) job.hash = mix(job.hash, count);
    job.sum += t_drift;
}

// ---- libc and libm: the thread is in other libraries most of the time ------------------------------------------------

void elementary(chaos_job &job)
{
    double sum = job.sum;
    for (int i = 1; i < 36000; i++)
        sum += std::sin(i * 0.01 + sum * 1e-6) * std::sqrt(i) + std::pow(1.0 + i * 1e-5, 3.5) * 1e-3 - std::exp(-i * 1e-3);
    job.sum = std::fmod(sum, 1e6);
    job.hash = mix(job.hash, bits(job.sum));
}

void move(chaos_job &job)
{
    std::vector<unsigned char> from(200000), to(200000);
    for (std::size_t i = 0; i < from.size(); i += 64) from[i] = static_cast<unsigned char>(mix(i, job.hash));
    for (std::size_t shift = 0; shift < 192; shift++) {
        std::memcpy(to.data(), from.data() + shift, to.size() - shift);
        std::memmove(from.data() + 1, from.data(), from.size() - 1);
        std::memset(from.data(), static_cast<int>(to[shift * 64]), 64);
    }

    job.hash = mix(job.hash, static_cast<std::uint64_t>(std::memcmp(from.data(), to.data(), from.size()) > 0));
    for (std::size_t i = 0; i < to.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, to.data() + i, sizeof word);
        job.hash = mix(job.hash, word);
    }
}

void write(chaos_job &job)
{
    char text[96];
    for (int i = 0; i < 3000; i++) {
        double value = std::fmod(static_cast<double>(job.hash % 1000003) / 7.0 + i, 1e5);
        int length = std::snprintf(text, sizeof text, "%.17g %d %s", value, i, "word");
        job.sum = std::fmod(job.sum + std::strtod(text, nullptr) - std::strtod("0.3", nullptr), 1e6);
        job.hash = mix(job.hash, static_cast<std::uint64_t>(length) + std::strlen(text));
    }
}

// ---- the heap --------------------------------------------------------------------------------------------------------

void churn(chaos_job &job)
{
    std::array<char *, 256> blocks{};
    std::array<std::size_t, 256> sizes{};
    for (int i = 0; i < 24000; i++) {
        std::size_t at = job.hash % blocks.size(), size = 1 + (job.hash >> 20) % 3000;
        if (blocks[at] == nullptr) {
            blocks[at] = static_cast<char *>(std::malloc(size));
        } else if (i % 3 == 0) {
            job.hash = mix(job.hash, static_cast<unsigned char>(blocks[at][sizes[at] - 1]));
            blocks[at] = static_cast<char *>(std::realloc(blocks[at], size));
        } else {
            job.hash = mix(job.hash, static_cast<unsigned char>(blocks[at][0]));
            std::free(blocks[at]);
            blocks[at] = nullptr;
            continue;
        }

        if (blocks[at] == nullptr) std::abort();
        sizes[at] = size;
        blocks[at][0] = blocks[at][size - 1] = static_cast<char>(i);
        job.hash = mix(job.hash, size);
    }

    for (char *block : blocks) std::free(block);
}

// ---- a lock that threads want at once --------------------------------------------------------------------------------

std::mutex s_mutex;
std::uint64_t s_first, s_second; // always equal for who has the mutex

void exclude(chaos_job &job)
{
    std::uint64_t broken = 0;
    for (int i = 0; i < 32000; i++) {
        std::lock_guard<std::mutex> lock(s_mutex);
        if (s_first != s_second) broken++;
        s_first += static_cast<std::uint64_t>(i);
        if (i % 16 == 0) {
            for (int spin = 0; spin < 200; spin++) job.sum = job.sum * 0.75 + spin * 1e-3;
        }
        s_second += static_cast<std::uint64_t>(i);
    }

    job.hash = mix(job.hash, broken + 1);
}

// ---- registers: see chaos_registers.h ------------------------------------------------------------------------------

void carry(chaos_job &job)
{
    for (int i = 0; i < 3000; i++) job.hash = mix(job.hash, chaos_carry(job.hash));
}

void backwards(chaos_job &job)
{
    for (int i = 0; i < 110; i++) job.hash = mix(job.hash, chaos_backwards(job.hash));
}

void wide(chaos_job &job)
{
    for (int i = 0; i < 40; i++) job.hash = mix(job.hash, bits(job.sum = chaos_wide(job.hash)));
}

void stacked(chaos_job &job)
{
    for (int i = 0; i < 150; i++) job.hash = mix(job.hash, bits(job.sum = chaos_x87(job.hash)));
}

struct Kind {
    const char *name;
    void (*round)(chaos_job &);
};

constexpr Kind kinds[] = {
    {"recursion", recurse}, {"containers", contain}, {"exceptions", raise}, {"sorting", sort},
    {"jumps", jump}, {"elementary functions", elementary}, {"memory", move}, {"text", write},
    {"heap", churn}, {"mutex", exclude}, {"carry chains", carry}, {"string instructions", backwards},
    {"vector registers", wide}, {"x87", stacked},
};

} // namespace

extern "C" uint64_t chaos_kinds(void)
{
    return std::size(kinds);
}

extern "C" const char *chaos_kind_name(uint64_t kind)
{
    return kind < std::size(kinds) ? kinds[kind].name : nullptr;
}

extern "C" uint64_t chaos(chaos_job *job)
{
    if (job->kind >= std::size(kinds)) return 0;
    std::uint64_t rounds = job->rounds == 0 ? 1000 : job->rounds;
    job->sum = 0;
    job->hash = job->kind + 1;
    for (std::uint64_t round = 0; round < rounds; round++) kinds[job->kind].round(*job);
    return rounds;
}
