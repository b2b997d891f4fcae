/*
 * snapshot_mpi.hpp: snapshot_mpi.h for C++17 and later, as snapshot.hpp is snapshot.h. What a function does
 * and guarantees is said in snapshot_job.h.
 *
 *     MPI_Init(&argc, &argv);
 *     {
 *         snapshot::job_options options;
 *         options.every_steps = 100;
 *         snapshot::job job(MPI_COMM_WORLD, "heat.job", options);
 *         auto &step = job.session().value<std::int64_t>("step");
 *         auto field = job.session().array<double>("field", cells);
 *         while (step < steps) {
 *             exchange(field);
 *             sweep(field);
 *             job.poll(++step);
 *         }
 *         job.close();
 *     }
 *     MPI_Finalize();
 */
#ifndef SNAPSHOT_MPI_HPP
#define SNAPSHOT_MPI_HPP

#include "snapshot.hpp"
#include "snapshot_mpi.h"

#include <optional>

namespace snapshot
{

/* The members of snapshot_job_options, of which those that differ are set. */
struct job_options : snapshot_job_options {
    job_options() noexcept : snapshot_job_options(SNAPSHOT_JOB_OPTIONS)
    {
    }
};

/*
 * All ranks as one. It is closed when its scope ends, before MPI_Finalize. Making it, poll, checkpoint and
 * close are collective.
 */
class job
{
  public:
    job(MPI_Comm communicator, const std::string &directory,
        const snapshot_job_options &options = job_options())
        : handle_(open(communicator, directory, options)),
          session_(snapshot_job_session(handle_), [of = handle_] { return snapshot_job_close(of); })
    {
    }

    /* Of this rank; it is closed with the job. */
    snapshot::session &session() noexcept
    {
        return session_;
    }

    /* For functions of snapshot_job.h. */
    snapshot_job *handle() const noexcept
    {
        return handle_;
    }

    /* Of the job, that all ranks were restored from; 0: it began fresh. */
    std::int64_t generation() const
    {
        return detail::check(snapshot_job_generation(handle_));
    }

    bool restarted() const
    {
        return generation() != 0;
    }

    /* At which that was captured; 0: the job began fresh. */
    std::int64_t step() const
    {
        return restarted() ? snapshot_job_step(handle_) : 0;
    }

    /* Where this rank's images came from. */
    snapshot_level level() const
    {
        return static_cast<snapshot_level>(detail::check(snapshot_job_level(handle_)));
    }

    /* Newer generations that not every rank could restore, a line each. */
    std::string skipped() const
    {
        return detail::check(snapshot_job_skipped(handle_));
    }

    /* Throws only where the job cannot go on; see failure. */
    void poll(std::int64_t step)
    {
        session_.state_->failed->check(snapshot_job_poll(handle_, step));
    }

    /* Returns its number when it is published. */
    std::int64_t checkpoint(std::int64_t step)
    {
        std::int64_t generation = 0;
        session_.state_->failed->check(snapshot_job_checkpoint(handle_, step, &generation));
        return generation;
    }

    /* One rank is enough; any thread. */
    void request()
    {
        detail::check(snapshot_job_request(handle_));
    }

    /* What the newest checkpoint failed with, on whichever rank. */
    std::optional<error> failure()
    {
        int result = snapshot_job_failure(handle_);
        return result < 0 ? std::optional<error>(error(-result, snapshot_error())) : std::nullopt;
    }

    bool is_ending() const
    {
        return detail::check(snapshot_job_is_ending(handle_)) != 0;
    }

    void check_messages_on(MPI_Comm communicator)
    {
        detail::check(snapshot_job_check_messages_on(handle_, communicator));
    }

    /* Publishes what is under way; throws what went wrong with it. */
    void close()
    {
        session_.close();
    }

  private:
    static snapshot_job *open(MPI_Comm communicator, const std::string &directory,
                              const snapshot_job_options &options)
    {
        snapshot_job *opened = nullptr;
        detail::check(snapshot_job_open(communicator, directory.c_str(), &options, &opened));
        return opened;
    }

    snapshot_job *handle_;
    snapshot::session session_;
};

} // namespace snapshot

#endif
