// runtime_cxx.cc: a native module in C++: exceptions, containers, and the standard library's mutexes by the
// shim.
#include "runtime.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

struct counted {
    explicit counted(uint64_t &hash) : m_hash(hash)
    {
    }
    ~counted()
    {
        m_hash = m_hash * 59 + 1;
    }
    uint64_t &m_hash;
};

void descend(runtime_job *job, uint32_t depth)
{
    counted here(job->hash);
    std::string text("depth " + std::to_string(depth));
    if (depth == 0)
        throw std::runtime_error(text);
    descend(job, depth - 1);
    job->hash += text.size();
}

int compare_or_throw(const void *left, const void *right)
{
    uint64_t a = *static_cast<const uint64_t *>(left), b = *static_cast<const uint64_t *>(right);
    if (a == 77 || b == 77)
        throw a + b;
    return a < b ? -1 : a > b;
}

void throw_and_catch(runtime_job *job, uint64_t round)
{
    for (uint32_t i = 0; i < 10; i++) {
        try {
            try {
                descend(job, 15 + i);
            } catch (const std::exception &error) {
                job->hash = job->hash * 61 + std::string(error.what()).size();
                throw;
            }
        } catch (const std::runtime_error &) {
            job->hash++;
        }
        uint64_t values[64];
        for (uint32_t k = 0; k < 64; k++)
            values[k] = (k * 37 + round) % 64 + (k == 50 ? 77 - (50 * 37 + round) % 64 : 0);
        try {
            std::qsort(values, 64, sizeof values[0], compare_or_throw);
            job->wrong = 1;
        } catch (uint64_t sum) {
            job->hash = job->hash * 67 + sum;
        }
    }
}

void use_library(runtime_job *job, uint64_t round)
{
    std::map<std::string, std::vector<uint64_t>> lists;
    for (uint64_t i = 0; i < 200; i++)
        lists["key " + std::to_string((i * 31 + round) % 40)].push_back(i ^ job->hash);
    auto owned = std::make_unique<std::vector<uint64_t>>();
    for (auto &[key, list] : lists)
        owned->insert(owned->end(), list.begin(), list.end());
    std::sort(owned->begin(), owned->end());
    job->hash = job->hash * 71 + (*owned)[owned->size() / 2];
}

std::mutex s_mutex;
std::recursive_mutex s_recursive;
std::condition_variable s_condition;
uint64_t s_turn;

// The threads of this kind go round, each in its turn.
void take_turns(runtime_job *job)
{
    for (uint32_t i = 0; i < 30; i++) {
        std::unique_lock<std::mutex> lock(s_mutex);
        s_condition.wait(lock, [job] { return s_turn % 2 == job->index; });
        {
            std::lock_guard<std::recursive_mutex> once(s_recursive), twice(s_recursive);
            job->hash = job->hash * 73 + s_turn;
        }
        s_turn++;
        s_condition.notify_all();
    }
}

} // namespace

extern "C" __attribute__((visibility("default"))) uint64_t test_cxx(runtime_job *job)
{
    for (uint64_t round = 0; round < job->rounds; round++) {
        if (job->kind == RUNTIME_EXCEPTION)
            throw_and_catch(job, round);
        else if (job->kind == RUNTIME_LIBRARY)
            use_library(job, round);
        else
            take_turns(job);
    }
    return 1;
}
