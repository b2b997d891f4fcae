/*
 * snapshot.hpp: snapshot.h for C++17 and later. Errors are exceptions; sessions, participants, sections and
 * tickets end with their scope; arrays have types. What a function does and guarantees is said in snapshot.h.
 *
 *     snapshot::session session("heat.store");
 *     auto &step = session.value<std::int64_t>("step");
 *     auto field = session.array<double>("field", cells);
 *     if (!session.restarted()) initialise(field);
 *     for (; step < steps; ++step) {
 *         if (step % 100 == 0) session.checkpoint();
 *         sweep(field);
 *     }
 *     session.close();
 */
#ifndef SNAPSHOT_HPP
#define SNAPSHOT_HPP

#include "snapshot.h"

#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <span>
#endif

namespace snapshot
{

/* ---- errors -------------------------------------------------------------------------------------------- */

/* What went wrong; what() is the text of snapshot_error. */
class error : public std::runtime_error
{
  public:
    error(int code, const std::string &text) : std::runtime_error(text), code_(code)
    {
    }

    /* Of snapshot_code. */
    int code() const noexcept
    {
        return code_;
    }

    /* Such as "STORE_BUSY". */
    const char *name() const noexcept
    {
        return snapshot_code_name(code_);
    }

  private:
    int code_;
};

/* Thrown by the prepare part of a handler: the checkpoint is aborted with this code, which is not 0. */
class abort_checkpoint : public std::exception
{
  public:
    explicit abort_checkpoint(int code) : code_(code == 0 ? 1 : code)
    {
    }

    int code() const noexcept
    {
        return code_;
    }

    const char *what() const noexcept override
    {
        return "the checkpoint is aborted";
    }

  private:
    int code_;
};

/* The code of a checkpoint that was aborted because a prepare part threw something else. */
inline constexpr int handler_threw = -1;

namespace detail
{

[[noreturn]] inline void fail()
{
    throw error(snapshot_error_code(), snapshot_error());
}

template <class Result> Result check(Result result)
{
    if (result < 0)
        fail();
    return result;
}

template <class T> T *check(T *memory)
{
    if (memory == nullptr)
        fail();
    return memory;
}

/* Where nothing can be thrown. */
inline void report(int result) noexcept
{
    if (result < 0)
        std::fprintf(stderr, "snapshot: %s\n", snapshot_error());
}

template <class T> std::int64_t bytes_of(std::size_t count) noexcept
{
    return static_cast<std::int64_t>(count * sizeof(T));
}

} // namespace detail

/* ---- elements of arrays -------------------------------------------------------------------------------- */

/*
 * The layout of an element. Numbers, enumerations, std::complex and pointers have one. A structure gets one
 * by a specialisation, whose name changes when the fields do:
 *
 *     template <> struct snapshot::layout<particle> : snapshot::structure<particle> {
 *         static constexpr const char *name = "particle-2";
 *     };
 */
template <class T, class = void> struct layout;

/* What the layouts of structures derive from. */
template <class T> struct structure {
    static std::string text()
    {
        return "struct:" + std::to_string(sizeof(T)) + ":" + layout<T>::name;
    }
};

template <class T> struct layout<T, std::enable_if_t<std::is_integral_v<T>>> {
    static_assert(sizeof(T) <= 8, "there is no layout of integers of more than 64 bits");

    static std::string text()
    {
        constexpr bool is_signed =
            std::is_same_v<T, char> || (std::is_signed_v<T> && !std::is_same_v<T, bool>);
        return (is_signed ? "i" : "u") + std::to_string(8 * sizeof(T));
    }
};

template <class T> struct layout<T, std::enable_if_t<std::is_floating_point_v<T>>> {
    static_assert(sizeof(T) <= 8, "there is no layout of long double, whose bytes differ between machines");

    static std::string text()
    {
        return "f" + std::to_string(8 * sizeof(T));
    }
};

template <class T> struct layout<std::complex<T>> {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "complex of float or of double");

    static std::string text()
    {
        return "c" + std::to_string(16 * sizeof(T));
    }
};

template <class T> struct layout<T, std::enable_if_t<std::is_enum_v<T>>> : layout<std::underlying_type_t<T>> {
};

/* To memory of the arena, which is at the same address after a restart. */
template <class T> struct layout<T *> {
    static std::string text()
    {
        return "struct:" + std::to_string(sizeof(T *)) + ":pointer";
    }
};

#if __cplusplus >= 202002L
template <class T> using span = std::span<T>;
#else
/* As much of std::span as C++17 programs need. */
template <class T> class span
{
  public:
    using element_type = T;

    constexpr span() noexcept = default;

    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }

    constexpr T *data() const noexcept
    {
        return data_;
    }

    constexpr std::size_t size() const noexcept
    {
        return size_;
    }

    constexpr bool empty() const noexcept
    {
        return size_ == 0;
    }

    constexpr T &operator[](std::size_t index) const noexcept
    {
        return data_[index];
    }

    constexpr T *begin() const noexcept
    {
        return data_;
    }

    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }

    constexpr span subspan(std::size_t first, std::size_t size) const noexcept
    {
        return {data_ + first, size};
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};
#endif

/* ---- handlers ------------------------------------------------------------------------------------------ */

/*
 * Code around a checkpoint; each part may be empty. What prepare throws aborts the checkpoint, whose error
 * has it nested; what the others throw is thrown by the session's next on_checkpoint, checkpoint or close.
 */
struct handler {
    std::function<void(std::int64_t generation)> prepare = {};
    std::function<void(const snapshot_outcome &outcome)> resume = {};
    std::function<void(std::int64_t generation)> committed = {};
};

namespace detail
{

/* What handlers threw, until somebody is told. */
class failures
{
  public:
    void keep(std::exception_ptr failure) noexcept
    {
        const std::lock_guard<std::mutex> held(gate_);
        if (!first_)
            first_ = std::move(failure);
    }

    std::exception_ptr take() noexcept
    {
        const std::lock_guard<std::mutex> held(gate_);
        return std::exchange(first_, nullptr);
    }

    void rethrow()
    {
        if (std::exception_ptr failure = take())
            std::rethrow_exception(failure);
    }

    /* Throws the thread's error if the result says so, around what a handler threw. */
    void check(int result)
    {
        if (result >= 0)
            return;
        const error outer(snapshot_error_code(), snapshot_error());
        std::exception_ptr inner = take();
        if (!inner)
            throw outer;
        try {
            std::rethrow_exception(inner);
        } catch (...) {
            std::throw_with_nested(outer);
        }
    }

  private:
    std::mutex gate_;
    std::exception_ptr first_;
};

/* A handler as C calls it. */
class registered
{
  public:
    registered(handler parts, std::shared_ptr<failures> failed)
        : parts_(std::move(parts)), failed_(std::move(failed))
    {
    }

    snapshot_handler callbacks() const noexcept
    {
        snapshot_handler result = SNAPSHOT_HANDLER;
        if (parts_.prepare)
            result.prepare = prepare;
        if (parts_.resume)
            result.resume = resume;
        if (parts_.committed)
            result.committed = committed;
        return result;
    }

  private:
    static int prepare(void *argument, std::int64_t generation) noexcept
    {
        auto *self = static_cast<registered *>(argument);
        try {
            self->parts_.prepare(generation);
            return 0;
        } catch (const abort_checkpoint &abort) {
            return abort.code();
        } catch (...) {
            self->failed_->keep(std::current_exception());
            return handler_threw;
        }
    }

    static void resume(void *argument, const snapshot_outcome *outcome) noexcept
    {
        auto *self = static_cast<registered *>(argument);
        try {
            self->parts_.resume(*outcome);
        } catch (...) {
            self->failed_->keep(std::current_exception());
        }
    }

    static void committed(void *argument, std::int64_t generation) noexcept
    {
        auto *self = static_cast<registered *>(argument);
        try {
            self->parts_.committed(generation);
        } catch (...) {
            self->failed_->keep(std::current_exception());
        }
    }

    handler parts_;
    std::shared_ptr<failures> failed_;
};

/* By name, as C has them. */
class handlers
{
  public:
    explicit handlers(std::shared_ptr<failures> failed) : failed_(std::move(failed))
    {
    }

    template <class Register> void add(const std::string &name, handler parts, Register at_library)
    {
        auto added = std::make_unique<registered>(std::move(parts), failed_);
        const snapshot_handler callbacks = added->callbacks();
        detail::check(at_library(&callbacks, added.get()));
        {
            const std::lock_guard<std::mutex> held(gate_);
            by_name_[name] = std::move(added);
        }
        failed_->rethrow();
    }

    void forget(const std::string &name)
    {
        const std::lock_guard<std::mutex> held(gate_);
        by_name_.erase(name);
    }

  private:
    std::mutex gate_;
    std::shared_ptr<failures> failed_;
    std::map<std::string, std::unique_ptr<registered>> by_name_;
};

} // namespace detail

/* ---- sessions ------------------------------------------------------------------------------------------ */

/* Of a session: the members of snapshot_options, of which those that differ are set. */
struct options : snapshot_options {
    options() noexcept : snapshot_options(SNAPSHOT_OPTIONS)
    {
    }
};

/* Is told on a thread of the library how far a checkpoint is; must neither throw nor call the library. */
using progress = std::function<void(snapshot_stage stage, std::int64_t pages_done, std::int64_t pages_total)>;

/* Of a checkpoint. */
struct request {
    std::string tag = {};
    unsigned flags = 0;   /* of snapshot_request_flags */
    double timeout = 0.0; /* 0: as in the options of the session */
};

/* A checkpoint that somebody waits for. A ticket that is not waited for waits when its scope ends. */
class ticket
{
  public:
    explicit ticket(snapshot_ticket *handle, std::shared_ptr<detail::failures> failed) noexcept
        : handle_(handle), failed_(std::move(failed))
    {
    }

    ticket(ticket &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), failed_(std::move(other.failed_))
    {
    }

    ticket(const ticket &) = delete;
    ticket &operator=(const ticket &) = delete;
    ticket &operator=(ticket &&) = delete;

    ~ticket()
    {
        if (handle_ != nullptr)
            detail::report(snapshot_wait(handle_, nullptr));
    }

    /* Waits until it is durable, once; its generation. */
    std::int64_t wait()
    {
        std::int64_t generation = 0;
        int result = snapshot_wait(handle_, &generation);
        if (result != -SNAPSHOT_SELF_DEADLOCK)
            handle_ = nullptr;
        failed_->check(result);
        return generation;
    }

    void wait_captured()
    {
        failed_->check(snapshot_wait_captured(handle_));
    }

    bool is_done() const
    {
        return detail::check(snapshot_is_done(handle_)) != 0;
    }

    /* Gives the checkpoint up, if its commit has not begun; wait then throws CANCELLED. */
    void cancel()
    {
        detail::check(snapshot_cancel(handle_));
    }

  private:
    snapshot_ticket *handle_;
    std::shared_ptr<detail::failures> failed_;
};

/* Memory of the arena that devices may write, until its scope ends. */
class device_range
{
  public:
    explicit device_range(snapshot_range *handle) noexcept : handle_(handle)
    {
    }

    device_range(device_range &&other) noexcept : handle_(std::exchange(other.handle_, nullptr))
    {
    }

    device_range(const device_range &) = delete;
    device_range &operator=(const device_range &) = delete;
    device_range &operator=(device_range &&) = delete;

    ~device_range()
    {
        detail::report(snapshot_close_range(handle_));
    }

  private:
    snapshot_range *handle_;
};

/* A session. It is closed when its scope ends; what goes wrong then is written to standard error. */
class session
{
  public:
    explicit session(const std::string &store, const snapshot_options &options = snapshot::options(),
                     snapshot::progress progress = {})
        : state_(std::make_unique<state>(std::move(progress)))
    {
        detail::check(snapshot_open(store.c_str(), &options, &handle_));
    }

    session(session &&other) noexcept
        : state_(std::move(other.state_)), handle_(std::exchange(other.handle_, nullptr)),
          closing_(std::move(other.closing_))
    {
    }

    session(const session &) = delete;
    session &operator=(const session &) = delete;
    session &operator=(session &&) = delete;

    ~session()
    {
        detail::report(close_handle());
    }

    /* Waits until the last checkpoint is durable; throws what went wrong with it. */
    void close()
    {
        state_->failed->check(close_handle());
        state_->failed->rethrow();
    }

    /* For functions of snapshot.h. */
    snapshot_session *handle() const noexcept
    {
        return handle_;
    }

    std::int64_t generation() const
    {
        return detail::check(snapshot_generation(handle_));
    }

    bool restarted() const
    {
        return generation() != 0;
    }

    std::string tag() const
    {
        return detail::check(snapshot_tag(handle_));
    }

    /* The array of that name, as it was, or zeros. */
    template <class T> span<T> array(const std::string &name, std::size_t count)
    {
        require_plain<T>();
        void *memory = snapshot_array(handle_, name.c_str(), layout<T>::text().c_str(),
                                      static_cast<std::int64_t>(count));
        return {static_cast<T *>(detail::check(memory)), count};
    }

    /* An array of one element. */
    template <class T> T &value(const std::string &name)
    {
        return *array<T>(name, 1).data();
    }

    /* The array of that name; empty when there is none. */
    template <class T> span<T> find(const std::string &name)
    {
        require_plain<T>();
        void *memory = nullptr;
        std::int64_t count =
            detail::check(snapshot_find_array(handle_, name.c_str(), layout<T>::text().c_str(), &memory));
        return {static_cast<T *>(memory), static_cast<std::size_t>(count)};
    }

    void remove(const std::string &name)
    {
        detail::check(snapshot_remove_array(handle_, name.c_str()));
    }

    void *allocate(std::size_t bytes, std::size_t alignment = 0)
    {
        return detail::check(snapshot_allocate(handle_, static_cast<std::int64_t>(bytes),
                                               static_cast<std::int64_t>(alignment)));
    }

    void free(void *memory)
    {
        detail::check(snapshot_free(handle_, memory));
    }

    /* Leaves the whole pages of an array out of images; the bytes that are left out now. */
    template <class T> std::int64_t exclude(span<T> memory)
    {
        return detail::check(snapshot_exclude(handle_, memory.data(), detail::bytes_of<T>(memory.size())));
    }

    /* Takes them in again; the bytes that this concerns. */
    template <class T> std::int64_t include(span<T> memory)
    {
        return detail::check(snapshot_include(handle_, memory.data(), detail::bytes_of<T>(memory.size())));
    }

    /* Before it is registered with a device, or another process knows of it. */
    template <class T> device_range open_for_devices(span<T> memory)
    {
        snapshot_range *range = nullptr;
        detail::check(
            snapshot_open_for_devices(handle_, memory.data(), detail::bytes_of<T>(memory.size()), &range));
        return device_range(range);
    }

    template <class T> void protect(const std::string &name, T *memory, std::size_t count, unsigned flags = 0)
    {
        require_plain<T>();
        detail::check(snapshot_protect(handle_, name.c_str(), memory, detail::bytes_of<T>(count), flags));
    }

    /* The elements of a std::vector, std::array or the like, which must not move while they are protected. */
    template <class Container> void protect(const std::string &name, Container &elements, unsigned flags = 0)
    {
        protect(name, elements.data(), elements.size(), flags);
    }

    bool fill(const std::string &name)
    {
        return detail::check(snapshot_fill(handle_, name.c_str())) != 0;
    }

    void unprotect(const std::string &name)
    {
        detail::check(snapshot_unprotect(handle_, name.c_str()));
    }

    /* Takes a checkpoint, and returns when memory is captured. */
    void checkpoint(const request &asked = {})
    {
        take(asked, nullptr);
        state_->failed->rethrow();
    }

    /* The same, with a ticket to wait until it is durable. */
    [[nodiscard]] ticket checkpoint_with_ticket(const request &asked = {})
    {
        snapshot_ticket *taken = nullptr;
        take(asked, &taken);
        return ticket(taken, state_->failed);
    }

    /* Bits of snapshot_due_bits. */
    int due()
    {
        return detail::check(snapshot_due(handle_));
    }

    int last_signal() const
    {
        return detail::check(snapshot_last_signal(handle_));
    }

    void on_checkpoint(const std::string &name, handler parts)
    {
        state_->handlers.add(name, std::move(parts), [&](const snapshot_handler *callbacks, void *argument) {
            return snapshot_on_checkpoint(handle_, name.c_str(), callbacks, argument);
        });
    }

    void remove_handler(const std::string &name)
    {
        detail::check(snapshot_remove_handler(handle_, name.c_str()));
        state_->handlers.forget(name);
    }

  private:
    friend class job;
    friend class participant;

    /* Of a job, which is closed with it. */
    session(snapshot_session *handle, std::function<int()> closing)
        : state_(std::make_unique<state>(snapshot::progress())), handle_(handle), closing_(std::move(closing))
    {
    }

    int close_handle() noexcept
    {
        snapshot_session *closed = std::exchange(handle_, nullptr);
        return closed != nullptr && closing_ ? closing_() : snapshot_close(closed);
    }

    /* What callbacks use: it stays where it is when a session is moved. */
    struct state {
        explicit state(snapshot::progress told) : progress(std::move(told))
        {
        }

        std::shared_ptr<detail::failures> failed = std::make_shared<detail::failures>();
        detail::handlers handlers{failed};
        snapshot::progress progress;
    };

    template <class T> static void require_plain()
    {
        static_assert(std::is_trivially_destructible_v<T> && !std::is_polymorphic_v<T>,
                      "what is in images is bytes: no destructors, no virtual functions");
    }

    static void tell(void *argument, int stage, std::int64_t done, std::int64_t total) noexcept
    {
        static_cast<state *>(argument)->progress(static_cast<snapshot_stage>(stage), done, total);
    }

    void take(const request &asked, snapshot_ticket **taken)
    {
        snapshot_request told = SNAPSHOT_REQUEST;
        told.flags = asked.flags;
        told.timeout = asked.timeout;
        told.tag = asked.tag.empty() ? nullptr : asked.tag.c_str();
        if (state_->progress) {
            told.progress = tell;
            told.argument = state_.get();
        }
        state_->failed->check(snapshot_checkpoint(handle_, &told, taken));
    }

    std::unique_ptr<state> state_;
    snapshot_session *handle_ = nullptr;
    std::function<int()> closing_ = {};
};

/* ---- threads ------------------------------------------------------------------------------------------- */

/* The calling thread as a participant, until the scope ends, on the same thread. */
class participant
{
  public:
    participant(session &of, const std::string &name) : failed_(of.state_->failed), handlers_(failed_)
    {
        detail::check(snapshot_attach(of.handle(), name.c_str(), &handle_));
    }

    participant(const participant &) = delete;
    participant &operator=(const participant &) = delete;

    ~participant()
    {
        detail::report(snapshot_detach(handle_));
    }

    snapshot_participant *handle() const noexcept
    {
        return handle_;
    }

    /* A safepoint: one load and one compare if nothing is pending. */
    void poll()
    {
        if (snapshot_poll(handle_) != 0)
            detail::fail();
    }

    void on_stop(const std::string &name, handler parts)
    {
        handlers_.add(name, std::move(parts), [&](const snapshot_handler *callbacks, void *argument) {
            return snapshot_on_stop(handle_, name.c_str(), callbacks, argument);
        });
    }

    void remove_handler(const std::string &name)
    {
        detail::check(snapshot_remove_stop_handler(handle_, name.c_str()));
        handlers_.forget(name);
    }

  private:
    std::shared_ptr<detail::failures> failed_;
    detail::handlers handlers_;
    snapshot_participant *handle_ = nullptr;
};

/* No checkpoint takes place in its scope. */
class critical_section
{
  public:
    explicit critical_section(participant &of) : handle_(of.handle())
    {
        detail::check(snapshot_enter_critical(handle_));
    }

    critical_section(const critical_section &) = delete;
    critical_section &operator=(const critical_section &) = delete;

    ~critical_section()
    {
        detail::report(snapshot_exit_critical(handle_));
    }

  private:
    snapshot_participant *handle_;
};

/* In its scope the thread counts as stopped, and touches no arrays. */
class blocked_section
{
  public:
    explicit blocked_section(participant &of, const char *what = nullptr) : handle_(of.handle())
    {
        detail::check(snapshot_enter_blocked(handle_, what));
    }

    blocked_section(const blocked_section &) = delete;
    blocked_section &operator=(const blocked_section &) = delete;

    ~blocked_section()
    {
        detail::report(snapshot_exit_blocked(handle_));
    }

  private:
    snapshot_participant *handle_;
};

/* ---- locks in arenas ----------------------------------------------------------------------------------- */

/*
 * They are values of a session, as in session.value<snapshot::mutex>("lock"), or members of structures there.
 * Zeroed memory is a free one; barriers and semaphores are initialised once, by who finds the session fresh.
 */

/* For std::lock_guard, std::unique_lock, std::scoped_lock. */
class mutex
{
  public:
    static constexpr const char *name = "snapshot_mutex";

    void lock()
    {
        detail::check(snapshot_mutex_lock(&word_));
    }

    bool try_lock()
    {
        int result = snapshot_mutex_try_lock(&word_);
        return result != -SNAPSHOT_BUSY && detail::check(result) == 0;
    }

    void unlock()
    {
        detail::check(snapshot_mutex_unlock(&word_));
    }

    bool is_held() const
    {
        return detail::check(snapshot_mutex_is_held(&word_)) != 0;
    }

  private:
    snapshot_mutex word_;
};

/* For std::shared_lock and std::unique_lock, which do not try. */
class shared_mutex
{
  public:
    static constexpr const char *name = "snapshot_rwlock";

    void lock()
    {
        detail::check(snapshot_rwlock_lock_write(&words_));
    }

    void unlock()
    {
        detail::check(snapshot_rwlock_unlock_write(&words_));
    }

    void lock_shared()
    {
        detail::check(snapshot_rwlock_lock_read(&words_));
    }

    void unlock_shared()
    {
        detail::check(snapshot_rwlock_unlock_read(&words_));
    }

  private:
    snapshot_rwlock words_;
};

class barrier
{
  public:
    static constexpr const char *name = "snapshot_barrier";

    void init(int participants)
    {
        detail::check(snapshot_barrier_init(&words_, participants));
    }

    /* Waits until all have come; true in the last to come. */
    bool arrive_and_wait()
    {
        return detail::check(snapshot_barrier_wait(&words_)) == 1;
    }

  private:
    snapshot_barrier words_;
};

class semaphore
{
  public:
    static constexpr const char *name = "snapshot_semaphore";

    void init(int count)
    {
        detail::check(snapshot_semaphore_init(&word_, count));
    }

    void acquire()
    {
        detail::check(snapshot_semaphore_wait(&word_));
    }

    bool try_acquire()
    {
        int result = snapshot_semaphore_try_wait(&word_);
        return result != -SNAPSHOT_BUSY && detail::check(result) == 0;
    }

    void release(int count = 1)
    {
        detail::check(snapshot_semaphore_release(&word_, count));
    }

  private:
    snapshot_semaphore word_;
};

/* As structures of snapshot.h, whose names they have. */
template <class T>
struct layout<T, std::enable_if_t<std::is_same_v<T, mutex> || std::is_same_v<T, shared_mutex> ||
                                  std::is_same_v<T, barrier> || std::is_same_v<T, semaphore>>>
    : structure<T> {
    static constexpr const char *name = T::name;
};

/* ---- stores, without a session ------------------------------------------------------------------------- */

struct generation_info {
    std::int64_t generation;
    std::int64_t parent;  /* that it is an increment of; 0: it is full */
    std::int64_t created; /* seconds since 1970 */
    std::int64_t bytes;   /* of its file */
    std::string tag;
};

/* A store that is read, as it was when it was opened. */
class store
{
  public:
    explicit store(const std::string &directory)
    {
        detail::check(snapshot_store_open(directory.c_str(), &handle_));
    }

    store(const store &) = delete;
    store &operator=(const store &) = delete;

    ~store()
    {
        detail::report(snapshot_store_close(handle_));
    }

    /* Oldest first. */
    std::vector<generation_info> list() const
    {
        std::vector<snapshot_generation_info> found(
            static_cast<std::size_t>(detail::check(snapshot_store_list(handle_, nullptr, 0))));
        detail::check(snapshot_store_list(handle_, found.data(), static_cast<std::int64_t>(found.size())));
        std::vector<generation_info> result;
        for (const snapshot_generation_info &one : found)
            result.push_back({one.generation, one.parent, one.created, one.bytes, one.tag});
        return result;
    }

    /* Of an array "main/NAME", or of protected memory by its name. */
    std::int64_t size(std::int64_t generation, const std::string &region) const
    {
        return detail::check(snapshot_store_size(handle_, generation, region.c_str()));
    }

    /* All of it. */
    template <class T> std::vector<T> read(std::int64_t generation, const std::string &region) const
    {
        std::vector<T> result(static_cast<std::size_t>(size(generation, region)) / sizeof(T));
        detail::check(snapshot_store_read(handle_, generation, region.c_str(), 0, result.data(),
                                          detail::bytes_of<T>(result.size())));
        return result;
    }

  private:
    snapshot_store *handle_ = nullptr;
};

} // namespace snapshot

#endif
