! stencil.f90: waves on a membrane, in Fortran. Nothing here knows of checkpoints: the thread is captured wherever it
! stands, in the middle of a sweep as a rule, and goes on from there in another process.
module membrane
  use, intrinsic :: iso_c_binding
  implicit none
  private

  ! In the arena. StencilJob in C#.
  type, bind(c) :: stencil_job
    integer(c_int64_t) :: size   ! points along each side
    integer(c_int64_t) :: steps
    integer(c_int64_t) :: step   ! sweeps done: what the program looks at for its progress
    real(c_double) :: energy     ! the result
    type(c_ptr) :: field         ! size * size values, in the arena too
  end type

contains

  function vibrate(job) bind(c, name='vibrate') result(done)
    type(stencil_job), intent(inout), volatile :: job
    integer(c_int64_t) :: done
    real(c_double), pointer :: now(:, :)
    real(c_double), allocatable :: before(:, :), after(:, :)
    type(c_ptr) :: place
    integer :: n

    n = int(job%size)
    place = job%field
    call c_f_pointer(place, now, [n, n])
    allocate (before(n, n), after(n, n))
    call pluck
    do done = 1, job%steps
      call sweep
      job%step = done
    end do
    job%energy = sum(now(2:n - 1, 2:n - 1)**2) + sum((now - before)**2)
    deallocate (before, after)
    done = job%steps

  contains

    ! Internal procedures: they use the arrays of their host, whose frame is on the captured stack.
    subroutine pluck
      integer :: column, row
      real(c_double) :: distance
      do column = 1, n
        do row = 1, n
          distance = hypot(dble(row) / n - 0.3d0, dble(column) / n - 0.6d0)
          now(row, column) = exp(-200 * distance**2)
        end do
      end do
      now(1, :) = 0
      now(n, :) = 0
      now(:, 1) = 0
      now(:, n) = 0
      before = now
      after = 0
    end subroutine

    subroutine sweep
      real(c_double), parameter :: speed = 0.24d0
      integer :: column
      do column = 2, n - 1
        after(2:n - 1, column) = 2 * now(2:n - 1, column) - before(2:n - 1, column) &
          + speed * (now(1:n - 2, column) + now(3:n, column) + now(2:n - 1, column - 1) + now(2:n - 1, column + 1) &
          - 4 * now(2:n - 1, column))
      end do
      before = now
      now = after
    end subroutine

  end function

end module
