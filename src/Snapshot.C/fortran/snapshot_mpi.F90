! snapshot_mpi.F90: the ranks of an MPI job, captured and restored as one, over snapshot_mpi.h, which says more of
! each call. It brings the module snapshot along.
!
!     use mpi
!     use snapshot_mpi
!     type(snapshot_job) :: job
!     type(snapshot_session) :: s
!     integer(int64), pointer :: step
!     real(real64), pointer, contiguous :: u(:, :)
!
!     call MPI_Init(ierror)
!     job = snapshot_job_open(MPI_COMM_WORLD, "heat.job", every_steps=100)
!     s = snapshot_job_session(job)
!     call snapshot_array(s, "step", step)
!     call snapshot_array(s, "u", u, [n, m])
!     if (.not. snapshot_job_restarted(job)) call initialise(u)
!     do while (step < steps)
!         call exchange(u)
!         call sweep(u)
!         step = step + 1
!         call snapshot_job_poll(job, step)
!     end do
!     call snapshot_job_close(job)
!     call MPI_Finalize(ierror)
!
! Compile it with the program, by the same compiler, after snapshot.F90; what calls MPI by the mpicc of the same MPI:
!     mpicc -O2 -shared -fPIC -o libsnapshot_mpi.so snapshot_mpi.c calls.c -lsnapshot
!     mpif90 snapshot.F90 snapshot_mpi.F90 heat.f90 -lsnapshot_mpi -lsnapshot
!
! A communicator is the integer that `use mpi` has; of `use mpi_f08` it is comm%MPI_VAL. Opening, polls, checkpoints
! and closing are collective. ierr and errors: as in snapshot.F90.

module snapshot_mpi
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: int32, int64, real64
    use snapshot
    use snapshot_base, only: c_options, c_text, flag, flag_allow_unlocked, flag_lazy, flag_unmap_on_close, settle, &
        text_of
    implicit none
    private :: c_options, c_text, flag, flag_allow_unlocked, flag_lazy, flag_unmap_on_close, settle, text_of

    type :: snapshot_job
        type(c_ptr) :: handle = c_null_ptr ! for functions of snapshot_job.h
    end type

    ! What a program exits with that was asked to end and wants to be started again.
    integer, parameter :: snapshot_run_me_again = 75

    ! Where images of a generation are.
    enum, bind(c)
        enumerator :: snapshot_level_local = 0, snapshot_level_partner = 1, snapshot_level_shared = 2
    end enum

    integer(c_int), parameter, private :: flag_ignore_messages = 1, flag_partner = 2

    type, bind(c), private :: c_job_options
        integer(c_size_t) :: size
        type(c_ptr) :: session = c_null_ptr
        integer(c_int) :: flags = 0
        integer(c_int) :: keep = 0
        integer(c_int64_t) :: every_steps = 0
        real(c_double) :: interval = 0
        real(c_double) :: mtbf = 0
        real(c_double) :: time_limit = 0
        real(c_double) :: time_margin = 0
        type(c_ptr) :: signals = c_null_ptr
        type(c_ptr) :: failure_domain = c_null_ptr
        type(c_ptr) :: shared_directory = c_null_ptr
        integer(c_int64_t) :: shared_every = 0
        integer(c_int64_t) :: copy_rate = 0
        type(c_funptr) :: on_copy = c_null_funptr
        type(c_ptr) :: argument = c_null_ptr
    end type

    interface
        function c_job_open(communicator, directory, options, job) bind(c, name='snapshot_job_open_f') &
            result(status)
            import :: c_char, c_int, c_job_options, c_ptr
            integer(c_int), value :: communicator
            character(kind=c_char), intent(in) :: directory(*)
            type(c_job_options), intent(in) :: options
            type(c_ptr), intent(out) :: job
            integer(c_int) :: status
        end function

        function c_job_session(job) bind(c, name='snapshot_job_session') result(session)
            import :: c_ptr
            type(c_ptr), value :: job
            type(c_ptr) :: session
        end function

        function c_job_generation(job) bind(c, name='snapshot_job_generation') result(generation)
            import :: c_int64_t, c_ptr
            type(c_ptr), value :: job
            integer(c_int64_t) :: generation
        end function

        function c_job_step(job) bind(c, name='snapshot_job_step') result(step)
            import :: c_int64_t, c_ptr
            type(c_ptr), value :: job
            integer(c_int64_t) :: step
        end function

        function c_job_skipped(job) bind(c, name='snapshot_job_skipped') result(text)
            import :: c_ptr
            type(c_ptr), value :: job
            type(c_ptr) :: text
        end function

        function c_job_poll(job, step) bind(c, name='snapshot_job_poll') result(status)
            import :: c_int, c_int64_t, c_ptr
            type(c_ptr), value :: job
            integer(c_int64_t), value :: step
            integer(c_int) :: status
        end function

        function c_job_checkpoint(job, step, generation) bind(c, name='snapshot_job_checkpoint') result(status)
            import :: c_int, c_int64_t, c_ptr
            type(c_ptr), value :: job
            integer(c_int64_t), value :: step
            integer(c_int64_t), intent(inout) :: generation
            integer(c_int) :: status
        end function

        function c_job_check(job, communicator) bind(c, name='snapshot_job_check_messages_with') &
            result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int), value :: communicator
            integer(c_int) :: status
        end function
    end interface

    ! Functions of a job.
    interface
        function c_job_request(job) bind(c, name='snapshot_job_request') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int) :: status
        end function

        function c_job_failure(job) bind(c, name='snapshot_job_failure') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int) :: status
        end function

        function c_job_level(job) bind(c, name='snapshot_job_level') result(level)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int) :: level
        end function

        function c_job_is_ending(job) bind(c, name='snapshot_job_is_ending') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int) :: status
        end function

        function c_job_close(job) bind(c, name='snapshot_job_close') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: job
            integer(c_int) :: status
        end function
    end interface

    private :: c_job_open, c_job_session, c_job_generation, c_job_step, c_job_skipped, c_job_poll, &
        c_job_checkpoint, c_job_check, c_job_request, c_job_failure, c_job_is_ending, c_job_level, c_job_close
    private :: poll_int32, poll_int64, checkpoint_int32, checkpoint_int64

    ! A safepoint of the whole job: all ranks call it with the same steps. A checkpoint that fails costs only itself.
    interface snapshot_job_poll
        module procedure poll_int32, poll_int64
    end interface

    ! A checkpoint here, where all ranks call it; returns when it is published.
    interface snapshot_job_checkpoint
        module procedure checkpoint_int32, checkpoint_int64
    end interface

contains

    ! Restores all ranks from the newest generation that every one has, or begins fresh. Who wants to be told of
    ! copies to other levels does so in C.
    function snapshot_job_open(communicator, directory, every_steps, interval, mtbf, time_limit, time_margin, &
        signals, keep, ignore_messages, lazy, unmap_on_close, allow_unlocked, capacity, staging_limit, &
        encoders, timeout, partner, failure_domain, shared_directory, shared_every, copy_rate, ierr) result(job)
        integer, intent(in) :: communicator
        character(*), intent(in) :: directory
        integer, intent(in), optional :: every_steps, keep, encoders, shared_every
        real(real64), intent(in), optional :: interval, mtbf, time_limit, time_margin, timeout
        character(*), intent(in), optional :: signals, failure_domain, shared_directory
        logical, intent(in), optional :: ignore_messages, lazy, unmap_on_close, allow_unlocked, partner
        integer(int64), intent(in), optional :: capacity, staging_limit, copy_rate
        integer, intent(out), optional :: ierr
        type(snapshot_job) :: job
        type(c_options), target :: session
        type(c_job_options) :: options
        character(kind=c_char), allocatable, target :: signal_text(:), domain_text(:), shared_text(:)

        session%size = c_sizeof(session)
        session%flags = flag(flag_lazy, lazy) + flag(flag_unmap_on_close, unmap_on_close) + &
            flag(flag_allow_unlocked, allow_unlocked)
        if (present(capacity)) session%capacity = capacity
        if (present(staging_limit)) session%staging_limit = staging_limit
        if (present(encoders)) session%encoders = int(encoders, c_int)
        if (present(timeout)) session%timeout = timeout
        options%size = c_sizeof(options)
        options%session = c_loc(session)
        options%flags = flag(flag_ignore_messages, ignore_messages) + flag(flag_partner, partner)
        if (present(keep)) options%keep = int(keep, c_int)
        if (present(every_steps)) options%every_steps = int(every_steps, c_int64_t)
        if (present(interval)) options%interval = interval
        if (present(mtbf)) options%mtbf = mtbf
        if (present(time_limit)) options%time_limit = time_limit
        if (present(time_margin)) options%time_margin = time_margin
        if (present(signals)) then
            signal_text = c_text(signals)
            options%signals = c_loc(signal_text)
        end if
        if (present(failure_domain)) then
            domain_text = c_text(failure_domain)
            options%failure_domain = c_loc(domain_text)
        end if
        if (present(shared_directory)) then
            shared_text = c_text(shared_directory)
            options%shared_directory = c_loc(shared_text)
        end if
        if (present(shared_every)) options%shared_every = int(shared_every, c_int64_t)
        if (present(copy_rate)) options%copy_rate = copy_rate
        call settle( &
            c_job_open(int(communicator, c_int), trim(directory)//c_null_char, options, job%handle), ierr)
    end function

    ! The session of this rank, for all that the module snapshot has. It is closed with the job.
    function snapshot_job_session(job, ierr) result(session)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        type(snapshot_session) :: session
        session%handle = c_job_session(job%handle)
        call settle(merge(0_c_int, -int(snapshot_error_code(), c_int), c_associated(session%handle)), ierr)
    end function

    ! The generation of the job that all ranks were restored from; 0: it began fresh.
    function snapshot_job_generation(job, ierr) result(generation)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        integer(int64) :: generation
        generation = c_job_generation(job%handle)
        call settle(int(min(generation, 0_int64), c_int), ierr)
    end function

    function snapshot_job_restarted(job, ierr) result(restarted)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        logical :: restarted
        restarted = snapshot_job_generation(job, ierr) > 0
    end function

    ! The step at which that was captured; 0: the job began fresh.
    function snapshot_job_step(job, ierr) result(step)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        integer(int64) :: step
        step = c_job_step(job%handle)
        if (snapshot_job_generation(job, ierr) == 0) step = 0
    end function

    ! Where this rank's images came from: another than snapshot_level_local where its own store did not have them.
    function snapshot_job_level(job, ierr) result(level)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        integer :: level
        integer(c_int) :: status
        status = c_job_level(job%handle)
        level = int(max(status, 0_c_int))
        call settle(status, ierr)
    end function

    ! Newer generations that not every rank could restore, a line each; '': none.
    function snapshot_job_skipped(job, ierr) result(skipped)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        character(:), allocatable :: skipped
        type(c_ptr) :: text
        text = c_job_skipped(job%handle)
        skipped = text_of(text)
        call settle(merge(0_c_int, -int(snapshot_error_code(), c_int), c_associated(text)), ierr)
    end function

    subroutine poll_int64(job, step, ierr)
        type(snapshot_job), intent(in) :: job
        integer(int64), intent(in) :: step
        integer, intent(out), optional :: ierr
        call settle(c_job_poll(job%handle, step), ierr)
    end subroutine

    subroutine poll_int32(job, step, ierr)
        type(snapshot_job), intent(in) :: job
        integer(int32), intent(in) :: step
        integer, intent(out), optional :: ierr
        call poll_int64(job, int(step, int64), ierr)
    end subroutine

    subroutine checkpoint_int64(job, step, generation, ierr)
        type(snapshot_job), intent(in) :: job
        integer(int64), intent(in) :: step
        integer(int64), intent(out), optional :: generation
        integer, intent(out), optional :: ierr
        integer(int64) :: published
        integer(c_int) :: status
        published = 0
        status = c_job_checkpoint(job%handle, step, published)
        if (present(generation)) generation = published
        call settle(status, ierr)
    end subroutine

    subroutine checkpoint_int32(job, step, generation, ierr)
        type(snapshot_job), intent(in) :: job
        integer(int32), intent(in) :: step
        integer(int64), intent(out), optional :: generation
        integer, intent(out), optional :: ierr
        call checkpoint_int64(job, int(step, int64), generation, ierr)
    end subroutine

    ! Asks for a checkpoint at one of the next polls of all ranks; one rank is enough.
    subroutine snapshot_job_request(job, ierr)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        call settle(c_job_request(job%handle), ierr)
    end subroutine

    ! What the newest checkpoint failed with: a negated code, whose text is snapshot_error(); 0: it did not.
    function snapshot_job_failure(job) result(code)
        type(snapshot_job), intent(in) :: job
        integer :: code
        code = int(c_job_failure(job%handle))
    end function

    ! Whether the program was asked to end and the checkpoint for it is published: on all ranks from the same poll on.
    function snapshot_job_is_ending(job, ierr) result(is_ending)
        type(snapshot_job), intent(in) :: job
        integer, intent(out), optional :: ierr
        logical :: is_ending
        integer(c_int) :: status
        status = c_job_is_ending(job%handle)
        is_ending = status == 1
        call settle(status, ierr)
    end function

    ! Looks for messages that were not received also on this communicator.
    subroutine snapshot_job_check_messages_on(job, communicator, ierr)
        type(snapshot_job), intent(in) :: job
        integer, intent(in) :: communicator
        integer, intent(out), optional :: ierr
        call settle(c_job_check(job%handle, int(communicator, c_int)), ierr)
    end subroutine

    ! Publishes what is under way, and closes the job with its session; before MPI_Finalize.
    subroutine snapshot_job_close(job, ierr)
        type(snapshot_job), intent(inout) :: job
        integer, intent(out), optional :: ierr
        type(c_ptr) :: closing
        closing = job%handle
        job%handle = c_null_ptr
        call settle(c_job_close(closing), ierr)
    end subroutine

end module
