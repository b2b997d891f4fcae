! chaos.f90: what Fortran does that is hard to capture in the middle; see chaos.h.
module chaos_kinds_of_fortran
  use, intrinsic :: iso_c_binding
  implicit none
  private

  integer, parameter :: quad = selected_real_kind(30)
  integer(c_int64_t), parameter :: kinds = 5

  type, bind(c) :: chaos_job
    integer(c_int64_t) :: kind, rounds
    real(c_double) :: sum
    integer(c_int64_t) :: hash
  end type

  type :: tree
    integer(c_int64_t) :: key = 0
    real(c_double) :: weight = 0
    type(tree), pointer :: left => null(), right => null()
  end type

contains

  function count_kinds() bind(c, name='chaos_fortran_kinds') result(count)
    integer(c_int64_t) :: count
    count = kinds
  end function

  function run(job) bind(c, name='chaos_fortran') result(done)
    type(chaos_job), intent(inout) :: job
    integer(c_int64_t) :: done, rounds, round
    done = 0
    if (job%kind < 0 .or. job%kind >= kinds) return
    rounds = job%rounds
    if (rounds == 0) rounds = 1000
    job%sum = 0
    job%hash = job%kind + 1
    do round = 1, rounds
      select case (job%kind)
      case (0)
        call nest(job)
      case (1)
        call remember(job)
      case (2)
        call allocate_arrays(job)
      case (3)
        call compute_in_quad(job)
      case (4)
        call grow_tree(job)
      end select
    end do
    done = rounds
  end function

  pure subroutine mix(hash, value)
    integer(c_int64_t), intent(inout) :: hash
    real(c_double), intent(in) :: value
    hash = ieor(hash, transfer(value, hash))
    hash = ieor(ishftc(hash, 13), ishftc(hash, 37) + 7)
  end subroutine

  ! An internal procedure uses the variables of its host, through a pointer to that frame; and calls itself.
  subroutine nest(job)
    type(chaos_job), intent(inout) :: job
    real(c_double) :: weights(32), reached
    integer :: i
    reached = 0
    weights = [(1.0d0 / i + mod(job%sum, 4.0d0), i = 1, 32)]
    do i = 1, 700
      call inner(300)
    end do
    job%sum = mod(job%sum + reached * 1d-6, 1d6)
    call mix(job%hash, job%sum)

  contains

    recursive subroutine inner(depth)
      integer, intent(in) :: depth
      real(c_double) :: own(4)
      own = weights(mod(depth, 29) + 1 : mod(depth, 29) + 4)
      if (depth > 0) call inner(depth - 1)
      reached = reached + sum(own) + sqrt(dble(depth))
      weights(mod(depth, 32) + 1) = weights(mod(depth, 32) + 1) * 0.999d0 + own(2) * 1d-4
    end subroutine

  end subroutine

  ! Variables that keep their values between calls: data of the module.
  subroutine remember(job)
    type(chaos_job), intent(inout) :: job
    real(c_double), save :: field(64, 64) = 1, next(64, 64) = 0
    integer, save :: calls = 0
    integer :: sweep
    if (job%hash == job%kind + 1 .and. job%sum == 0) then
      field = 1
      calls = 0
    end if
    do sweep = 1, 300
      next(2:63, 2:63) = 0.25d0 * (field(1:62, 2:63) + field(3:64, 2:63) + field(2:63, 1:62) + field(2:63, 3:64))
      next(1, :) = mod(calls, 10)
      next(64, :) = 1
      next(:, 1) = 0
      next(:, 64) = 2
      where (next > 5)
        field = 5 - 0.5d0 * (next - 5)
      elsewhere
        field = next
      end where
      calls = calls + 1
    end do
    job%sum = sum(field) + calls
    call mix(job%hash, job%sum)
  end subroutine

  subroutine allocate_arrays(job)
    type(chaos_job), intent(inout) :: job
    real(c_double), allocatable :: values(:), copy(:), table(:, :)
    integer :: i, n
    do i = 1, 27
      n = 200 + modulo(int(modulo(job%hash, 1000_c_int64_t)), 700)
      allocate (values(n), table(8, n))
      values = [(mod(dble(n) * 0.5d0 + 0.25d0 * i, 97d0), i = 1, n)]
      copy = values * 2 - 1
      table = spread_by_hand(copy)
      call move_alloc(copy, values)
      job%sum = mod(job%sum + dot_product(values, table(3, :)) * 1d-3 + maxval(table), 1d6)
      call mix(job%hash, job%sum)
      deallocate (values, table)
    end do
  end subroutine

  pure function spread_by_hand(values) result(table)
    real(c_double), intent(in) :: values(:)
    real(c_double) :: table(8, size(values))
    integer :: row
    do row = 1, 8
      table(row, :) = values * row + sin(values)
    end do
  end function

  ! 128-bit reals: every operation is a call.
  subroutine compute_in_quad(job)
    type(chaos_job), intent(inout) :: job
    real(quad) :: x, sum
    integer :: i
    sum = real(job%sum, quad)
    do i = 1, 3300
      x = 1.0_quad / (real(i, quad) + mod(sum, 3.0_quad))
      sum = sum + x * x - x / 3.0_quad + sqrt(x)
    end do
    job%sum = mod(real(sum, c_double), 1d6)
    call mix(job%hash, real(sum - real(job%sum, quad), c_double))
  end subroutine

  ! Pointers into the heap, and recursion over them.
  subroutine grow_tree(job)
    type(chaos_job), intent(inout) :: job
    type(tree), pointer :: root
    integer :: i
    root => null()
    do i = 1, 14000
      call insert(root, modulo(job%hash + i * 7919_c_int64_t, 100003_c_int64_t), mod(job%sum, 10d0) + i)
    end do
    job%sum = mod(total(root, 0), 1d6)
    call mix(job%hash, job%sum)
    call fell(root)
  end subroutine

  recursive subroutine insert(node, key, weight)
    type(tree), pointer, intent(inout) :: node
    integer(c_int64_t), intent(in) :: key
    real(c_double), intent(in) :: weight
    if (.not. associated(node)) then
      allocate (node)
      node%key = key
      node%weight = weight
    else if (key < node%key) then
      call insert(node%left, key, weight)
    else
      call insert(node%right, key, weight)
    end if
  end subroutine

  recursive function total(node, depth) result(sum)
    type(tree), pointer, intent(in) :: node
    integer, intent(in) :: depth
    real(c_double) :: sum
    sum = 0
    if (.not. associated(node)) return
    sum = total(node%left, depth + 1) * 0.5d0 + node%weight / (depth + 1) + total(node%right, depth + 1) * 0.75d0
  end function

  recursive subroutine fell(node)
    type(tree), pointer, intent(inout) :: node
    if (.not. associated(node)) return
    call fell(node%left)
    call fell(node%right)
    deallocate (node)
  end subroutine

end module
