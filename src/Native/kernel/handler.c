/*
 * handler.c: what a thread does when it gets the capture signal. All of it is safe in a signal handler.
 *
 * Where a thread may be parked. Its registers and stack must mean the same in a new process. So every frame lies in code
 * at a fixed address: in kernel modules, or here. Where the innermost frames are of other libraries (libc in the middle
 * of a printf, the vdso), the thread is let run on: the return address of the outermost such frame is replaced by
 * snk_trampoline, which puts it back and sends the signal again. Nothing of libc is ever captured, so it does not
 * matter where it lies in the next process or which of its locks are held.
 *
 * Where not even that is done: in code that reads return addresses (setjmp stores its own, an unwinder looks them up)
 * and in the middle of landing in an exception's handler, when the registers that the tables tell of are another
 * frame's already. The thread runs on, and the signal comes again a little later.
 */
#include "kernel.h"
#include "unwind.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES_MAX 1000000u
#define RED_ZONE_BYTES 128u

/* What becomes of a thread that was interrupted. */
enum verdict { PARKS, COMES_BACK, RUNS_ON };

extern const char __start_snk_disarm_text[], __stop_snk_disarm_text[];

static int within(uint64_t address, uint64_t first, uint64_t end)
{
    return address >= first && address < end;
}

/* Whether code at an address is where it is in every process. */
static int is_fixed(uint64_t pc)
{
    if (within(pc, snk_process.own_first, snk_process.own_end))
        return 1;
    uint32_t count = __atomic_load_n(&snk_process.module_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        if (within(pc, snk_process.modules[i].first, snk_process.modules[i].end))
            return 1;
    }
    return 0;
}

static int is_unsafe(uint64_t pc)
{
    uint32_t count = __atomic_load_n(&snk_process.unsafe_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        if (within(pc, snk_process.unsafe[i].first, snk_process.unsafe[i].end))
            return 1;
    }
    return 0;
}

static int is_raising(uint64_t pc)
{
    return within(pc, (uint64_t)(uintptr_t)snk_trampoline, (uint64_t)(uintptr_t)snk_raised) ||
           within(pc, (uint64_t)(uintptr_t)__start_snk_disarm_text, (uint64_t)(uintptr_t)__stop_snk_disarm_text);
}

static struct sn_frame frame_of(const ucontext_t *context)
{
    /* DWARF's numbers of the registers, in the order of the numbers that the kernel's frame has them in. */
    static const int order[SN_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
                                            REG_RIP};
    struct sn_frame frame = {.known = (1u << SN_REGISTERS) - 1};
    for (uint32_t i = 0; i < SN_REGISTERS; i++)
        frame.registers[i] = (uint64_t)context->uc_mcontext.gregs[order[i]];
    return frame;
}

/* Walks the whole stack. COMES_BACK: *slot is where the outermost foreign frame's return address is. */
static enum verdict look(struct snk_worker *worker, const ucontext_t *context, uint64_t **slot)
{
    const struct snk_record *record = worker->record;
    struct sn_frame frame = frame_of(context);
    uint64_t rsp = frame.registers[SN_REGISTER_RSP], foreign_at = 0;
    worker->pc = frame.registers[SN_REGISTER_RIP];
    uint64_t low = rsp - RED_ZONE_BYTES;
    for (uint32_t depth = 0; depth < FRAMES_MAX; depth++) {
        uint64_t pc = frame.registers[SN_REGISTER_RIP] - (depth > 0 ? 1 : 0);
        int foreign = !is_fixed(pc);
        if (is_unsafe(pc)) {
            worker->pc = pc;
            worker->reason = EBUSY;
            return RUNS_ON;
        }
        int32_t error = sn_unwind_step(&frame, depth > 0, low, record->stack_high);
        if (error == EDOM)
            break;
        if (error != 0) {
            worker->pc = pc;
            worker->reason = error;
            return RUNS_ON;
        }
        if (foreign) {
            foreign_at = frame.return_at;
            worker->pc = pc;
        }
    }
    if (foreign_at == 0)
        return PARKS;
    worker->reason = EINPROGRESS;
    *slot = (uint64_t *)(uintptr_t)foreign_at;
    return COMES_BACK;
}

/* ---- replaced return addresses ----------------------------------------------------------------------------- */

static void disarm(struct snk_worker *worker)
{
    if (worker->armed_at == 0)
        return;
    uint64_t *slot = (uint64_t *)(uintptr_t)worker->armed_at;
    /* A longjmp may have left the frame behind, and others may have written over it. */
    if (*slot == (uint64_t)(uintptr_t)snk_trampoline)
        *slot = worker->armed;
    worker->armed_at = 0;
}

static void arm(struct snk_worker *worker, uint64_t *slot)
{
    worker->armed = *slot;
    worker->armed_at = (uint64_t)(uintptr_t)slot;
    *slot = (uint64_t)(uintptr_t)snk_trampoline;
}

__attribute__((section("snk_disarm_text"), target("general-regs-only"), used)) struct snk_raise
snk_disarm(uint64_t *return_address)
{
    uint64_t self;
    __asm__("movq %%fs:0x10, %0" : "=r"(self));
    struct snk_worker *worker = &snk_process.workers[(self - SNK_HOST_BASE) / SNK_HOST_BYTES];
    *return_address = worker->armed;
    worker->armed_at = 0;
    return (struct snk_raise){(uint32_t)snk_process.pid | (uint64_t)(uint32_t)snk_process.signal << 32,
                              (uint32_t)worker->tid};
}

/* ---- parking ----------------------------------------------------------------------------------------------- */

static uint64_t read_fs(uint64_t offset)
{
    uint64_t value;
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

/* Everything of the thread that is not on its stacks goes to the record. */
static void keep(struct snk_record *record, const ucontext_t *context, int32_t saved_errno)
{
    record->fs_base = read_fs(0x10);
    record->canary = read_fs(0x28);
    record->pointer_guard = read_fs(0x30);
    record->saved_errno = saved_errno;
    uint32_t count = __atomic_load_n(&snk_process.module_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        const struct snk_module *module = &snk_process.modules[i];
        if (module->tls_bytes != 0)
            memcpy(record->tls + module->tls_at, (const void *)(uintptr_t)(record->fs_base - module->tls_offset),
                   module->tls_bytes);
    }
    record->frame = (uint64_t)(uintptr_t)context;
}

static void park(struct snk_worker *worker, uint32_t stop)
{
    __atomic_store_n(&worker->parked, stop, __ATOMIC_RELEASE);
    __atomic_add_fetch(&snk_process.arrivals, 1, __ATOMIC_SEQ_CST);
    snk_futex_wake(&snk_process.arrivals);
    while (__atomic_load_n(&snk_process.wanted, __ATOMIC_ACQUIRE) == stop)
        snk_futex_wait(&snk_process.wanted, stop, -1);
}

void snk_on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    int32_t saved_errno = errno;
    const ucontext_t *registers = context;
    struct snk_worker *worker = snk_worker_of_this_thread();
    for (;;) {
        uint32_t stop = __atomic_load_n(&snk_process.wanted, __ATOMIC_ACQUIRE);
        if ((stop & 1) == 0 || is_raising((uint64_t)registers->uc_mcontext.gregs[REG_RIP]))
            break;
        struct snk_record *record = worker->record;
        disarm(worker);
        if (record->state == SNK_STATE_RUNNING) {
            uint64_t *slot = NULL;
            enum verdict verdict = look(worker, registers, &slot);
            if (verdict == COMES_BACK)
                arm(worker, slot);
            if (verdict != PARKS)
                break;
            keep(record, registers, saved_errno);
        }
        /* What has not begun begins anew, and what has ended is not to be continued: no context is needed of it. */
        park(worker, stop);
        record->frame = 0;
    }
    errno = saved_errno;
}
