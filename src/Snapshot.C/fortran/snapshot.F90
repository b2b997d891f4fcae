! snapshot.F90: checkpoints and restarts of Fortran programs, over snapshot.h, which says more of each call.
!
!     use snapshot
!     type(snapshot_session) :: s
!     integer(int64), pointer :: step
!     real(real64), pointer, contiguous :: u(:, :)
!
!     s = snapshot_open("heat.store")
!     call snapshot_array(s, "step", step)
!     call snapshot_array(s, "u", u, [n, m])
!     if (.not. snapshot_restarted(s)) call initialise(u)
!     do while (step < steps)
!         if (mod(step, 100_int64) == 0) call snapshot_checkpoint(s)
!         call sweep(u)
!         step = step + 1
!     end do
!     call snapshot_close(s)
!
! Compile it with the program, by the same compiler: Fortran 2018, with the preprocessor, as in
!     gfortran snapshot.F90 heat.f90 -lsnapshot
!
! Each call has an optional ierr: 0, or a negated code, whose text is then snapshot_error(). Without ierr an
! error stops the program with that text. Trailing blanks of names do not count. Threads, forks and what must
! not be done: as in snapshot.h.
!
! Default logicals are left out, since their bytes differ between compilers: use logical(c_bool). Structures
! are had by snapshot_memory.

module snapshot_base
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: int8, int16, int32, int64, real32, real64
    implicit none
    public

    type :: snapshot_session
        type(c_ptr) :: handle = c_null_ptr ! for functions of snapshot.h
    end type

    type :: snapshot_ticket
        type(c_ptr) :: handle = c_null_ptr
    end type

    ! Only the thread that attached it uses it.
    type :: snapshot_participant
        type(c_ptr) :: handle = c_null_ptr
        type(c_ptr) :: stop = c_null_ptr
    end type

    ! ---- constants of snapshot.h -----------------------------------------------------------------------

    enum, bind(c)
        enumerator :: snapshot_native_library = 1, snapshot_unsupported, snapshot_system_call
        enumerator :: snapshot_address_taken, snapshot_arena_full, snapshot_name_taken
        enumerator :: snapshot_layout_mismatch, snapshot_busy, snapshot_aborted, snapshot_timed_out
        enumerator :: snapshot_handler_failed, snapshot_self_deadlock, snapshot_staging_full
        enumerator :: snapshot_not_found, snapshot_store_not_empty, snapshot_store_busy
        enumerator :: snapshot_store_io, snapshot_corrupt, snapshot_unsupported_format
        enumerator :: snapshot_chain_broken, snapshot_outcome_unknown, snapshot_restart_failed
        enumerator :: snapshot_fiber_mismatch, snapshot_fiber_failed, snapshot_native_module
        enumerator :: snapshot_untrusted, snapshot_limit_reached, snapshot_unclaimed
        enumerator :: snapshot_gate_timeout, snapshot_invalid_setting, snapshot_memory_gone
        enumerator :: snapshot_mpi_failed, snapshot_rank_failed, snapshot_out_of_step, snapshot_open_message
        enumerator :: snapshot_invalid_argument = 101, snapshot_misuse, snapshot_cancelled
        enumerator :: snapshot_forked, snapshot_out_of_memory, snapshot_internal
        ! Of this module alone; snapshot_error() does not speak of it.
        enumerator :: snapshot_not_contiguous = 201
    end enum

    enum, bind(c)
        enumerator :: snapshot_continue = 0, snapshot_start_over = 1, snapshot_restart = 2
    end enum
    enum, bind(c)
        enumerator :: snapshot_due_interval = 1, snapshot_due_signal = 2, snapshot_due_limit = 4
    end enum
    enum, bind(c)
        enumerator :: snapshot_continued = 1, snapshot_restarted_from = 2, snapshot_not_captured = 3
    end enum

    integer(c_int), parameter :: flag_lazy = 1, flag_allow_older = 2, flag_unmap_on_close = 4
    integer(c_int), parameter :: flag_allow_unlocked = 8
    integer(c_int), parameter, private :: flag_skip_if_busy = 1, flag_return_at_once = 2
    integer(c_int), parameter, private :: flag_fill_later = 1, flag_always_hash = 2

    ! ---- locks in arenas -------------------------------------------------------------------------------

    ! Zeroed memory is a free mutex. A barrier is initialised once, by who finds the session fresh.
    type, bind(c) :: snapshot_mutex
        integer(c_int32_t) :: word
    end type

    type, bind(c) :: snapshot_barrier
        integer(c_int64_t) :: state
        integer(c_int32_t) :: participants
        integer(c_int32_t) :: reserved
        integer(c_int64_t) :: records(1024)
    end type

    ! ---- handlers --------------------------------------------------------------------------------------

    abstract interface
        ! Before memory is captured. Not 0: aborts the checkpoint with that code.
        integer function snapshot_prepare(generation)
            import :: int64
            integer(int64), intent(in) :: generation
        end function

        ! After memory was captured (snapshot_continued), was not (snapshot_not_captured, with the code of the
        ! handler that aborted it), or after a restart (snapshot_restarted_from).
        subroutine snapshot_resume(kind, generation, abort_code)
            import :: int64
            integer, intent(in) :: kind, abort_code
            integer(int64), intent(in) :: generation
        end subroutine

        ! When the generation is durable.
        subroutine snapshot_committed(generation)
            import :: int64
            integer(int64), intent(in) :: generation
        end subroutine
    end interface

    type, private :: handler_parts
        procedure(snapshot_prepare), pointer, nopass :: prepare => null()
        procedure(snapshot_resume), pointer, nopass :: resume => null()
        procedure(snapshot_committed), pointer, nopass :: committed => null()
    end type

    ! ---- structures and functions of snapshot.h --------------------------------------------------------

    type, bind(c) :: c_options
        integer(c_size_t) :: size
        integer(c_int) :: start = 0
        integer(c_int) :: flags = 0
        integer(c_int64_t) :: generation = 0
        type(c_ptr) :: tag = c_null_ptr
        integer(c_int64_t) :: capacity = 0
        integer(c_int64_t) :: staging_limit = 0
        integer(c_int) :: encoders = 0
        integer(c_int) :: keep = 0
        real(c_double) :: timeout = 0
        real(c_double) :: interval = 0
        real(c_double) :: time_limit = 0
        real(c_double) :: time_margin = 0
        type(c_ptr) :: signals = c_null_ptr
    end type

    type, bind(c), private :: c_request
        integer(c_size_t) :: size
        integer(c_int) :: flags = 0
        real(c_double) :: timeout = 0
        type(c_ptr) :: tag = c_null_ptr
        type(c_funptr) :: progress = c_null_funptr
        type(c_ptr) :: argument = c_null_ptr
    end type

    type, bind(c), private :: c_handler
        integer(c_size_t) :: size
        type(c_funptr) :: prepare = c_null_funptr
        type(c_funptr) :: resume = c_null_funptr
        type(c_funptr) :: committed = c_null_funptr
    end type

    type, bind(c), private :: c_outcome
        integer(c_int) :: kind
        integer(c_int) :: abort_code
        integer(c_int64_t) :: generation
    end type

    type, bind(c), private :: c_participant
        type(c_ptr) :: stop
    end type

    interface
        function c_strlen(text) bind(c, name='strlen') result(bytes)
            import :: c_ptr, c_size_t
            type(c_ptr), value :: text
            integer(c_size_t) :: bytes
        end function

        function c_error() bind(c, name='snapshot_error') result(text)
            import :: c_ptr
            type(c_ptr) :: text
        end function

        function c_error_code() bind(c, name='snapshot_error_code') result(code)
            import :: c_int
            integer(c_int) :: code
        end function

        function c_open(store, options, session) bind(c, name='snapshot_open') result(status)
            import :: c_char, c_int, c_options, c_ptr
            character(kind=c_char), intent(in) :: store(*)
            type(c_options), intent(in) :: options
            type(c_ptr), intent(out) :: session
            integer(c_int) :: status
        end function

        function c_generation(session) bind(c, name='snapshot_generation') result(generation)
            import :: c_int64_t, c_ptr
            type(c_ptr), value :: session
            integer(c_int64_t) :: generation
        end function

        function c_tag(session) bind(c, name='snapshot_tag') result(text)
            import :: c_ptr
            type(c_ptr), value :: session
            type(c_ptr) :: text
        end function

        function c_close(session) bind(c, name='snapshot_close') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: session
            integer(c_int) :: status
        end function

        function c_array(session, name, layout, count) bind(c, name='snapshot_array') result(memory)
            import :: c_char, c_int64_t, c_ptr
            type(c_ptr), value :: session
            character(kind=c_char), intent(in) :: name(*), layout(*)
            integer(c_int64_t), value :: count
            type(c_ptr) :: memory
        end function

        function c_find(session, name, layout, memory) bind(c, name='snapshot_find_array') result(count)
            import :: c_char, c_int64_t, c_ptr
            type(c_ptr), value :: session
            character(kind=c_char), intent(in) :: name(*), layout(*)
            type(c_ptr), intent(out) :: memory
            integer(c_int64_t) :: count
        end function

        function c_exclude(session, memory, bytes) bind(c, name='snapshot_exclude') result(excluded)
            import :: c_int64_t, c_ptr
            type(c_ptr), value :: session, memory
            integer(c_int64_t), value :: bytes
            integer(c_int64_t) :: excluded
        end function

        function c_include(session, memory, bytes) bind(c, name='snapshot_include') result(excluded)
            import :: c_int64_t, c_ptr
            type(c_ptr), value :: session, memory
            integer(c_int64_t), value :: bytes
            integer(c_int64_t) :: excluded
        end function

        function c_protect(session, name, memory, bytes, flags) bind(c, name='snapshot_protect') &
            result(status)
            import :: c_char, c_int, c_int64_t, c_ptr
            type(c_ptr), value :: session, memory
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int64_t), value :: bytes
            integer(c_int), value :: flags
            integer(c_int) :: status
        end function

        function c_checkpoint(session, request, ticket) bind(c, name='snapshot_checkpoint') result(status)
            import :: c_int, c_ptr, c_request
            type(c_ptr), value :: session, ticket
            type(c_request), intent(in) :: request
            integer(c_int) :: status
        end function

        function c_wait(ticket, generation) bind(c, name='snapshot_wait') result(status)
            import :: c_int, c_int64_t, c_ptr
            type(c_ptr), value :: ticket
            integer(c_int64_t), intent(out) :: generation
            integer(c_int) :: status
        end function

        function c_attach(session, name, participant) bind(c, name='snapshot_attach') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: session
            character(kind=c_char), intent(in) :: name(*)
            type(c_ptr), intent(out) :: participant
            integer(c_int) :: status
        end function

        function c_enter_blocked(participant, what) bind(c, name='snapshot_enter_blocked') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: participant, what
            integer(c_int) :: status
        end function

        function c_on_checkpoint(session, name, handler, argument) bind(c, name='snapshot_on_checkpoint') &
            result(status)
            import :: c_char, c_handler, c_int, c_ptr
            type(c_ptr), value :: session, argument
            character(kind=c_char), intent(in) :: name(*)
            type(c_handler), intent(in) :: handler
            integer(c_int) :: status
        end function

        function c_on_stop(participant, name, handler, argument) bind(c, name='snapshot_on_stop') &
            result(status)
            import :: c_char, c_handler, c_int, c_ptr
            type(c_ptr), value :: participant, argument
            character(kind=c_char), intent(in) :: name(*)
            type(c_handler), intent(in) :: handler
            integer(c_int) :: status
        end function

        function c_barrier_init(barrier, participants) bind(c, name='snapshot_barrier_init') result(status)
            import :: c_int, snapshot_barrier
            type(snapshot_barrier), intent(inout) :: barrier
            integer(c_int), value :: participants
            integer(c_int) :: status
        end function

        function c_barrier_wait(barrier) bind(c, name='snapshot_barrier_wait') result(status)
            import :: c_int, snapshot_barrier
            type(snapshot_barrier), intent(inout) :: barrier
            integer(c_int) :: status
        end function
    end interface

    ! Functions of one handle.
    interface
        function c_wait_captured(handle) bind(c, name='snapshot_wait_captured') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_cancel(handle) bind(c, name='snapshot_cancel') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_is_done(handle) bind(c, name='snapshot_is_done') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_due(handle) bind(c, name='snapshot_due') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_last_signal(handle) bind(c, name='snapshot_last_signal') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_detach(handle) bind(c, name='snapshot_detach') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_poll_slow(handle) bind(c, name='snapshot_poll_slow') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_enter_critical(handle) bind(c, name='snapshot_enter_critical') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_exit_critical(handle) bind(c, name='snapshot_exit_critical') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function

        function c_exit_blocked(handle) bind(c, name='snapshot_exit_blocked') result(status)
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
            integer(c_int) :: status
        end function
    end interface

    ! Functions of a handle and a name.
    interface
        function c_remove_array(handle, name) bind(c, name='snapshot_remove_array') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int) :: status
        end function

        function c_fill(handle, name) bind(c, name='snapshot_fill') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int) :: status
        end function

        function c_unprotect(handle, name) bind(c, name='snapshot_unprotect') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int) :: status
        end function

        function c_remove_handler(handle, name) bind(c, name='snapshot_remove_handler') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int) :: status
        end function

        function c_remove_stop_handler(handle, name) bind(c, name='snapshot_remove_stop_handler') result(status)
            import :: c_char, c_int, c_ptr
            type(c_ptr), value :: handle
            character(kind=c_char), intent(in) :: name(*)
            integer(c_int) :: status
        end function
    end interface

    ! Functions of a mutex.
    interface
        function c_mutex_lock(mutex) bind(c, name='snapshot_mutex_lock') result(status)
            import :: c_int, snapshot_mutex
            type(snapshot_mutex), intent(inout) :: mutex
            integer(c_int) :: status
        end function

        function c_mutex_try_lock(mutex) bind(c, name='snapshot_mutex_try_lock') result(status)
            import :: c_int, snapshot_mutex
            type(snapshot_mutex), intent(inout) :: mutex
            integer(c_int) :: status
        end function

        function c_mutex_unlock(mutex) bind(c, name='snapshot_mutex_unlock') result(status)
            import :: c_int, snapshot_mutex
            type(snapshot_mutex), intent(inout) :: mutex
            integer(c_int) :: status
        end function

        function c_mutex_is_held(mutex) bind(c, name='snapshot_mutex_is_held') result(status)
            import :: c_int, snapshot_mutex
            type(snapshot_mutex), intent(inout) :: mutex
            integer(c_int) :: status
        end function
    end interface

    private :: c_strlen, c_error, c_error_code, c_open, c_generation, c_tag, c_close, c_array, c_find, &
        c_exclude, c_include, c_protect, c_checkpoint, c_wait, c_attach, c_enter_blocked, c_on_checkpoint, &
        c_on_stop, c_barrier_init, c_barrier_wait, &
        c_wait_captured, c_is_done, c_cancel, c_due, c_last_signal, c_detach, c_poll_slow, c_enter_critical, &
        c_exit_critical, c_exit_blocked, c_remove_array, c_fill, c_unprotect, c_remove_handler, &
        c_remove_stop_handler, c_mutex_lock, c_mutex_try_lock, c_mutex_unlock, c_mutex_is_held
    private :: handler_of, on_prepare, on_resume, on_committed

    interface snapshot_array
        module procedure mutex_array, barrier_array
    end interface

contains

    ! ---- errors ----------------------------------------------------------------------------------------

    ! What the last call on this thread that failed says.
    function snapshot_error() result(text)
        character(:), allocatable :: text
        text = text_of(c_error())
    end function

    ! Its code, not negated; 0 if none failed.
    function snapshot_error_code() result(code)
        integer :: code
        code = int(c_error_code())
    end function

    ! ---- sessions --------------------------------------------------------------------------------------

    function snapshot_open(store, start, generation, tag, lazy, allow_older, unmap_on_close, &
        allow_unlocked, capacity, staging_limit, encoders, keep, timeout, interval, time_limit, &
        time_margin, signals, ierr) result(session)
        character(*), intent(in) :: store
        integer, intent(in), optional :: start ! snapshot_continue, snapshot_start_over or snapshot_restart
        integer(int64), intent(in), optional :: generation
        character(*), intent(in), optional :: tag, signals
        logical, intent(in), optional :: lazy, allow_older, unmap_on_close, allow_unlocked
        integer(int64), intent(in), optional :: capacity, staging_limit
        integer, intent(in), optional :: encoders, keep
        real(real64), intent(in), optional :: timeout, interval, time_limit, time_margin
        integer, intent(out), optional :: ierr
        type(snapshot_session) :: session
        type(c_options) :: options
        character(kind=c_char), allocatable, target :: tag_text(:), signal_text(:)

        options%size = c_sizeof(options)
        if (present(start)) options%start = int(start, c_int)
        options%flags = flag(flag_lazy, lazy) + flag(flag_allow_older, allow_older) + &
            flag(flag_unmap_on_close, unmap_on_close) + flag(flag_allow_unlocked, allow_unlocked)
        if (present(generation)) options%generation = generation
        if (present(capacity)) options%capacity = capacity
        if (present(staging_limit)) options%staging_limit = staging_limit
        if (present(encoders)) options%encoders = int(encoders, c_int)
        if (present(keep)) options%keep = int(keep, c_int)
        if (present(timeout)) options%timeout = timeout
        if (present(interval)) options%interval = interval
        if (present(time_limit)) options%time_limit = time_limit
        if (present(time_margin)) options%time_margin = time_margin
        if (present(tag)) then
            tag_text = c_text(tag)
            options%tag = c_loc(tag_text)
        end if
        if (present(signals)) then
            signal_text = c_text(signals)
            options%signals = c_loc(signal_text)
        end if
        call settle(c_open(trim(store)//c_null_char, options, session%handle), ierr)
    end function

    ! The generation that the session restarted from; 0: it began fresh.
    function snapshot_generation(session, ierr) result(generation)
        type(snapshot_session), intent(in) :: session
        integer, intent(out), optional :: ierr
        integer(int64) :: generation
        generation = c_generation(session%handle)
        call settle(int(min(generation, 0_int64), c_int), ierr)
    end function

    function snapshot_restarted(session, ierr) result(restarted)
        type(snapshot_session), intent(in) :: session
        integer, intent(out), optional :: ierr
        logical :: restarted
        restarted = snapshot_generation(session, ierr) > 0
    end function

    ! Its tag; '' where it had none.
    function snapshot_tag(session, ierr) result(tag)
        type(snapshot_session), intent(in) :: session
        integer, intent(out), optional :: ierr
        character(:), allocatable :: tag
        type(c_ptr) :: text
        text = c_tag(session%handle)
        tag = text_of(text)
        call settle(merge(0_c_int, -c_error_code(), c_associated(text)), ierr)
    end function

    subroutine snapshot_close(session, ierr)
        type(snapshot_session), intent(inout) :: session
        integer, intent(out), optional :: ierr
        type(c_ptr) :: closing
        closing = session%handle
        session%handle = c_null_ptr
        call settle(c_close(closing), ierr)
    end subroutine

    ! ---- memory ----------------------------------------------------------------------------------------

    ! The memory of an array by its layout as in snapshot.h, for structures: "struct:SIZE:NAME".
    function snapshot_memory(session, name, layout, count, ierr) result(memory)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name, layout
        integer(int64), intent(in) :: count
        integer, intent(out), optional :: ierr
        type(c_ptr) :: memory
        memory = array_memory(session, name, layout, [count], ierr)
    end function

    ! The number of elements of the array of that name; 0: there is none.
    function snapshot_count(session, name, layout, ierr) result(count)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name, layout
        integer, intent(out), optional :: ierr
        integer(int64) :: count
        type(c_ptr) :: memory
        count = c_find(session%handle, trim(name)//c_null_char, trim(layout)//c_null_char, memory)
        call settle(int(min(count, 0_int64), c_int), ierr)
    end function

    subroutine snapshot_remove_array(session, name, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        integer, intent(out), optional :: ierr
        call settle(c_remove_array(session%handle, trim(name)//c_null_char), ierr)
    end subroutine

    ! Fills it now; filled is false where the generation had none of that name, or it is filled already.
    subroutine snapshot_fill(session, name, filled, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        logical, intent(out), optional :: filled
        integer, intent(out), optional :: ierr
        integer(c_int) :: status
        status = c_fill(session%handle, trim(name)//c_null_char)
        if (present(filled)) filled = status == 1
        call settle(status, ierr)
    end subroutine

    subroutine snapshot_unprotect(session, name, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        integer, intent(out), optional :: ierr
        call settle(c_unprotect(session%handle, trim(name)//c_null_char), ierr)
    end subroutine

    ! ---- checkpoints -----------------------------------------------------------------------------------

    ! Returns when memory is captured; at_once: when it is asked for. A ticket must be waited for.
    subroutine snapshot_checkpoint(session, tag, timeout, skip_if_busy, at_once, ticket, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in), optional :: tag
        real(real64), intent(in), optional :: timeout
        logical, intent(in), optional :: skip_if_busy, at_once
        type(snapshot_ticket), intent(out), optional :: ticket
        integer, intent(out), optional :: ierr
        type(c_request) :: request
        type(c_ptr), target :: taken
        character(kind=c_char), allocatable, target :: tag_text(:)
        integer(c_int) :: status

        request%size = c_sizeof(request)
        request%flags = flag(flag_skip_if_busy, skip_if_busy) + flag(flag_return_at_once, at_once)
        if (present(timeout)) request%timeout = timeout
        if (present(tag)) then
            tag_text = c_text(tag)
            request%tag = c_loc(tag_text)
        end if
        if (present(ticket)) then
            taken = c_null_ptr
            status = c_checkpoint(session%handle, request, c_loc(taken))
            ticket%handle = taken
        else
            status = c_checkpoint(session%handle, request, c_null_ptr)
        end if
        call settle(status, ierr)
    end subroutine

    ! Waits until it is durable, and frees the ticket.
    subroutine snapshot_wait(ticket, generation, ierr)
        type(snapshot_ticket), intent(inout) :: ticket
        integer(int64), intent(out), optional :: generation
        integer, intent(out), optional :: ierr
        integer(int64) :: durable
        integer(c_int) :: status
        status = c_wait(ticket%handle, durable)
        if (status /= -snapshot_self_deadlock) ticket%handle = c_null_ptr
        if (present(generation)) generation = merge(durable, 0_int64, status == 0)
        call settle(status, ierr)
    end subroutine

    subroutine snapshot_wait_captured(ticket, ierr)
        type(snapshot_ticket), intent(in) :: ticket
        integer, intent(out), optional :: ierr
        call settle(c_wait_captured(ticket%handle), ierr)
    end subroutine

    function snapshot_is_done(ticket, ierr) result(is_done)
        type(snapshot_ticket), intent(in) :: ticket
        integer, intent(out), optional :: ierr
        logical :: is_done
        integer(c_int) :: status
        status = c_is_done(ticket%handle)
        is_done = status == 1
        call settle(status, ierr)
    end function

    ! Gives it up, if its commit has not begun. The ticket is waited for all the same.
    subroutine snapshot_cancel(ticket, ierr)
        type(snapshot_ticket), intent(in) :: ticket
        integer, intent(out), optional :: ierr
        call settle(c_cancel(ticket%handle), ierr)
    end subroutine

    ! Why a checkpoint is due: a sum of snapshot_due_interval, _signal, _limit; 0: it is not.
    function snapshot_due(session, ierr) result(due)
        type(snapshot_session), intent(in) :: session
        integer, intent(out), optional :: ierr
        integer :: due
        integer(c_int) :: status
        status = c_due(session%handle)
        due = int(max(status, 0_c_int))
        call settle(status, ierr)
    end function

    function snapshot_last_signal(session, ierr) result(signal)
        type(snapshot_session), intent(in) :: session
        integer, intent(out), optional :: ierr
        integer :: signal
        integer(c_int) :: status
        status = c_last_signal(session%handle)
        signal = int(max(status, 0_c_int))
        call settle(status, ierr)
    end function

    ! ---- threads ---------------------------------------------------------------------------------------

    function snapshot_attach(session, name, ierr) result(participant)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        integer, intent(out), optional :: ierr
        type(snapshot_participant) :: participant
        type(c_participant), pointer :: public_part
        integer(c_int) :: status
        status = c_attach(session%handle, trim(name)//c_null_char, participant%handle)
        if (status == 0) then
            call c_f_pointer(participant%handle, public_part)
            participant%stop = public_part%stop
        end if
        call settle(status, ierr)
    end function

    subroutine snapshot_detach(participant, ierr)
        type(snapshot_participant), intent(inout) :: participant
        integer, intent(out), optional :: ierr
        integer(c_int) :: status
        status = c_detach(participant%handle)
        if (status == 0) participant = snapshot_participant()
        call settle(status, ierr)
    end subroutine

    ! A safepoint.
    subroutine snapshot_poll(participant, ierr)
        type(snapshot_participant), intent(in) :: participant
        integer, intent(out), optional :: ierr
        integer(c_int32_t), pointer, volatile :: stop
        if (present(ierr)) ierr = 0
        call c_f_pointer(participant%stop, stop)
        if (stop /= 0) call settle(c_poll_slow(participant%handle), ierr)
    end subroutine

    subroutine snapshot_enter_critical(participant, ierr)
        type(snapshot_participant), intent(in) :: participant
        integer, intent(out), optional :: ierr
        call settle(c_enter_critical(participant%handle), ierr)
    end subroutine

    subroutine snapshot_exit_critical(participant, ierr)
        type(snapshot_participant), intent(in) :: participant
        integer, intent(out), optional :: ierr
        call settle(c_exit_critical(participant%handle), ierr)
    end subroutine

    subroutine snapshot_enter_blocked(participant, what, ierr)
        type(snapshot_participant), intent(in) :: participant
        character(*), intent(in), optional :: what
        integer, intent(out), optional :: ierr
        character(kind=c_char), allocatable, target :: what_text(:)
        if (present(what)) then
            what_text = c_text(what)
            call settle(c_enter_blocked(participant%handle, c_loc(what_text)), ierr)
        else
            call settle(c_enter_blocked(participant%handle, c_null_ptr), ierr)
        end if
    end subroutine

    subroutine snapshot_exit_blocked(participant, ierr)
        type(snapshot_participant), intent(in) :: participant
        integer, intent(out), optional :: ierr
        call settle(c_exit_blocked(participant%handle), ierr)
    end subroutine

    ! ---- handlers --------------------------------------------------------------------------------------

    ! The procedures run on a thread of the library, and are there as long as the session is open.
    subroutine snapshot_on_checkpoint(session, name, prepare, resume, committed, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        procedure(snapshot_prepare), optional :: prepare
        procedure(snapshot_resume), optional :: resume
        procedure(snapshot_committed), optional :: committed
        integer, intent(out), optional :: ierr
        type(c_handler) :: handler
        type(c_ptr) :: argument
        call handler_of(handler, argument, prepare, resume, committed)
        call settle(c_on_checkpoint(session%handle, trim(name)//c_null_char, handler, argument), ierr)
    end subroutine

    ! The procedures run on the thread of the participant.
    subroutine snapshot_on_stop(participant, name, prepare, resume, committed, ierr)
        type(snapshot_participant), intent(in) :: participant
        character(*), intent(in) :: name
        procedure(snapshot_prepare), optional :: prepare
        procedure(snapshot_resume), optional :: resume
        procedure(snapshot_committed), optional :: committed
        integer, intent(out), optional :: ierr
        type(c_handler) :: handler
        type(c_ptr) :: argument
        call handler_of(handler, argument, prepare, resume, committed)
        call settle(c_on_stop(participant%handle, trim(name)//c_null_char, handler, argument), ierr)
    end subroutine

    subroutine snapshot_remove_handler(session, name, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        integer, intent(out), optional :: ierr
        call settle(c_remove_handler(session%handle, trim(name)//c_null_char), ierr)
    end subroutine

    subroutine snapshot_remove_stop_handler(participant, name, ierr)
        type(snapshot_participant), intent(in) :: participant
        character(*), intent(in) :: name
        integer, intent(out), optional :: ierr
        call settle(c_remove_stop_handler(participant%handle, trim(name)//c_null_char), ierr)
    end subroutine

    ! What C calls, and the parts it leads to, which stay allocated: a handler is registered once in a run.
    subroutine handler_of(handler, argument, prepare, resume, committed)
        type(c_handler), intent(out) :: handler
        type(c_ptr), intent(out) :: argument
        procedure(snapshot_prepare), optional :: prepare
        procedure(snapshot_resume), optional :: resume
        procedure(snapshot_committed), optional :: committed
        type(handler_parts), pointer :: parts
        allocate (parts)
        handler%size = c_sizeof(handler)
        if (present(prepare)) then
            parts%prepare => prepare
            handler%prepare = c_funloc(on_prepare)
        end if
        if (present(resume)) then
            parts%resume => resume
            handler%resume = c_funloc(on_resume)
        end if
        if (present(committed)) then
            parts%committed => committed
            handler%committed = c_funloc(on_committed)
        end if
        argument = c_loc(parts)
    end subroutine

    function on_prepare(argument, generation) bind(c, name='') result(code)
        type(c_ptr), value :: argument
        integer(c_int64_t), value :: generation
        integer(c_int) :: code
        type(handler_parts), pointer :: parts
        call c_f_pointer(argument, parts)
        code = int(parts%prepare(int(generation, int64)), c_int)
    end function

    subroutine on_resume(argument, outcome) bind(c, name='')
        type(c_ptr), value :: argument
        type(c_outcome), intent(in) :: outcome
        type(handler_parts), pointer :: parts
        call c_f_pointer(argument, parts)
        call parts%resume(int(outcome%kind), int(outcome%generation, int64), int(outcome%abort_code))
    end subroutine

    subroutine on_committed(argument, generation) bind(c, name='')
        type(c_ptr), value :: argument
        integer(c_int64_t), value :: generation
        type(handler_parts), pointer :: parts
        call c_f_pointer(argument, parts)
        call parts%committed(int(generation, int64))
    end subroutine

    ! ---- locks in arenas -------------------------------------------------------------------------------

    subroutine snapshot_mutex_lock(mutex, ierr)
        type(snapshot_mutex), intent(inout) :: mutex
        integer, intent(out), optional :: ierr
        call settle(c_mutex_lock(mutex), ierr)
    end subroutine

    ! False: somebody else holds it.
    function snapshot_mutex_try_lock(mutex, ierr) result(is_locked)
        type(snapshot_mutex), intent(inout) :: mutex
        integer, intent(out), optional :: ierr
        logical :: is_locked
        integer(c_int) :: status
        status = c_mutex_try_lock(mutex)
        is_locked = status == 0
        if (status == -snapshot_busy) status = 0
        call settle(status, ierr)
    end function

    subroutine snapshot_mutex_unlock(mutex, ierr)
        type(snapshot_mutex), intent(inout) :: mutex
        integer, intent(out), optional :: ierr
        call settle(c_mutex_unlock(mutex), ierr)
    end subroutine

    ! Whether the caller holds it.
    function snapshot_mutex_is_held(mutex, ierr) result(is_held)
        type(snapshot_mutex), intent(inout) :: mutex
        integer, intent(out), optional :: ierr
        logical :: is_held
        integer(c_int) :: status
        status = c_mutex_is_held(mutex)
        is_held = status == 1
        call settle(status, ierr)
    end function

    subroutine snapshot_barrier_init(barrier, participants, ierr)
        type(snapshot_barrier), intent(inout) :: barrier
        integer, intent(in) :: participants
        integer, intent(out), optional :: ierr
        call settle(c_barrier_init(barrier, int(participants, c_int)), ierr)
    end subroutine

    ! is_last is true in the last to come.
    subroutine snapshot_barrier_wait(barrier, is_last, ierr)
        type(snapshot_barrier), intent(inout) :: barrier
        logical, intent(out), optional :: is_last
        integer, intent(out), optional :: ierr
        integer(c_int) :: status
        status = c_barrier_wait(barrier)
        if (present(is_last)) is_last = status == 1
        call settle(status, ierr)
    end subroutine

    subroutine mutex_array(session, name, array, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        type(snapshot_mutex), pointer, intent(out) :: array
        integer, intent(out), optional :: ierr
        type(c_ptr) :: memory
        memory = array_memory(session, name, 'struct:4:snapshot_mutex', [1_int64], ierr)
        array => null()
        if (c_associated(memory)) call c_f_pointer(memory, array)
    end subroutine

    subroutine barrier_array(session, name, array, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        type(snapshot_barrier), pointer, intent(out) :: array
        integer, intent(out), optional :: ierr
        type(c_ptr) :: memory
        memory = array_memory(session, name, 'struct:8208:snapshot_barrier', [1_int64], ierr)
        array => null()
        if (c_associated(memory)) call c_f_pointer(memory, array)
    end subroutine

    ! ---- for the other modules -------------------------------------------------------------------------

    function array_memory(session, name, layout, shape, ierr) result(memory)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name, layout
        integer(int64), intent(in) :: shape(:)
        integer, intent(out), optional :: ierr
        type(c_ptr) :: memory
        integer(int64) :: count
        count = merge(-1_int64, product(shape), any(shape < 0))
        memory = c_array(session%handle, trim(name)//c_null_char, trim(layout)//c_null_char, count)
        call settle(merge(0_c_int, -c_error_code(), c_associated(memory)), ierr)
    end function

    subroutine protect_memory(session, name, memory, bytes, fill_later, always_hash, ierr)
        type(snapshot_session), intent(in) :: session
        character(*), intent(in) :: name
        type(c_ptr), intent(in) :: memory
        integer(int64), intent(in) :: bytes
        logical, intent(in), optional :: fill_later, always_hash
        integer, intent(out), optional :: ierr
        if (.not. c_associated(memory)) then
            if (.not. present(ierr)) error stop 'snapshot: only a contiguous array can be protected'
            ierr = -snapshot_not_contiguous
            return
        end if
        call settle(c_protect(session%handle, trim(name)//c_null_char, memory, bytes, &
            flag(flag_fill_later, fill_later) + flag(flag_always_hash, always_hash)), ierr)
    end subroutine

    subroutine exclude_memory(session, memory, bytes, is_excluded, changed, ierr)
        type(snapshot_session), intent(in) :: session
        type(c_ptr), intent(in) :: memory
        integer(int64), intent(in) :: bytes
        logical, intent(in) :: is_excluded
        integer(int64), intent(out), optional :: changed
        integer, intent(out), optional :: ierr
        integer(int64) :: status
        if (.not. c_associated(memory)) then
            if (.not. present(ierr)) error stop 'snapshot: only a contiguous array can be excluded'
            ierr = -snapshot_not_contiguous
            return
        end if
        if (is_excluded) then
            status = c_exclude(session%handle, memory, bytes)
        else
            status = c_include(session%handle, memory, bytes)
        end if
        if (present(changed)) changed = max(status, 0_int64)
        call settle(int(min(status, 0_int64), c_int), ierr)
    end subroutine

    ! ---- to and from C ---------------------------------------------------------------------------------

    subroutine settle(status, ierr)
        integer(c_int), intent(in) :: status
        integer, intent(out), optional :: ierr
        character(:), allocatable :: text
        if (present(ierr)) then
            ierr = int(min(status, 0_c_int))
        else if (status < 0) then
            text = 'snapshot: '//snapshot_error()
            error stop text
        end if
    end subroutine

    function text_of(text) result(string)
        type(c_ptr), intent(in) :: text
        character(:), allocatable :: string
        character(kind=c_char), pointer :: letters(:)
        integer(c_size_t) :: i
        if (.not. c_associated(text)) then
            string = ''
            return
        end if
        call c_f_pointer(text, letters, [c_strlen(text)])
        allocate (character(size(letters)) :: string)
        do i = 1, size(letters, kind=c_size_t)
            string(i:i) = letters(i)
        end do
    end function

    function c_text(string) result(text)
        character(*), intent(in) :: string
        character(kind=c_char), allocatable :: text(:)
        integer :: i
        allocate (text(len_trim(string) + 1))
        do i = 1, len_trim(string)
            text(i) = string(i:i)
        end do
        text(size(text)) = c_null_char
    end function

    function flag(bit, is_set)
        integer(c_int), intent(in) :: bit
        logical, intent(in), optional :: is_set
        integer(c_int) :: flag
        flag = 0
        if (present(is_set)) flag = merge(bit, 0_c_int, is_set)
    end function

end module

#define SNAPSHOT_TYPE integer(int8)
#define SNAPSHOT_LAYOUT 'i8'
module snapshot_integer8
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE integer(int16)
#define SNAPSHOT_LAYOUT 'i16'
module snapshot_integer16
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE integer(int32)
#define SNAPSHOT_LAYOUT 'i32'
module snapshot_integer32
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE integer(int64)
#define SNAPSHOT_LAYOUT 'i64'
module snapshot_integer64
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE real(real32)
#define SNAPSHOT_LAYOUT 'f32'
module snapshot_real32
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE real(real64)
#define SNAPSHOT_LAYOUT 'f64'
module snapshot_real64
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE complex(real32)
#define SNAPSHOT_LAYOUT 'c64'
module snapshot_complex32
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE complex(real64)
#define SNAPSHOT_LAYOUT 'c128'
module snapshot_complex64
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

#define SNAPSHOT_TYPE logical(c_bool)
#define SNAPSHOT_LAYOUT 'u8'
module snapshot_logical
#include "snapshot_array.inc"
end module
#undef SNAPSHOT_TYPE
#undef SNAPSHOT_LAYOUT

module snapshot
    use snapshot_base
    use snapshot_integer8
    use snapshot_integer16
    use snapshot_integer32
    use snapshot_integer64
    use snapshot_real32
    use snapshot_real64
    use snapshot_complex32
    use snapshot_complex64
    use snapshot_logical
    implicit none
    private :: array_memory, protect_memory, exclude_memory, settle, text_of, c_text, flag
    private :: c_options, flag_lazy, flag_allow_older, flag_unmap_on_close, flag_allow_unlocked
end module
