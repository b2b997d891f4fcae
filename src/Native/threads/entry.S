/*
 * entry.S: onto the stack in the arena and back, into a captured context, and what a replaced return address leads to.
 */
    .text

/*
 * void snt_enter(struct snt_record *record, uint64_t *host_rsp)
 * Runs record->function(record->argument) on the record's stack. What is on that stack is the arena's alone: the way
 * back is asked for when the function has returned, of the process that then runs it.
 */
    .globl snt_enter
    .hidden snt_enter
    .type snt_enter, @function
    .p2align 4
snt_enter:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rsi)
    movq 40(%rdi), %rsp         /* stack_high */
    .cfi_undefined rip          /* the outermost frame of that stack */
    movq %rdi, %rbx
    movq $2, (%rdi)             /* SNT_STATE_RUNNING: from here on it is captured as it is */
    xorl %ebp, %ebp
    movq 16(%rbx), %rdi
    call *8(%rbx)
    movq %rax, 24(%rbx)
    movq $3, (%rbx)             /* SNT_STATE_ENDED */
    movq %rbx, %rdi
    call snt_leave
    movq %rax, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size snt_enter, . - snt_enter

/*
 * void snt_enter_captured(struct snt_record *record, uint64_t *host_rsp)
 * As snt_enter, into a captured context, which returns through the captured snt_enter.
 */
    .globl snt_enter_captured
    .hidden snt_enter_captured
    .type snt_enter_captured, @function
    .p2align 4
snt_enter_captured:
    .cfi_startproc
    .cfi_undefined rip
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rsi)
    movq 72(%rdi), %rax
    movq %rax, %fs:0x28         /* canary: functions on the captured stack will compare theirs with it */
    movq 80(%rdi), %rax
    movq %rax, %fs:0x30         /* pointer guard: a captured jmp_buf is written with it */
    movq 56(%rdi), %rsp         /* frame */
    movl $15, %eax              /* rt_sigreturn: all registers, the vector ones included, and the signal mask */
    syscall
    ud2
    .cfi_endproc
    .size snt_enter_captured, . - snt_enter_captured

/*
 * uint64_t snt_block(struct snt_record *record)
 * Leaves the stack in the arena for the host stack, calls snt_run_blocked there, and comes back. What the caller
 * expects to be preserved is on the arena's stack; a new process begins at snt_blocked, with a host stack of its own.
 *
 * While `blocked` is 1 the signal's handler does nothing: registers hold addresses of the host stack.
 */
    .globl snt_block
    .hidden snt_block
    .type snt_block, @function
    .p2align 4
snt_block:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rdi, %rbx
    movq %rsp, 4304(%rbx)       /* blocked_rsp */
    movl $1, 4296(%rbx)         /* blocked */
    call snt_host_stack
    leaq -128(%rax), %rsp
    andq $-16, %rsp
    .cfi_remember_state
    .cfi_undefined rip
snt_blocked:
    movq %rbx, %rdi
    call snt_run_blocked
    movq 4304(%rbx), %rsp
    .cfi_restore_state
    movl $0, 4296(%rbx)         /* from here on it is captured as it is */
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    ret
    .cfi_endproc
    .size snt_block, . - snt_block

/*
 * void snt_enter_blocked(struct snt_record *record, uint64_t *host_rsp)
 * As snt_enter_captured, for a thread that was captured in snt_block.
 */
    .globl snt_enter_blocked
    .hidden snt_enter_blocked
    .type snt_enter_blocked, @function
    .p2align 4
snt_enter_blocked:
    .cfi_startproc
    .cfi_undefined rip
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rsi)
    movq 72(%rdi), %rax
    movq %rax, %fs:0x28         /* canary */
    movq 80(%rdi), %rax
    movq %rax, %fs:0x30         /* pointer guard */
    movq %rdi, %rbx
    subq $128, %rsp
    andq $-16, %rsp
    jmp snt_blocked
    .cfi_endproc
    .size snt_enter_blocked, . - snt_enter_blocked

/*
 * void snt_raise_self(void)
 * Sends the caller the signal. As for the trampoline below, the handler does nothing before snt_raised_self.
 */
    .globl snt_raise_self
    .hidden snt_raise_self
    .globl snt_raised_self
    .hidden snt_raised_self
    .type snt_raise_self, @function
    .p2align 4
snt_raise_self:
    .cfi_startproc
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call snt_ids                /* as snt_disarm answers */
    movl %eax, %edi
    movl %edx, %esi
    shrq $32, %rax
    movl %eax, %edx
    movl $234, %eax             /* tgkill */
    syscall
snt_raised_self:
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size snt_raise_self, . - snt_raise_self

/*
 * A call that was not to be interrupted returns here in place of its caller. All registers are as it left them; its
 * stack pointer is what it would be in the caller. The real address is put where the call's return address was, so that
 * a context captured later has no trace of this process. Then the thread sends itself the signal.
 *
 * Up to snt_raised the signal's handler does nothing: registers hold the ids of this process, which no image may
 * have. The vector registers are untouched, snt_disarm being compiled without them.
 *
 * Looking up the instruction before a return address must not find the function before: hence the ud2.
 */
    .globl snt_trampoline
    .hidden snt_trampoline
    .globl snt_raised
    .hidden snt_raised
    .type snt_trampoline, @function
    .p2align 4
    .cfi_startproc
    .cfi_undefined rip
    ud2
    .cfi_endproc
snt_trampoline:
    .cfi_startproc
    .cfi_def_cfa_offset 0
    subq $8, %rsp               /* from here on as at a function's first instruction */
    .cfi_def_cfa_offset 8
    pushfq
    .cfi_adjust_cfa_offset 8
    pushq %rax
    .cfi_adjust_cfa_offset 8
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %r8
    .cfi_adjust_cfa_offset 8
    pushq %r9
    .cfi_adjust_cfa_offset 8
    pushq %r10
    .cfi_adjust_cfa_offset 8
    pushq %r11
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    cld
    leaq 88(%rsp), %rdi         /* where the return address belongs */
    movq %rsp, %rbx
    .cfi_def_cfa_register rbx
    andq $-16, %rsp
    call snt_disarm             /* rax: process id, and the signal above it; rdx: thread id */
    movq %rbx, %rsp
    .cfi_def_cfa_register rsp
    movl %eax, %edi
    movl %edx, %esi
    shrq $32, %rax
    movl %eax, %edx
    movl $234, %eax             /* tgkill */
    syscall
snt_raised:
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %r11
    .cfi_adjust_cfa_offset -8
    popq %r10
    .cfi_adjust_cfa_offset -8
    popq %r9
    .cfi_adjust_cfa_offset -8
    popq %r8
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    popq %rax
    .cfi_adjust_cfa_offset -8
    popfq
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size snt_trampoline, . - snt_trampoline

    .section .note.GNU-stack, "", @progbits
