/*
 * entry.S: onto the stack in the arena and back, into a captured context, and what a replaced return address leads to.
 */
    .text

/*
 * void snk_enter(struct snk_record *record, uint64_t *host_rsp)
 * Runs record->function(record->argument) on the record's stack. What is on that stack is the arena's alone: the way
 * back is asked for when the function has returned, of the process that then runs it.
 */
    .globl snk_enter
    .hidden snk_enter
    .type snk_enter, @function
    .p2align 4
snk_enter:
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
    movq $2, (%rdi)             /* SNK_STATE_RUNNING: from here on it is captured as it is */
    xorl %ebp, %ebp
    movq 16(%rbx), %rdi
    call *8(%rbx)
    movq %rax, 24(%rbx)
    movq $3, (%rbx)             /* SNK_STATE_ENDED */
    movq %rbx, %rdi
    call snk_leave
    movq %rax, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size snk_enter, . - snk_enter

/*
 * void snk_enter_captured(struct snk_record *record, uint64_t *host_rsp)
 * As snk_enter, into a captured context, which returns through the captured snk_enter.
 */
    .globl snk_enter_captured
    .hidden snk_enter_captured
    .type snk_enter_captured, @function
    .p2align 4
snk_enter_captured:
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
    .size snk_enter_captured, . - snk_enter_captured

/*
 * uint64_t snk_block(struct snk_record *record)
 * Leaves the stack in the arena for the host stack, calls snk_run_blocked there, and comes back. What the caller
 * expects to be preserved is on the arena's stack; a new process begins at snk_blocked, with a host stack of its own.
 *
 * While `blocked` is 1 the signal's handler does nothing: registers hold addresses of the host stack.
 */
    .globl snk_block
    .hidden snk_block
    .type snk_block, @function
    .p2align 4
snk_block:
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
    call snk_host_stack
    leaq -128(%rax), %rsp
    andq $-16, %rsp
    .cfi_remember_state
    .cfi_undefined rip
snk_blocked:
    movq %rbx, %rdi
    call snk_run_blocked
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
    .size snk_block, . - snk_block

/*
 * void snk_enter_blocked(struct snk_record *record, uint64_t *host_rsp)
 * As snk_enter_captured, for a thread that was captured in snk_block.
 */
    .globl snk_enter_blocked
    .hidden snk_enter_blocked
    .type snk_enter_blocked, @function
    .p2align 4
snk_enter_blocked:
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
    jmp snk_blocked
    .cfi_endproc
    .size snk_enter_blocked, . - snk_enter_blocked

/*
 * void snk_raise_self(void)
 * Sends the caller the signal. As for the trampoline below, the handler does nothing before snk_raised_self.
 */
    .globl snk_raise_self
    .hidden snk_raise_self
    .globl snk_raised_self
    .hidden snk_raised_self
    .type snk_raise_self, @function
    .p2align 4
snk_raise_self:
    .cfi_startproc
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call snk_ids                /* as snk_disarm answers */
    movl %eax, %edi
    movl %edx, %esi
    shrq $32, %rax
    movl %eax, %edx
    movl $234, %eax             /* tgkill */
    syscall
snk_raised_self:
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size snk_raise_self, . - snk_raise_self

/*
 * A call that was not to be interrupted returns here in place of its caller. All registers are as it left them; its
 * stack pointer is what it would be in the caller. The real address is put where the call's return address was, so that
 * a context captured later has no trace of this process. Then the thread sends itself the signal.
 *
 * Up to snk_raised the signal's handler does nothing: registers hold the ids of this process, which no image may
 * have. The vector registers are untouched, snk_disarm being compiled without them.
 *
 * Looking up the instruction before a return address must not find the function before: hence the ud2.
 */
    .globl snk_trampoline
    .hidden snk_trampoline
    .globl snk_raised
    .hidden snk_raised
    .type snk_trampoline, @function
    .p2align 4
    .cfi_startproc
    .cfi_undefined rip
    ud2
    .cfi_endproc
snk_trampoline:
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
    call snk_disarm             /* rax: process id, and the signal above it; rdx: thread id */
    movq %rbx, %rsp
    .cfi_def_cfa_register rsp
    movl %eax, %edi
    movl %edx, %esi
    shrq $32, %rax
    movl %eax, %edx
    movl $234, %eax             /* tgkill */
    syscall
snk_raised:
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
    .size snk_trampoline, . - snk_trampoline

    .section .note.GNU-stack, "", @progbits
