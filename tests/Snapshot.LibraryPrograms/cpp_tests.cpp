/*
 * cpp_tests.cpp: snapshot.hpp, in scenes that CppTests.cs runs, each in a process of its own. A scene that
 * goes well prints nothing but what its test expects.
 *
 *     cpp_tests SCENE STORE
 */
#include <snapshot.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <iostream>
#include <numeric>
#include <shared_mutex>
#include <thread>
#include <typeinfo>

#define REQUIRE(what) \
    do { \
        if (!(what)) { \
            std::cout << __LINE__ << ": " #what "\n"; \
            std::exit(1); \
        } \
    } while (false)

enum class colour : std::uint16_t { red, green };

struct particle {
    double x, y;
    std::int32_t id;
};

template <> struct snapshot::layout<particle> : snapshot::structure<particle> {
    static constexpr const char *name = "particle-1";
};

/* The same bytes, and another meaning. */
struct body {
    double mass, radius;
    std::int32_t id;
};

template <> struct snapshot::layout<body> : snapshot::structure<body> {
    static constexpr const char *name = "body-1";
};

static std::string s_cause; /* what is nested in what was thrown last */

/* What a call throws. */
template <class Call> static snapshot::error failure_of(Call call)
{
    try {
        call();
    } catch (const snapshot::error &error) {
        s_cause.clear();
        try {
            std::rethrow_if_nested(error);
        } catch (const std::exception &inner) {
            s_cause = inner.what();
        }
        return error;
    }
    std::cout << "nothing was thrown\n";
    std::exit(1);
}

static void layouts(const std::string &)
{
    REQUIRE(snapshot::layout<char>::text() == "i8");
    REQUIRE(snapshot::layout<signed char>::text() == "i8");
    REQUIRE(snapshot::layout<unsigned char>::text() == "u8");
    REQUIRE(snapshot::layout<bool>::text() == "u8");
    REQUIRE(snapshot::layout<std::byte>::text() == "u8");
    REQUIRE(snapshot::layout<short>::text() == "i16");
    REQUIRE(snapshot::layout<int>::text() == "i32");
    REQUIRE(snapshot::layout<long>::text() == "i64");
    REQUIRE(snapshot::layout<long long>::text() == "i64");
    REQUIRE(snapshot::layout<std::size_t>::text() == "u64");
    REQUIRE(snapshot::layout<std::uint32_t>::text() == "u32");
    REQUIRE(snapshot::layout<float>::text() == "f32");
    REQUIRE(snapshot::layout<double>::text() == "f64");
    REQUIRE(snapshot::layout<std::complex<float>>::text() == "c64");
    REQUIRE(snapshot::layout<std::complex<double>>::text() == "c128");
    REQUIRE(snapshot::layout<colour>::text() == "u16");
    REQUIRE(snapshot::layout<double *>::text() == "struct:8:pointer");
    REQUIRE(snapshot::layout<particle>::text() == "struct:24:particle-1");
    REQUIRE(snapshot::layout<snapshot::mutex>::text() == "struct:4:snapshot_mutex");
    REQUIRE(snapshot::layout<snapshot::shared_mutex>::text() == "struct:8:snapshot_rwlock");
    REQUIRE(snapshot::layout<snapshot::semaphore>::text() == "struct:4:snapshot_semaphore");
    REQUIRE(snapshot::layout<snapshot::barrier>::text() == "struct:8208:snapshot_barrier");
}

/* Run twice: the second time it finds what the first one made. */
static void arrays(const std::string &store)
{
    snapshot::session session(store);
    REQUIRE(session.find<double>("field").empty() == !session.restarted());
    auto field = session.array<double>("field", 1000);
    auto waves = session.array<std::complex<double>>("waves", 10);
    auto particles = session.array<particle>("particles", 7);
    auto &flag = session.value<bool>("flag");
    auto &paint = session.value<colour>("paint");
    auto &first = session.value<particle *>("first");
    std::array<int, 100> own{};
    session.protect("own", own);
    if (!session.restarted()) {
        std::iota(field.begin(), field.end(), 1.0);
        for (auto &wave : waves)
            wave = {1.0, 2.0};
        particles[3].y = 5;
        flag = true;
        paint = colour::green;
        first = &particles[3];
        own.fill(4);
        session.checkpoint({"made", 0, 0});
        session.array<int>("gone", 5);
        session.remove("gone");
    } else {
        REQUIRE(session.generation() == 1 && session.tag() == "made");
        REQUIRE(std::accumulate(field.begin(), field.end(), 0.0) == 500500.0);
        REQUIRE(waves[9] == std::complex<double>(1.0, 2.0));
        REQUIRE(flag && paint == colour::green);
        REQUIRE(first == &particles[3] && first->y == 5);
        REQUIRE(own[99] == 4);
        REQUIRE(session.find<double>("field").size() == 1000);
    }
    auto other = failure_of([&] { session.array<body>("particles", 7); });
    REQUIRE(other.code() == SNAPSHOT_LAYOUT_MISMATCH && other.name() == std::string("LAYOUT_MISMATCH"));
    REQUIRE(std::string(other.what()).find("particle-1") != std::string::npos);
    REQUIRE(std::string(other.what()).find("body-1") != std::string::npos);
    REQUIRE(failure_of([&] { session.array<double>("field", 999); }).code() == SNAPSHOT_LAYOUT_MISMATCH);
    REQUIRE(failure_of([&] { session.remove("gone"); }).code() == SNAPSHOT_NOT_FOUND);
    session.unprotect("own");
    void *piece = session.allocate(100, 256);
    REQUIRE(reinterpret_cast<std::uintptr_t>(piece) % 256 == 0);
    session.free(piece);
    auto scratch = session.array<double>("scratch", 10000);
    REQUIRE(session.exclude(scratch) > 60000 && session.include(scratch) > 60000);
    auto open = session.open_for_devices(scratch);
    double elsewhere[4] = {};
    auto refused = failure_of([&] { session.open_for_devices(snapshot::span<double>(elsewhere, 4)); });
    REQUIRE(refused.code() == SNAPSHOT_INVALID_ARGUMENT);
    session.close();
}

static void handlers(const std::string &store)
{
    snapshot::session session(store);
    std::vector<std::string> told;
    snapshot::handler tells;
    tells.prepare = [&](std::int64_t) { told.push_back("prepare"); };
    tells.resume = [&](const snapshot_outcome &outcome) {
        told.push_back(outcome.kind == SNAPSHOT_CONTINUED ? "on" : "not");
    };
    tells.committed = [&](std::int64_t) { told.push_back("committed"); };
    session.on_checkpoint("tells", tells);
    REQUIRE(session.checkpoint_with_ticket().wait() == 1);

    session.on_checkpoint("throws", {[](std::int64_t) { throw std::out_of_range("no room"); }, {}, {}});
    auto failure = failure_of([&] { session.checkpoint(); });
    REQUIRE(failure.code() == SNAPSHOT_ABORTED && s_cause == "no room");
    session.remove_handler("throws");
    session.on_checkpoint("aborts", {[](std::int64_t) { throw snapshot::abort_checkpoint(42); }, {}, {}});
    failure = failure_of([&] { session.checkpoint(); });
    REQUIRE(std::string(failure.what()).find("42") != std::string::npos && s_cause.empty());
    session.remove_handler("aborts");
    REQUIRE(failure_of([&] { session.remove_handler("aborts"); }).code() == SNAPSHOT_NOT_FOUND);

    session.on_checkpoint("late", {{}, {}, [](std::int64_t) { throw std::length_error("too late"); }});
    session.checkpoint();
    bool was_thrown = false;
    try {
        session.close();
    } catch (const std::length_error &late) {
        was_thrown = late.what() == std::string("too late");
    }
    REQUIRE(was_thrown);
    REQUIRE((told == std::vector<std::string>{"prepare", "on", "committed", "prepare", "on", "committed"}));
}

/* Four threads add to a sum under each lock, while checkpoints are taken. */
static void threads(const std::string &store)
{
    struct sums {
        snapshot::mutex lock;
        snapshot::shared_mutex shared;
        snapshot::semaphore room;
        std::int64_t by_lock, by_shared, by_room;
    };
    static_assert(std::is_standard_layout_v<sums>);
    snapshot::session session(store);
    auto &all = *static_cast<sums *>(session.allocate(sizeof(sums)));
    auto &gate = session.value<snapshot::barrier>("gate");
    std::atomic<int> last{0}, going{4};
    gate.init(4);
    all.room.init(1);
    auto work = [&](int index) {
        snapshot::participant me(session, "worker " + std::to_string(index));
        int stops = 0;
        me.on_stop("counts", {[&](std::int64_t) { stops++; }, {}, {}});
        for (int turn = 0; turn < 1000; turn++) {
            {
                std::lock_guard<snapshot::mutex> held(all.lock);
                REQUIRE(all.lock.is_held());
                all.by_lock++;
            }
            {
                std::unique_lock<snapshot::shared_mutex> held(all.shared);
                all.by_shared++;
            }
            {
                std::shared_lock<snapshot::shared_mutex> held(all.shared);
                REQUIRE(all.by_shared > 0);
            }
            all.room.acquire();
            all.by_room++;
            all.room.release();
            me.poll();
            snapshot::critical_section none(me);
        }
        {
            snapshot::blocked_section blocked(me, "a rest");
        }
        if (gate.arrive_and_wait())
            last++;
        me.remove_handler("counts");
        REQUIRE(stops > 0 || index > 0);
        going--;
    };
    std::vector<std::thread> workers;
    for (int index = 0; index < 4; index++)
        workers.emplace_back(work, index);
    while (going > 0)
        session.checkpoint();
    for (auto &worker : workers)
        worker.join();
    REQUIRE(all.by_lock == 4000 && all.by_shared == 4000 && all.by_room == 4000 && last == 1);
    snapshot::participant me(session, "main");
    std::unique_lock<snapshot::mutex> held(all.lock, std::try_to_lock);
    REQUIRE(held.owns_lock());
    REQUIRE(failure_of([&] { all.lock.lock(); }).code() == SNAPSHOT_MISUSE);
    REQUIRE(all.room.try_acquire() && !all.room.try_acquire());
}

static void tickets(const std::string &store)
{
    std::atomic<int> stages{0};
    snapshot::options options;
    options.keep = 5;
    options.signals = "USR1";
    snapshot::session session(
        store, options, [&](snapshot_stage stage, std::int64_t, std::int64_t) { stages |= 1 << stage; });
    auto &step = session.value<int>("step");
    for (step = 1; step <= 3; step++) {
        auto ticket =
            session.checkpoint_with_ticket({"step " + std::to_string(step), SNAPSHOT_RETURN_AT_ONCE, 0});
        ticket.wait_captured();
        REQUIRE(ticket.wait() == step);
        REQUIRE(failure_of([&] { ticket.wait(); }).code() == SNAPSHOT_INVALID_ARGUMENT);
    }
    REQUIRE((stages & 1 << SNAPSHOT_STAGE_WAITING) != 0 && (stages & 1 << SNAPSHOT_STAGE_COMMITTING) != 0);
    REQUIRE(session.due() == 0 && session.last_signal() == 0);
    std::raise(SIGUSR1);
    REQUIRE(session.due() == SNAPSHOT_DUE_SIGNAL && session.last_signal() == SIGUSR1 && session.due() == 0);
    {
        auto left = session.checkpoint_with_ticket();
        auto moved = std::move(left);
    }
    snapshot::session moved = std::move(session);
    moved.checkpoint();
    moved.close();
    moved.close();

    snapshot::store reader(store);
    auto generations = reader.list();
    REQUIRE(generations.size() == 5 && generations[1].tag == "step 2" && generations[4].tag.empty());
    REQUIRE(generations[0].parent == 0 && generations[1].parent == 1);
    REQUIRE(reader.read<int>(2, "main/step") == std::vector<int>{2});
    REQUIRE(reader.size(3, "main/step") == 4);
    REQUIRE(failure_of([&] { reader.size(3, "main/other"); }).code() == SNAPSHOT_NOT_FOUND);
    options.start = SNAPSHOT_RESTART;
    options.tag = "step 2";
    snapshot::session again(store + "/../again");
    REQUIRE(failure_of([&] { snapshot::session(store + "/../none", options); }).code() == SNAPSHOT_NOT_FOUND);
}

/* The error of the last checkpoint is written when nobody closes. */
static void scope(const std::string &store)
{
    snapshot::session session(store);
    session.on_checkpoint("aborts", {[](std::int64_t) { throw snapshot::abort_checkpoint(7); }, {}, {}});
    session.checkpoint({"", SNAPSHOT_RETURN_AT_ONCE, 0});
}

int main(int count, char **arguments)
try {
    const std::string scene = count == 3 ? arguments[1] : "", store = count == 3 ? arguments[2] : "";
    const std::map<std::string, void (*)(const std::string &)> scenes{
        {"layouts", layouts}, {"arrays", arrays},   {"handlers", handlers},
        {"threads", threads}, {"tickets", tickets}, {"scope", scope}};
    scenes.at(scene)(store);
    return 0;
} catch (const std::exception &error) {
    std::cout << "thrown " << typeid(error).name() << ": " << error.what() << "\n";
    return 1;
}
