! heat.f90: heat in a plate, in Fortran. PREFIX is where the module's source was installed.
!
!     gfortran -O2 PREFIX/snapshot.F90 heat.f90 -o heat_fortran -lsnapshot
!     ./heat_fortran STORE [STEPS] [DUMP]
program heat
    use, intrinsic :: iso_fortran_env, only: int64, real64
    use snapshot
    implicit none
    integer, parameter :: n = 256
    type(snapshot_session) :: s
    integer(int64), pointer :: step
    real(real64), pointer, contiguous :: plates(:, :, :) ! by turns the field before and after a step
    integer(int64) :: steps
    integer :: old, new
    character(1024) :: store, text, dump

    call get_command_argument(1, store)
    call get_command_argument(2, text)
    call get_command_argument(3, dump)
    steps = 2000
    if (text /= '') read (text, *) steps

    s = snapshot_open(store)
    call snapshot_array(s, 'step', step)
    call snapshot_array(s, 'plates', plates, [n, n, 2])
    print '(a, i0)', 'from generation ', snapshot_generation(s)
    flush (6)
    if (.not. snapshot_restarted(s)) then
        plates(1, :, :) = 100 ! an edge is hot, and the half of another one
        plates(2:n/2, 1, :) = 50
    end if
    do while (step < steps)
        if (mod(step, 50_int64) == 0) call snapshot_checkpoint(s)
        old = int(mod(step, 2_int64)) + 1
        new = 3 - old
        call sweep(plates(:, :, old), plates(:, :, new))
        step = step + 1
    end do
    call finish(plates(:, :, int(mod(steps, 2_int64)) + 1))
    call snapshot_close(s)

contains

    ! The first index is along a row of the other samples.
    subroutine sweep(before, after)
        real(real64), intent(in) :: before(n, n)
        real(real64), intent(inout) :: after(n, n)
        integer :: i, j
        do i = 2, n - 1
            do j = 2, n - 1
                after(j, i) = 0.25_real64*((before(j, i - 1) + before(j, i + 1)) + &
                    (before(j - 1, i) + before(j + 1, i)))
            end do
        end do
    end subroutine

    subroutine finish(field)
        real(real64), intent(in) :: field(n, n)
        integer :: unit
        if (dump /= '') then
            open (newunit=unit, file=dump, access='stream', form='unformatted', status='replace')
            write (unit) field
            close (unit)
        end if
        print '(a, z16.16)', 'checksum ', iparity(transfer(field, [0_int64]))
    end subroutine
end program
