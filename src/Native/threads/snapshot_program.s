/*
 * snapshot_program.s: what a program made by `snapshot-cc --program` exports, beside its main. Assembled by snapshot-cc, for
 * what comes out of archives is hidden.
 */
    .text

/* uint64_t snapshot_main(void *start): where `snapshot exec` starts the program's thread. */
    .globl snapshot_main
    .type snapshot_main, @function
    .p2align 4
snapshot_main:
    .cfi_startproc
    jmp snt_program_main
    .cfi_endproc
    .size snapshot_main, . - snapshot_main

/* Where Linux begins when the file is started like any other: it says how it is meant. */
    .globl snapshot_start
    .type snapshot_start, @function
    .hidden snapshot_start
    .p2align 4
snapshot_start:
    .cfi_startproc
    .cfi_undefined rip
    movl $1, %eax               /* write */
    movl $2, %edi
    leaq message(%rip), %rsi
    movl $message_end - message, %edx
    syscall
    movl $231, %eax             /* exit_group */
    movl $126, %edi
    syscall
    ud2
    .cfi_endproc
    .size snapshot_start, . - snapshot_start

    .section .rodata
message:
    .ascii "This program was made by snapshot-cc --program. Start it by: snapshot exec STORE -- PROGRAM [ARGUMENT...]\n"
message_end:

    .section .note.GNU-stack, "", @progbits
