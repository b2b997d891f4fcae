! scenes.f90: the scenes of scenes.c that Fortran plays too: a lock that it shares with C#, and questions to the host.
module scenes
    use, intrinsic :: iso_c_binding
    use snapshot_module
    implicit none
    private

    type, bind(c) :: scene
        type(sn_mutex) :: mutex
        integer(c_int32_t) :: go, wanting, released, entered, entered_early, descriptor, rounds
        type(c_funptr) :: callback
        integer(c_int32_t) :: checkpoints, continues, restarts
        integer(c_int64_t) :: total, again
    end type

contains

    function count_locked(argument) bind(c) result(done)
        type(c_ptr), value :: argument
        integer(c_int64_t) :: done
        type(scene), pointer :: it
        integer(c_int32_t) :: round, error
        real(c_double), allocatable :: kept(:)

        call c_f_pointer(argument, it)
        done = 0
        if (.not. c_associated(sn_root('scene'), argument)) return
        do round = 1, it%rounds
            allocate (kept(modulo(round, 50) + 1))
            kept = real(round, c_double)
            error = sn_mutex_lock(it%mutex)
            it%total = it%total + int(kept(size(kept)) / real(round, c_double), c_int64_t)
            it%again = it%total
            error = error + sn_mutex_unlock(it%mutex)
            deallocate (kept)
            if (error == 0) done = done + 1
        end do
    end function
end module
