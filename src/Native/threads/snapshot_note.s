# The room of the note in which a native module says that it was checked where it was built (docs/NATIVE.md). snapshot-cc links
# this file into every module and fills the content, which is zero until then, when the check has passed.
    .section .note.snapshot, "a", %note
    .balign 4
    .long 9, 176, 1
    .asciz "Snapshot"
    .balign 4
    .zero 176
    .section .note.GNU-stack, "", %progbits
