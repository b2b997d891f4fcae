! snapshot_module.f90: snapshot_module.h for Fortran; what each does is said there. Compile it into the native module: it
! has no code but two functions that make text of C's out of Fortran's.
!
! A thread runs a subroutine or function with bind(c), and its state is reached from the argument that it was given, by
! c_f_pointer. ALLOCATE takes from the heap of the native threads without any of this.
module snapshot_module
    use, intrinsic :: iso_c_binding
    implicit none
    private

    public :: sn_malloc, sn_calloc, sn_realloc, sn_aligned_alloc, sn_free, sn_malloc_usable_size
    public :: sn_arena_allocate, sn_arena_free, sn_root, sn_root_bytes
    public :: sn_mutex, sn_mutex_lock, sn_mutex_try_lock, sn_mutex_unlock, sn_mutex_is_held
    public :: sn_barrier, sn_barrier_init, sn_barrier_wait
    public :: sn_condition, sn_condition_wait, sn_condition_signal, sn_condition_broadcast
    public :: sn_safepoint, sn_critical_enter, sn_critical_exit, sn_blocked_call
    public :: sn_on_checkpoint, sn_remove_handler
    public :: SN_CHECKPOINT, SN_CONTINUE, SN_RESTART

    integer(c_int32_t), parameter :: SN_CHECKPOINT = 1, SN_CONTINUE = 2, SN_RESTART = 3

    ! Variables of these types have the attribute target or volatile, or are reached by a pointer: others change them.
    type, bind(c) :: sn_mutex
        integer(c_int32_t) :: word = 0
    end type

    type, bind(c) :: sn_condition
        integer(c_int32_t) :: sequence = 0
    end type

    type, bind(c) :: sn_barrier
        integer(c_int64_t) :: state
        integer(c_int32_t) :: participants
        integer(c_int32_t) :: reserved
        integer(c_int64_t) :: records(1024)
    end type

    interface
        function sn_malloc(bytes) bind(c)
            import :: c_ptr, c_size_t
            integer(c_size_t), value :: bytes
            type(c_ptr) :: sn_malloc
        end function

        function sn_calloc(count, bytes) bind(c)
            import :: c_ptr, c_size_t
            integer(c_size_t), value :: count, bytes
            type(c_ptr) :: sn_calloc
        end function

        function sn_realloc(memory, bytes) bind(c)
            import :: c_ptr, c_size_t
            type(c_ptr), value :: memory
            integer(c_size_t), value :: bytes
            type(c_ptr) :: sn_realloc
        end function

        function sn_aligned_alloc(alignment, bytes) bind(c)
            import :: c_ptr, c_size_t
            integer(c_size_t), value :: alignment, bytes
            type(c_ptr) :: sn_aligned_alloc
        end function

        subroutine sn_free(memory) bind(c)
            import :: c_ptr
            type(c_ptr), value :: memory
        end subroutine

        function sn_malloc_usable_size(memory) bind(c)
            import :: c_ptr, c_size_t
            type(c_ptr), value :: memory
            integer(c_size_t) :: sn_malloc_usable_size
        end function

        function sn_arena_allocate(bytes, alignment) bind(c)
            import :: c_ptr, c_size_t
            integer(c_size_t), value :: bytes, alignment
            type(c_ptr) :: sn_arena_allocate
        end function

        function sn_arena_free(memory) bind(c)
            import :: c_ptr, c_int32_t
            type(c_ptr), value :: memory
            integer(c_int32_t) :: sn_arena_free
        end function

        function sn_root_of_c(name, bytes) bind(c, name='sn_root')
            import :: c_ptr, c_char
            character(kind=c_char), intent(in) :: name(*)
            type(c_ptr), value :: bytes
            type(c_ptr) :: sn_root_of_c
        end function

        function sn_mutex_lock(mutex) bind(c)
            import :: c_int32_t, sn_mutex
            type(sn_mutex), intent(inout) :: mutex
            integer(c_int32_t) :: sn_mutex_lock
        end function

        function sn_mutex_try_lock(mutex) bind(c)
            import :: c_int32_t, sn_mutex
            type(sn_mutex), intent(inout) :: mutex
            integer(c_int32_t) :: sn_mutex_try_lock
        end function

        function sn_mutex_unlock(mutex) bind(c)
            import :: c_int32_t, sn_mutex
            type(sn_mutex), intent(inout) :: mutex
            integer(c_int32_t) :: sn_mutex_unlock
        end function

        function sn_mutex_is_held(mutex) bind(c)
            import :: c_int32_t, sn_mutex
            type(sn_mutex), intent(in) :: mutex
            integer(c_int32_t) :: sn_mutex_is_held
        end function

        function sn_barrier_init(barrier, participants) bind(c)
            import :: c_int32_t, sn_barrier
            type(sn_barrier), intent(inout) :: barrier
            integer(c_int32_t), value :: participants
            integer(c_int32_t) :: sn_barrier_init
        end function

        function sn_barrier_wait(barrier, last) bind(c)
            import :: c_int32_t, sn_barrier
            type(sn_barrier), intent(inout) :: barrier
            integer(c_int32_t), intent(out), optional :: last
            integer(c_int32_t) :: sn_barrier_wait
        end function

        function sn_condition_wait(condition, mutex) bind(c)
            import :: c_int32_t, sn_condition, sn_mutex
            type(sn_condition), intent(inout) :: condition
            type(sn_mutex), intent(inout) :: mutex
            integer(c_int32_t) :: sn_condition_wait
        end function

        subroutine sn_condition_signal(condition) bind(c)
            import :: sn_condition
            type(sn_condition), intent(inout) :: condition
        end subroutine

        subroutine sn_condition_broadcast(condition) bind(c)
            import :: sn_condition
            type(sn_condition), intent(inout) :: condition
        end subroutine

        subroutine sn_safepoint() bind(c)
        end subroutine

        subroutine sn_critical_enter() bind(c)
        end subroutine

        subroutine sn_critical_exit() bind(c)
        end subroutine

        ! procedure: c_funloc of a function with bind(c), of one type(c_ptr), value, giving integer(c_int64_t).
        function sn_blocked_call(procedure, argument) bind(c)
            import :: c_funptr, c_ptr, c_int64_t
            type(c_funptr), value :: procedure
            type(c_ptr), value :: argument
            integer(c_int64_t) :: sn_blocked_call
        end function

        ! handler: c_funloc of a function with bind(c), of type(c_ptr), value and integer(c_int32_t), value, giving
        ! integer(c_int32_t).
        function sn_on_checkpoint(handler, argument) bind(c)
            import :: c_funptr, c_ptr, c_int32_t
            type(c_funptr), value :: handler
            type(c_ptr), value :: argument
            integer(c_int32_t) :: sn_on_checkpoint
        end function

        function sn_remove_handler(handler, argument) bind(c)
            import :: c_funptr, c_ptr, c_int32_t
            type(c_funptr), value :: handler
            type(c_ptr), value :: argument
            integer(c_int32_t) :: sn_remove_handler
        end function
    end interface

contains

    ! The root of that name, without blanks at its end; c_null_ptr: there is none.
    function sn_root(name)
        character(*), intent(in) :: name
        type(c_ptr) :: sn_root
        sn_root = sn_root_of_c(trim(name)//c_null_char, c_null_ptr)
    end function

    ! Its length in bytes; 0: there is none.
    function sn_root_bytes(name)
        character(*), intent(in) :: name
        integer(c_size_t) :: sn_root_bytes
        integer(c_size_t), target :: bytes
        type(c_ptr) :: root
        bytes = 0
        root = sn_root_of_c(trim(name)//c_null_char, c_loc(bytes))
        sn_root_bytes = bytes
    end function
end module snapshot_module
