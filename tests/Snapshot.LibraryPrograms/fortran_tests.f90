! fortran_tests.f90: the module snapshot, in scenes that FortranTests.cs runs, each in a process of its own.
!
!     fortran_tests SCENE STORE
module scenes
    use, intrinsic :: iso_c_binding, only: c_bool, c_f_pointer
    use, intrinsic :: iso_fortran_env, only: int8, int16, int32, int64, real32, real64
    use snapshot
    implicit none

    integer :: abort_with = 0
    character(200) :: told = ''

contains

    subroutine require(is_right, what)
        logical, intent(in) :: is_right
        character(*), intent(in) :: what
        if (is_right) return
        print '(a)', 'not so: '//what
        stop 1
    end subroutine

    ! Each kind in a rank of its own, and the same bytes for each; run twice.
    subroutine kinds(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        integer(int8), pointer :: i1
        integer(int16), pointer, contiguous :: i2(:)
        integer(int32), pointer, contiguous :: i4(:, :)
        integer(int64), pointer, contiguous :: i8(:, :, :)
        real(real32), pointer, contiguous :: r4(:, :, :, :)
        real(real64), pointer, contiguous :: r8(:, :, :, :, :)
        complex(real32), pointer, contiguous :: c4(:, :, :, :, :, :)
        complex(real64), pointer, contiguous :: c8(:, :, :, :, :, :, :)
        logical(c_bool), pointer, contiguous :: l1(:)

        s = snapshot_open(store)
        call snapshot_array(s, 'i1', i1)
        call snapshot_array(s, 'i2  ', i2, [3])
        call snapshot_array(s, 'i4', i4, [3, 4])
        call snapshot_array(s, 'i8', i8, [3_int64, 4_int64, 5_int64])
        call snapshot_array(s, 'r4', r4, [1, 2, 3, 4])
        call snapshot_array(s, 'r8', r8, [1, 2, 3, 4, 5])
        call snapshot_array(s, 'c4', c4, [1, 2, 3, 4, 1, 2])
        call snapshot_array(s, 'c8', c8, [1, 2, 3, 4, 1, 2, 3])
        call snapshot_array(s, 'l1', l1, [9])
        call require(all(shape(i8) == [3, 4, 5]) .and. all(shape(c8) == [1, 2, 3, 4, 1, 2, 3]), 'shapes')
        call require(is_contiguous(c8) .and. all(lbound(r8) == 1), 'contiguous from 1')
        if (.not. snapshot_restarted(s)) then
            call require(i1 == 0 .and. all(r8 == 0) .and. .not. any(l1), 'zeros')
            i1 = 1; i2 = 2; i4 = 3; i8 = 4; r4 = 5; r8 = 6; c4 = (7, 8); c8 = (9, 10); l1 = .true.
            r8(1, 2, 3, 4, 5) = 7
            call snapshot_checkpoint(s, tag='all kinds ')
        else
            call require(snapshot_tag(s) == 'all kinds' .and. len(snapshot_tag(s)) == 9, 'the tag')
            call require(i1 == 1 .and. all(i2 == 2) .and. all(i4 == 3) .and. all(i8 == 4), 'integers')
            call require(all(r4 == 5) .and. sum(r8) == 721 .and. r8(1, 2, 3, 4, 5) == 7, 'reals')
            call require(all(c4 == (7, 8)) .and. all(c8 == (9, 10)) .and. all(l1), 'complex and logical')
        end if
        call snapshot_close(s)
    end subroutine

    ! Each rank, of 1 to 7, in each of the two kinds of shapes.
    subroutine ranks(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        real(real64), pointer :: a0
        real(real64), pointer, contiguous :: a1(:), a2(:, :), a3(:, :, :), a4(:, :, :, :)
        real(real64), pointer, contiguous :: a5(:, :, :, :, :), a6(:, :, :, :, :, :), a7(:, :, :, :, :, :, :)
        integer :: n(7), i
        integer(int64) :: l(7)

        n = [(i + 1, i=1, 7)]
        l = n
        s = snapshot_open(store)
        call snapshot_array(s, 'a0', a0)
        a0 = 5
        call snapshot_array(s, 'a0', a1, [1])
        call require(a1(1) == 5, 'rank 0')
        call snapshot_array(s, 'a1', a1, n(:1)); a1(2) = 1
        call snapshot_array(s, 'a2', a2, n(:2)); a2(2, 3) = 2
        call snapshot_array(s, 'a3', a3, n(:3)); a3(2, 3, 4) = 3
        call snapshot_array(s, 'a4', a4, n(:4)); a4(2, 3, 4, 5) = 4
        call snapshot_array(s, 'a5', a5, n(:5)); a5(2, 3, 4, 5, 6) = 5
        call snapshot_array(s, 'a6', a6, n(:6)); a6(2, 3, 4, 5, 6, 7) = 6
        call snapshot_array(s, 'a7', a7, n(:7)); a7(2, 3, 4, 5, 6, 7, 8) = 7
        nullify (a1, a2, a3, a4, a5, a6, a7)
        call snapshot_array(s, 'a1', a1, l(:1)); call require(a1(2) == 1, 'rank 1')
        call snapshot_array(s, 'a2', a2, l(:2)); call require(a2(2, 3) == 2, 'rank 2')
        call snapshot_array(s, 'a3', a3, l(:3)); call require(a3(2, 3, 4) == 3, 'rank 3')
        call snapshot_array(s, 'a4', a4, l(:4)); call require(a4(2, 3, 4, 5) == 4, 'rank 4')
        call snapshot_array(s, 'a5', a5, l(:5)); call require(a5(2, 3, 4, 5, 6) == 5, 'rank 5')
        call snapshot_array(s, 'a6', a6, l(:6)); call require(a6(2, 3, 4, 5, 6, 7) == 6, 'rank 6')
        call snapshot_array(s, 'a7', a7, l(:7)); call require(a7(2, 3, 4, 5, 6, 7, 8) == 7, 'rank 7')
        call require(snapshot_count(s, 'a7', 'f64') == product(l) .and. snapshot_count(s, 'b', 'f64') == 0, 'counts')
        call snapshot_remove_array(s, 'a7')
        call require(snapshot_count(s, 'a7', 'f64') == 0, 'removed')
        call snapshot_close(s)
    end subroutine

    subroutine errors(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        real(real64), pointer, contiguous :: u(:, :)
        real(real32), pointer, contiguous :: v(:, :)
        integer :: ierr

        s = snapshot_open('/proc/none/store', ierr=ierr)
        call require(ierr < 0 .and. len(snapshot_error()) > 20, 'a store that cannot be made')
        s = snapshot_open(store, ierr=ierr)
        call require(ierr == 0, 'open')
        call snapshot_array(s, 'u', u, [3, 4])
        call snapshot_array(s, 'u', v, [3, 4], ierr)
        call require(ierr == -snapshot_layout_mismatch .and. .not. associated(v), 'another kind')
        call require(snapshot_error_code() == snapshot_layout_mismatch, 'the code')
        call require(index(snapshot_error(), 'Double') > 0 .and. index(snapshot_error(), 'Single') > 0, 'the text')
        call snapshot_array(s, 'u', u, [4, 4], ierr)
        call require(ierr == -snapshot_layout_mismatch, 'another length')
        call snapshot_array(s, 'w', u, [-4, -4], ierr)
        call require(ierr == -snapshot_invalid_argument, 'a negative length')
        call snapshot_unprotect(s, 'nobody', ierr)
        call require(ierr == -snapshot_not_found, 'no such memory')
        call snapshot_close(s, ierr)
        call require(ierr == 0, 'close')
        call snapshot_checkpoint(s)
    end subroutine

    ! Memory of the program, and threads; run twice.
    subroutine protects(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        real(real64), allocatable, target :: own(:, :), later(:)
        integer, target :: counter
        integer :: ierr
        integer(int64) :: bytes
        logical :: filled
        real(real64), pointer, contiguous :: scratch(:)

        s = snapshot_open(store)
        allocate (own(10, 10), source=1d0)
        allocate (later(1000), source=1d0)
        counter = 5
        call snapshot_protect(s, 'own', own)
        call snapshot_protect(s, 'counter', counter)
        call snapshot_protect(s, 'later', later, fill_later=.true.)
        call snapshot_protect(s, 'gaps', own(1:10:2, :), ierr=ierr)
        call require(ierr == -snapshot_not_contiguous, 'gaps')
        if (.not. snapshot_restarted(s)) then
            own = 7; counter = 12; later = 3
            call snapshot_checkpoint(s)
        else
            call require(all(own == 7) .and. counter == 12 .and. all(later == 1), 'filled')
            call snapshot_fill(s, 'later', filled)
            call require(filled .and. all(later == 3), 'filled late')
            call snapshot_fill(s, 'later', filled)
            call require(.not. filled, 'once')
        end if
        call snapshot_unprotect(s, 'own')
        deallocate (own)
        call snapshot_array(s, 'scratch', scratch, [10000])
        call snapshot_exclude(s, scratch, bytes)
        call require(bytes > 60000, 'excluded')
        call snapshot_include(s, scratch, bytes)
        call require(bytes > 60000, 'included')
        call snapshot_close(s)
    end subroutine

    subroutine threads(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        type(snapshot_participant) :: me
        type(snapshot_mutex), pointer :: lock
        type(snapshot_barrier), pointer :: gate
        logical :: is_last
        integer :: ierr

        s = snapshot_open(store)
        call snapshot_array(s, 'lock', lock)
        call snapshot_array(s, 'gate', gate)
        if (.not. snapshot_restarted(s)) call snapshot_barrier_init(gate, 1)
        me = snapshot_attach(s, 'main ')
        call snapshot_on_stop(me, 'stop', prepare=prepare)
        if (snapshot_restarted(s)) then
            call require(snapshot_mutex_is_held(lock), 'held as before')
        else
            call snapshot_mutex_lock(lock)
        end if
        call snapshot_mutex_lock(lock, ierr)
        call require(ierr == -snapshot_misuse, 'held already')
        call snapshot_checkpoint(s)
        call require(trim(told) == ' prepare 1' .or. snapshot_restarted(s), 'told '//told)
        call snapshot_mutex_unlock(lock)
        call require(snapshot_mutex_try_lock(lock), 'free')
        call snapshot_mutex_unlock(lock)
        call snapshot_barrier_wait(gate, is_last)
        call require(is_last, 'the last')
        call snapshot_poll(me)
        call snapshot_enter_critical(me)
        call snapshot_exit_critical(me)
        call snapshot_exit_critical(me, ierr)
        call require(ierr == -snapshot_misuse, 'not inside')
        call snapshot_enter_blocked(me, 'a message')
        call snapshot_exit_blocked(me)
        call snapshot_enter_blocked(me)
        call snapshot_exit_blocked(me)
        call snapshot_remove_stop_handler(me, 'stop')
        call snapshot_detach(me)
        call snapshot_close(s)
    end subroutine

    subroutine handlers(store)
        character(*), intent(in) :: store
        type(snapshot_session) :: s
        type(snapshot_ticket) :: ticket
        integer(int64) :: generation
        integer :: ierr

        s = snapshot_open(store, keep=3, timeout=30d0, signals='USR1')
        call snapshot_on_checkpoint(s, 'told', prepare, resume, committed)
        call snapshot_checkpoint(s, ticket=ticket, at_once=.true.)
        call snapshot_wait_captured(ticket)
        call snapshot_wait(ticket, generation)
        call require(generation == 1, 'generation 1')
        abort_with = 42
        call snapshot_checkpoint(s, ierr=ierr)
        call require(ierr == -snapshot_aborted .and. index(snapshot_error(), '42') > 0, 'aborted')
        abort_with = 0
        call snapshot_remove_handler(s, 'told')
        call snapshot_remove_handler(s, 'told', ierr)
        call require(ierr == -snapshot_not_found, 'removed')
        call require(snapshot_due(s) == 0 .and. snapshot_last_signal(s) == 0, 'not due')
        call snapshot_close(s)
        call require(told == ' prepare 1 resume 1 0 committed 1 prepare 2 resume 3 42', 'told '//told)
    end subroutine

    integer function prepare(generation)
        integer(int64), intent(in) :: generation
        character(20) :: text
        write (text, '(a, i0)') ' prepare ', generation
        told = trim(told)//text
        prepare = abort_with
    end function

    subroutine resume(kind, generation, abort_code)
        integer, intent(in) :: kind, abort_code
        integer(int64), intent(in) :: generation
        character(20) :: text
        call require(generation > 0, 'a generation')
        write (text, '(a, i0, a, i0)') ' resume ', kind, ' ', abort_code
        told = trim(told)//text
    end subroutine

    subroutine committed(generation)
        integer(int64), intent(in) :: generation
        character(20) :: text
        write (text, '(a, i0)') ' committed ', generation
        told = trim(told)//text
    end subroutine
end module

program fortran_tests
    use scenes
    implicit none
    character(1024) :: scene, store
    call get_command_argument(1, scene)
    call get_command_argument(2, store)
    select case (scene)
    case ('kinds'); call kinds(store)
    case ('ranks'); call ranks(store)
    case ('errors'); call errors(store)
    case ('protects'); call protects(store)
    case ('threads'); call threads(store)
    case ('handlers'); call handlers(store)
    case default; stop 2
    end select
end program
