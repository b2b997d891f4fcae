// quadrature.cpp: adaptive integration, in several threads. Nothing here knows of checkpoints: a thread is captured
// wherever it stands, deep in the recursion as a rule, and goes on from there in another process.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

// In the arena; one for each thread. QuadratureJob in C#.
struct Job {
    std::uint64_t worker;
    std::uint64_t steps;
    std::uint64_t step;      // integrals done: what the program looks at for its progress
    std::uint64_t deepest;   // levels of recursion, of all threads so far
    double tolerance;
    double result;           // the sum of the integrals
};

namespace {

// What is integrated: hard in another place each time.
class Integrand {
public:
    virtual ~Integrand() = default;
    virtual double operator()(double x) const = 0;
};

class Chirp final : public Integrand {
public:
    explicit Chirp(double place) : place_(place) {}
    double operator()(double x) const override { return std::sin(1.0 / (std::abs(x - place_) + 0.02)); }

private:
    double place_;
};

class Cusp final : public Integrand {
public:
    Cusp(double place, double power) : place_(place), power_(power) {}
    double operator()(double x) const override { return std::pow(std::abs(x - place_) + 1e-12, power_); }

private:
    double place_, power_;
};

class Peak final : public Integrand {
public:
    explicit Peak(double place) : place_(place) {}

    double operator()(double x) const override
    {
        double distance = (x - place_) * 1e3;
        return 1.0 / (1.0 + distance * distance);
    }

private:
    double place_;
};

std::unique_ptr<Integrand> integrandOf(std::uint64_t worker, std::uint64_t step)
{
    double place = std::fmod(static_cast<double>(step * 7 + worker) * 0.6180339887498949, 1.0);
    switch ((step + worker) % 3) {
    case 0: return std::make_unique<Chirp>(place);
    case 1: return std::make_unique<Cusp>(place, -0.25);
    default: return std::make_unique<Peak>(place);
    }
}

struct TooDeep : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Panel {
    double left, middle, right;       // values
    double from, width, area;
};

double areaOf(const Panel &panel)
{
    return panel.width / 6.0 * (panel.left + 4.0 * panel.middle + panel.right);
}

class Quadrature {
public:
    Quadrature(const Integrand &f, double tolerance) : f_(f), tolerance_(tolerance) {}

    double over(double from, double to)
    {
        Panel all = {f_(from), f_((from + to) / 2), f_(to), from, to - from, 0.0};
        all.area = areaOf(all);
        return refine(all, tolerance_, 0);
    }

    std::size_t deepest() const { return deepest_; }

private:
    static constexpr std::size_t depthMax = 48;

    // Simpson's rule on both halves, and on theirs, until two levels agree.
    [[gnu::noinline]] double refine(const Panel &whole, double tolerance, std::size_t depth)
    {
        deepest_ = std::max(deepest_, depth);
        double half = whole.width / 2;
        Panel first = {whole.left, f_(whole.from + half / 2), whole.middle, whole.from, half, 0.0};
        Panel second = {whole.middle, f_(whole.from + half * 1.5), whole.right, whole.from + half, half, 0.0};
        first.area = areaOf(first);
        second.area = areaOf(second);
        double error = first.area + second.area - whole.area;
        if (std::abs(error) <= 15.0 * tolerance && depth > 3) return first.area + second.area + error / 15.0;
        if (depth == depthMax) throw TooDeep("the integral does not converge at " + std::to_string(whole.from));
        return refine(first, tolerance / 2, depth + 1) + refine(second, tolerance / 2, depth + 1);
    }

    const Integrand &f_;
    double tolerance_;
    std::size_t deepest_ = 0;
};

// What the threads have together, in the module's own data: captured with it.
std::mutex s_mutex;
std::uint64_t s_deepest;

void note(Job &job, std::size_t depth)
{
    std::lock_guard<std::mutex> lock(s_mutex);
    s_deepest = std::max<std::uint64_t>(s_deepest, depth);
    job.deepest = s_deepest;
}

} // namespace

// Returns how many integrals converged.
extern "C" std::uint64_t integrate(Job *job)
{
    std::uint64_t converged = 0;
    std::vector<double> integrals;
    for (std::uint64_t step = 0; step < job->steps; step++) {
        std::unique_ptr<Integrand> f = integrandOf(job->worker, step);
        Quadrature quadrature(*f, job->tolerance);
        try {
            integrals.push_back(quadrature.over(0.0, 1.0));
            converged++;
        } catch (const TooDeep &) {
            integrals.push_back(0.0);
        }

        note(*job, quadrature.deepest());
        __atomic_store_n(&job->step, step + 1, __ATOMIC_RELEASE);
    }

    // The smallest first, so that little is lost.
    std::sort(integrals.begin(), integrals.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    double sum = 0;
    for (double integral : integrals) sum += integral;
    job->result = sum;
    return converged;
}
