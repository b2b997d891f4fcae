/*
 * The calls of MPI that a job needs, as a table of functions. MPI's own interface differs between its
 * families (types, constants, names behind macros), so what calls it is compiled by the mpicc of the machine;
 * whoever uses the table sees numbers and bytes only. Communicators go as Fortran handles (MPI_Comm_c2f), the
 * form that both families share.
 *
 * Each function gives 0 or MPI's error code, whose text is told by `describe`. None is safe for more threads
 * at once than MPI was begun with: a job makes them on the thread that polls.
 */
#ifndef SNM_CALLS_H
#define SNM_CALLS_H

#include <stdint.h>

#define SNM_ABI_VERSION 1

/* The family of MPI that the table was compiled for. */
#define SNM_OPEN_MPI 1
#define SNM_MPICH 2
#define SNM_OTHER 3

/* Room for what any family says of itself: one that this was not compiled for may answer, and say more. */
#define SNM_VERSION_BYTES 8192

/* Requests of one communicator that may be open at once. */
#define SNM_REQUESTS 64

/* What the reductions over `words` do. */
#define SNM_MAX 0
#define SNM_SUM 1

/* A message that nobody has received. */
struct snm_message {
    int32_t source;
    int32_t tag;
    int64_t bytes;
};

struct snm_calls {
    int32_t abi;
    int32_t family;

    /* Begins MPI unless the program did. `level`: 0 single to 3 multiple, asked for and granted. */
    int32_t (*start)(int32_t *level, int32_t *started);
    /* Ends MPI unless that was done. */
    int32_t (*finish)(void);
    /* The library that answers, which need not be the one that this was compiled for. */
    int32_t (*version)(char *text, int32_t bytes);
    void (*describe)(int32_t error, char *text, int32_t bytes);
    int32_t (*abort)(int32_t code);

    /* A communicator of its own for what `of` has, 0 for all processes; freed by `close`. */
    int32_t (*open)(int32_t of, int32_t *communicator, int32_t *rank, int32_t *size);
    int32_t (*close)(int32_t communicator);
    /* The communicator of all processes, as MPI has it: nothing to close. */
    int32_t (*world)(int32_t *communicator);

    int32_t (*barrier)(int32_t communicator);
    int32_t (*broadcast)(int32_t communicator, void *bytes, int64_t count, int32_t root);
    /* `all` has room for `count` bytes of each rank, at the root. */
    int32_t (*gather)(int32_t communicator, const void *bytes, int32_t count, void *all, int32_t root);
    int32_t (*reduce)(int32_t communicator, int64_t *words, int32_t count);
    int32_t (*reduce_numbers)(int32_t communicator, double *numbers, int32_t count, int32_t operation);

    /* Ends at `wait`, or when `test` says so. `request` is one of SNM_REQUESTS, or -1 where none is free. */
    int32_t (*reduce_start)(int32_t communicator, const int64_t *words, int64_t *result, int32_t count,
                            int32_t *request);
    int32_t (*send_start)(int32_t communicator, const void *bytes, int64_t count, int32_t to, int32_t tag,
                          int32_t *request);
    int32_t (*receive_start)(int32_t communicator, void *bytes, int64_t count, int32_t from, int32_t tag,
                             int32_t *request);
    int32_t (*wait)(int32_t request);
    int32_t (*test)(int32_t request, int32_t *done);

    /* Looks whether a message waits to be received, from whomever. */
    int32_t (*look)(int32_t communicator, int32_t *found, struct snm_message *message);
};

/* The table; NULL where `abi` is not the one that this was compiled with. */
const struct snm_calls *snm_calls(int32_t abi);

#endif
