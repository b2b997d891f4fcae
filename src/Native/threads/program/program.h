/*
 * program.h: what a whole program gets that is linked as a native module (snapshot-cc --program): stdio,
 * exit, and what libc would keep for it. `snapshot exec` runs it (docs/NATIVE.md).
 *
 * The files, from the bottom up: each calls only what stands before it here.
 *   kernel.c   the kernel's calls on files, by descriptor and by path
 *   files.c    open files, and what the next process does with them
 *   change.c   what an older image may still need is not changed before there is a newer one
 *   stream.c   buffers: what fread, fwrite and fseek are made of
 *   text.c     the names of <stdio.h> that take or give characters
 *   stdio.c    those that open, place and close
 *   print.c    printf and its family
 *   scan.c     scanf and its family
 *   keep.c     libc's functions that keep something: random numbers, strtok, localtime
 *   start.c    main, exit, the environment
 *
 * A program has one thread, so nothing here takes a lock. All variables are captured with the module's. A
 * descriptor belongs to one process: it is used inside a critical section, so that no image has it in the
 * middle of a call, and a new process opens the file again, before the program goes on.
 * Memory that is given to the kernel there is touched before (snt_touch_to_read), in the same section: no
 * checkpoint protects it meanwhile.
 */
#ifndef SNAPSHOT_PROGRAM_H
#define SNAPSHOT_PROGRAM_H

#include "../call.h"
#include "../snapshot_module.h"

#include <stdint.h>
#include <stdio.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* As the command gives it, in an arena: struct ProgramStart. */
struct snt_program_start {
    int64_t argument_count;
    char **arguments; /* and NULL behind the last, as main wants them */
    char **environment;
    int32_t asks; /* descriptors of this process, by which a checkpoint is asked for, and answered */
    int32_t answers;
    int64_t is_continued; /* a new process has opened the files again */
    int64_t ended;
};

/* A file that the program has open, or had; all streams with one file share it. */
struct snt_file {
    struct snt_file *next;
    char *path;      /* absolute */
    int64_t size;    /* as the program has made it; what is behind is another process's */
    uint64_t device; /* which file it is, and was when it was opened */
    uint64_t inode;
    uint64_t started; /* bytes written since the kernel was last told to write to the disk */
    int32_t streams;  /* that have it open */
    int32_t writers;  /* of them; with one the size is the program's */
    int32_t is_dirty; /* written since it was last on disk */
    int32_t is_kept;  /* opened to append or update: also when closed, the next process restores its size */
    int32_t in_image; /* an image may have it open */
    int32_t was_read; /* since an image was last asked for */
    int32_t is_own;   /* standard output: it was empty when the program began */
};

enum {
    SNT_READS = 1,
    SNT_WRITES = 2,
    SNT_APPENDS = 4,
    SNT_STANDARD = 8, /* standard output or error: where it goes is the shell's matter */
    SNT_SERIAL = 16,  /* no place in it can be named: a pipe, a terminal, a device */
    SNT_EMPTY = 32,   /* standard input that has nothing */
};

/* libc's own FILE comes first: functions that its header has inline look into it, and find nothing there. */
struct snt_stream {
    FILE head; /* _flags: _IO_EOF_SEEN and _IO_ERR_SEEN, as those functions read them */
    struct snt_stream *next;
    struct snt_file *file; /* NULL: it has none */
    unsigned char *buffer;
    size_t room;    /* of the buffer */
    size_t first;   /* what was read and not yet taken: from here */
    size_t end;     /* to here */
    size_t pending; /* what is to be written: so many bytes from the buffer's start */
    int64_t offset; /* in the file, of what is read next, or of what is pending */
    int32_t descriptor;
    int32_t mode;
    int32_t buffering; /* _IOFBF, _IOLBF, _IONBF */
    int32_t pushed_count;
    unsigned char pushed[8]; /* by ungetc */
};

#define SNT_EOF 0x10 /* _IO_EOF_SEEN */
#define SNT_ERROR 0x20
#define SNT_BUFFER_BYTES 65536u

static inline struct snt_stream *snt_stream_of(FILE *stream)
{
    return (struct snt_stream *)(void *)stream;
}

/* ---- kernel.c: results as the kernel gives them, an errno below 0 ----------------------------------------
 */

struct statx;

HIDDEN void snt_say(const char *text); /* on standard error */
/* Ends the process at once, with a line on standard error. */
HIDDEN _Noreturn void snt_program_fail(const char *which, const char *what);

/* Without privilege a call of the kernel fails at a page that is protected, or not yet there. */
HIDDEN void snt_touch_to_read(const void *data, size_t bytes);
HIDDEN void snt_touch_to_write(void *data, size_t bytes);

HIDDEN int64_t snt_open_path(const char *path, int32_t flags);
HIDDEN int64_t snt_look(int32_t descriptor, struct statx *found);
HIDDEN char *snt_absolute(const char *path); /* allocated; NULL: the heap is full */
#define SNT_PATH_BYTES 4096u
/* The path of what the shell gave as standard input, output or error. */
HIDDEN int64_t snt_path_of(int32_t number, char path[SNT_PATH_BYTES]);
HIDDEN void snt_close(int32_t descriptor);

/* ---- files.c ------------------------------------------------------------------------------------------- */

extern HIDDEN struct snt_program_start *snt_start;
extern HIDDEN struct snt_stream *snt_streams; /* all that are open */

/* The file of a path that the program has or had open, or NULL. */
HIDDEN struct snt_file *snt_file_at(const char *path);
/* Opens the stream's file: 0; -1: the same, and an image is to be asked for; or an errno. */
HIDDEN int32_t snt_file_open(struct snt_stream *stream, const char *path, int32_t flags);
/* Looks at what the shell gave as standard input (0), output (1) or error (2). */
HIDDEN void snt_file_standard(struct snt_stream *stream, int32_t number);
HIDDEN void snt_file_close(struct snt_stream *stream);
HIDDEN int64_t snt_file_size(const struct snt_stream *stream);

/* How many bytes. They move the stream's offset. */
HIDDEN int64_t snt_file_read(struct snt_stream *stream, void *data, size_t bytes);
HIDDEN int64_t snt_file_write(struct snt_stream *stream, const void *data, size_t bytes);

/* All that was written is on disk, and an image may follow. In a critical section. */
HIDDEN void snt_files_settle(void);
/* The handler by which that is so, and by which a new process opens files again. */
HIDDEN int32_t snt_files_at_checkpoint(void *argument, int32_t what);

/* ---- change.c ------------------------------------------------------------------------------------------ */

/* Returns when there is an image of the program in this call. */
HIDDEN void snt_ask_for_image(void);
/* The same if older images need what a truncation, or a write by this stream, takes away. */
HIDDEN void snt_before_truncation(const char *path);
HIDDEN void snt_before_write(const struct snt_stream *stream);
/* As in <stdio.h>, or an errno. */
HIDDEN int32_t snt_remove(const char *path);
HIDDEN int32_t snt_rename(const char *from, const char *to);
/* Sleeps so long, in nanoseconds. */
HIDDEN void snt_program_sleep(uint64_t nanoseconds);

/* ---- stream.c: 0 is done, -1 an error with errno, as in <stdio.h> ---------------------------------------
 */

extern HIDDEN struct snt_stream snt_standard[3];

HIDDEN int32_t snt_stream_fill(struct snt_stream *stream); /* -1 also at the end of the file */
HIDDEN int32_t snt_stream_flush(struct snt_stream *stream);
HIDDEN int32_t snt_stream_flush_all(void);
HIDDEN size_t snt_stream_read(struct snt_stream *stream, void *data, size_t bytes);
HIDDEN size_t snt_stream_write(struct snt_stream *stream, const void *data, size_t bytes);
HIDDEN int32_t snt_stream_put(struct snt_stream *stream, int32_t character);
HIDDEN int32_t snt_stream_get(struct snt_stream *stream);
HIDDEN int32_t snt_stream_unget(struct snt_stream *stream, int32_t character);
HIDDEN int64_t snt_stream_place(struct snt_stream *stream);
HIDDEN int32_t snt_stream_seek(struct snt_stream *stream, int64_t offset, int32_t whence);

#endif
