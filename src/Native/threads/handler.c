/*
 * handler.c: what a thread does when it gets the capture signal. All of it is safe in a signal handler.
 *
 * Where a thread may be parked. Its registers and stack must mean the same in a new process. So every frame
 * lies in code at a fixed address: in native modules, or here. Where the innermost frames are of other
 * libraries (libc in the middle of a printf, the vdso), the thread is let run on: the return address of the
 * outermost such frame is replaced by snt_trampoline, which puts it back and sends the signal again. Nothing
 * of libc is ever captured, so it does not matter where it lies in the next process or which of its locks are
 * held.
 *
 * Where not even that is done: in code that reads return addresses (setjmp stores its own, an unwinder looks
 * them up) and in the middle of landing in an exception's handler, when the registers that the tables tell of
 * are another frame's already. The thread runs on, and the signal comes again a little later.
 *
 * No exception meets a return address that was replaced. What throws is a module with an unwinder, and it has
 * the shim, whose sorting and searching functions stand in for the only ones of libc that would call back
 * into it; so no frame of it is above one of another library. Should there be one all the same, the thread
 * runs on.
 */
#include "call.h"
#include "native_thread.h"
#include "unwind.h"

#include "../invariant.h"

#include <string.h>
#include <ucontext.h>

#define FRAMES_MAX 1000000u
#define RED_ZONE_BYTES 128u
#define USER_END (UINT64_C(1) << 47)

/* What becomes of a thread that was interrupted. */
enum verdict { PARKS, COMES_BACK, RUNS_ON };

extern const char __start_snt_disarm_text[], __stop_snt_disarm_text[];

static int within(uint64_t address, uint64_t first, uint64_t end)
{
    return address >= first && address < end;
}

/* On the way to a signal that the thread sends itself: registers hold ids of this process. */
static int is_raising(uint64_t pc)
{
    return within(pc, (uint64_t)(uintptr_t)snt_trampoline, (uint64_t)(uintptr_t)snt_raised) ||
           within(pc, (uint64_t)(uintptr_t)snt_raise_self, (uint64_t)(uintptr_t)snt_raised_self) ||
           within(pc, (uint64_t)(uintptr_t)__start_snt_disarm_text,
                  (uint64_t)(uintptr_t)__stop_snt_disarm_text);
}

static struct sn_frame frame_of(const ucontext_t *context)
{
    /* DWARF's numbers of the registers, in the order of the numbers that the kernel's frame has them in. */
    static const int order[SN_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                            REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                            REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    struct sn_frame frame = {.known = (1u << SN_REGISTERS) - 1};
    for (uint32_t i = 0; i < SN_REGISTERS; i++)
        frame.registers[i] = (uint64_t)context->uc_mcontext.gregs[order[i]];
    return frame;
}

/*
 * Whether no word of the stack can be a return address of foreign or of unsafe code, so that there is no need
 * to walk it. Most stacks are that plain, and reading them is ten times faster.
 */
static int is_plain(uint64_t pc, uint64_t rsp, uint64_t high)
{
    if (snt_place_of(pc) == SNT_FOREIGN || snt_is_unsafe(pc))
        return 0;
    struct snt_range unsafe = snt_process.unsafe_in_modules, program = snt_process.program;
    for (uint64_t at = rsp & ~UINT64_C(7); at < high; at += sizeof(uint64_t)) {
        uint64_t word = *(const uint64_t *)(uintptr_t)at;
        /* A return address may be the one behind the code. */
        if (within(word, SNT_LIBRARIES, USER_END) || within(word - 1, program.first, program.end) ||
            within(word - 1, unsafe.first, unsafe.end) ||
            (within(word, SNT_BASES_FIRST, SNT_BASES_END) && snt_place_of(word) == SNT_FOREIGN))
            return 0;
    }
    return 1;
}

/* Walks the whole stack. COMES_BACK: *return_at is where the outermost foreign frame's return address is. */
static enum verdict walk(struct snt_worker *worker, struct sn_frame *frame, uint64_t **return_at)
{
    const struct snt_record *record = worker->record;
    uint64_t low = frame->registers[SN_REGISTER_RSP] - RED_ZONE_BYTES, foreign_at = 0;
    int32_t error = 0, throws = 0;
    for (uint32_t depth = 0; depth < FRAMES_MAX; depth++) {
        uint64_t pc = frame->registers[SN_REGISTER_RIP] - (depth > 0 ? 1 : 0);
        enum snt_place place = snt_place_of(pc);
        throws |= place == SNT_THROWS;
        if (snt_is_unsafe(pc) || (place == SNT_FOREIGN && throws))
            error = EBUSY;
        else
            error = sn_unwind_step(frame, depth > 0, low, record->stack_high);
        if (error == EDOM)
            break;
        if (error != 0 || place == SNT_FOREIGN)
            worker->pc = pc;
        if (error != 0) {
            worker->reason = error;
            return RUNS_ON;
        }
        if (place == SNT_FOREIGN)
            foreign_at = frame->return_at;
    }
    if (error != EDOM)
        return RUNS_ON;
    if (foreign_at == 0)
        return PARKS;
    worker->reason = SNT_LATE_FOREIGN;
    *return_at = (uint64_t *)(uintptr_t)foreign_at;
    return COMES_BACK;
}

static enum verdict look(struct snt_worker *worker, const ucontext_t *context, uint64_t **return_at)
{
    const struct snt_record *record = worker->record;
    struct sn_frame frame = frame_of(context);
    uint64_t rsp = frame.registers[SN_REGISTER_RSP], pc = frame.registers[SN_REGISTER_RIP];
    worker->pc = pc;
    worker->reason = SNT_LATE_CRITICAL;
    if (worker->critical != 0)
        return RUNS_ON;
    /*
     * Elsewhere: on the signal stack, in the handler of another signal; or on its way into or out of a
     * blocked call.
     */
    worker->reason = SNT_LATE_UNSAFE;
    if (record->blocked != 0 || rsp < record->stack_low || rsp > record->stack_high)
        return RUNS_ON;
    return is_plain(pc, rsp, record->stack_high) ? PARKS : walk(worker, &frame, return_at);
}

/* ---- replaced return addresses ------------------------------------------------------------------------- */

static void disarm(struct snt_worker *worker)
{
    if (worker->armed_at == 0)
        return;
    uint64_t *return_at = (uint64_t *)(uintptr_t)worker->armed_at;
    /* A longjmp may have left the frame behind, and others may have written over it. */
    if (*return_at == (uint64_t)(uintptr_t)snt_trampoline)
        *return_at = worker->armed;
    worker->armed_at = 0;
}

static void arm(struct snt_worker *worker, uint64_t *return_at)
{
    /* Else the address that was replaced before would be lost, and with it the way back of that frame. */
    SN_INVARIANT(worker->armed_at == 0, "one return address of a thread is replaced at a time");
    worker->armed = *return_at;
    worker->armed_at = (uint64_t)(uintptr_t)return_at;
    *return_at = (uint64_t)(uintptr_t)snt_trampoline;
}

/* ---- parking ------------------------------------------------------------------------------------------- */

static void park(struct snt_worker *worker, uint32_t stop)
{
    /*
     * Else it would be captured, and the next process, which knows nothing of it, return to where nothing is.
     */
    SN_INVARIANT(worker->armed_at == 0, "a parked thread has its own return addresses");
    __atomic_store_n(&worker->parked, stop, __ATOMIC_SEQ_CST);
    snt_arrive();
    while (__atomic_load_n(&snt_process.wanted, __ATOMIC_ACQUIRE) == stop)
        snt_sleep(&snt_process.wanted, stop);
}

static void park_context(struct snt_worker *worker, uint32_t stop, const ucontext_t *context,
                         int32_t saved_errno)
{
    struct snt_record *record = worker->record;
    snt_keep(record, saved_errno);
    record->frame = (uint64_t)(uintptr_t)context;
    park(worker, stop);
    record->frame = 0;
    snt_tell_handlers(worker, SN_CONTINUE);
}

/* 0: the thread runs on now, and will be sent the signal again if it is to be stopped. */
static int take(struct snt_worker *worker, uint32_t stop, const ucontext_t *context, int32_t saved_errno)
{
    if (is_raising((uint64_t)context->uc_mcontext.gregs[REG_RIP]))
        return 0;
    disarm(worker);
    if (worker->record->state != SNT_STATE_RUNNING) {
        /*
         * What has not begun begins anew, and what has ended is not to be continued: no context is needed of
         * it.
         */
        park(worker, stop);
        return 1;
    }
    uint64_t *return_at = NULL;
    enum verdict verdict = look(worker, context, &return_at);
    if (verdict == COMES_BACK)
        arm(worker, return_at);
    if (verdict != PARKS)
        return 0;
    if (snt_ask_handlers(worker) != 0) {
        worker->reason = SNT_LATE_REFUSED;
        return 0;
    }
    park_context(worker, stop, context, saved_errno);
    return 1;
}

void snt_on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    int32_t saved_errno = errno, has_parked = 1;
    struct snt_worker *worker = snt_worker_of_this_thread();
    if (worker == NULL || worker->record == NULL)
        return;
    /*
     * Whoever stops makes it wanted, and then looks whether a signal is on its way: here it is the other way
     * round.
     */
    for (;;) {
        uint32_t stop = __atomic_load_n(&snt_process.wanted, __ATOMIC_SEQ_CST);
        if ((stop & 1) != 0 && has_parked)
            has_parked = take(worker, stop, context, saved_errno);
        __atomic_store_n(&worker->sent, 0, __ATOMIC_SEQ_CST);
        stop = __atomic_load_n(&snt_process.wanted, __ATOMIC_SEQ_CST);
        if ((stop & 1) == 0 || !has_parked)
            break;
        __atomic_store_n(&worker->sent, 1, __ATOMIC_SEQ_CST);
    }
    errno = saved_errno;
}
