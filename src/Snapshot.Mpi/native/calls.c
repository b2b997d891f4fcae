/* The table of calls over the MPI that compiles this file. */
#include "calls.h"

#include <mpi.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A call's count is an int: what is larger goes in pieces of this, in order. */
#define PIECE ((int64_t)1 << 30)

/* Kept here, since a request of MPI is a pointer in one family and a number in the other. */
static MPI_Request requests[SNM_REQUESTS];
static int taken[SNM_REQUESTS];

static int32_t take_request(void)
{
    for (int32_t i = 0; i < SNM_REQUESTS; i++) {
        if (!taken[i]) {
            taken[i] = 1;
            return i;
        }
    }
    return -1;
}

static int32_t start(int32_t *level, int32_t *started)
{
    int was = 0, granted = 0;
    int error = MPI_Initialized(&was);
    if (error != MPI_SUCCESS)
        return error;
    *started = !was;
    static const int levels[] = {MPI_THREAD_SINGLE, MPI_THREAD_FUNNELED, MPI_THREAD_SERIALIZED,
                                 MPI_THREAD_MULTIPLE};
    error = was ? MPI_Query_thread(&granted) : MPI_Init_thread(NULL, NULL, levels[*level & 3], &granted);
    if (error != MPI_SUCCESS)
        return error;
    *level = 0;
    for (int32_t i = 0; i < 4; i++)
        if (levels[i] == granted)
            *level = i;
    return MPI_SUCCESS;
}

static int32_t finish(void)
{
    int was = 0;
    int error = MPI_Finalized(&was);
    return error != MPI_SUCCESS || was ? error : MPI_Finalize();
}

static int32_t version(char *text, int32_t bytes)
{
    char whole[SNM_VERSION_BYTES];
    int length = 0;
    int error = MPI_Get_library_version(whole, &length);
    if (error != MPI_SUCCESS)
        return error;
    snprintf(text, (size_t)bytes, "%s", whole);
    return MPI_SUCCESS;
}

static void describe(int32_t error, char *text, int32_t bytes)
{
    char whole[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (MPI_Error_string(error, whole, &length) != MPI_SUCCESS)
        snprintf(whole, sizeof whole, "error %d", error);
    snprintf(text, (size_t)bytes, "%s", whole);
}

static int32_t end_all(int32_t code)
{
    return MPI_Abort(MPI_COMM_WORLD, code);
}

static int32_t open(int32_t of, int32_t *communicator, int32_t *rank, int32_t *size)
{
    MPI_Comm own;
    int error = MPI_Comm_dup(of == 0 ? MPI_COMM_WORLD : MPI_Comm_f2c(of), &own);
    if (error == MPI_SUCCESS)
        error = MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN);
    int number = 0, count = 0;
    if (error == MPI_SUCCESS)
        error = MPI_Comm_rank(own, &number);
    if (error == MPI_SUCCESS)
        error = MPI_Comm_size(own, &count);
    if (error != MPI_SUCCESS)
        return error;
    *communicator = MPI_Comm_c2f(own);
    *rank = number;
    *size = count;
    return MPI_SUCCESS;
}

static int32_t close(int32_t communicator)
{
    MPI_Comm own = MPI_Comm_f2c(communicator);
    return MPI_Comm_free(&own);
}

static int32_t world(int32_t *communicator)
{
    *communicator = MPI_Comm_c2f(MPI_COMM_WORLD);
    return MPI_SUCCESS;
}

static int32_t barrier(int32_t communicator)
{
    return MPI_Barrier(MPI_Comm_f2c(communicator));
}

static int32_t broadcast(int32_t communicator, void *bytes, int64_t count, int32_t root)
{
    for (int64_t done = 0; done < count;) {
        int64_t piece = count - done < PIECE ? count - done : PIECE;
        int error = MPI_Bcast((char *)bytes + done, (int)piece, MPI_BYTE, root, MPI_Comm_f2c(communicator));
        if (error != MPI_SUCCESS)
            return error;
        done += piece;
    }
    return MPI_SUCCESS;
}

static int32_t gather(int32_t communicator, const void *bytes, int32_t count, void *all, int32_t root)
{
    return MPI_Gather(bytes, count, MPI_BYTE, all, count, MPI_BYTE, root, MPI_Comm_f2c(communicator));
}

static int32_t reduce(int32_t communicator, int64_t *words, int32_t count)
{
    return MPI_Allreduce(MPI_IN_PLACE, words, count, MPI_INT64_T, MPI_MAX, MPI_Comm_f2c(communicator));
}

static int32_t reduce_numbers(int32_t communicator, double *numbers, int32_t count, int32_t operation)
{
    return MPI_Allreduce(MPI_IN_PLACE, numbers, count, MPI_DOUBLE, operation == SNM_SUM ? MPI_SUM : MPI_MAX,
                         MPI_Comm_f2c(communicator));
}

/* Gives the request back where the call that was to begin it failed. */
static int32_t begun(int error, int32_t request)
{
    if (error != MPI_SUCCESS)
        taken[request] = 0;
    return error;
}

static int32_t reduce_start(int32_t communicator, const int64_t *words, int64_t *result, int32_t count,
                            int32_t *request)
{
    if ((*request = take_request()) < 0)
        return MPI_SUCCESS;
    return begun(MPI_Iallreduce(words, result, count, MPI_INT64_T, MPI_MAX, MPI_Comm_f2c(communicator),
                                &requests[*request]),
                 *request);
}

static int32_t send_start(int32_t communicator, const void *bytes, int64_t count, int32_t to, int32_t tag,
                          int32_t *request)
{
    if (count > PIECE)
        return MPI_ERR_COUNT;
    if ((*request = take_request()) < 0)
        return MPI_SUCCESS;
    return begun(
        MPI_Isend(bytes, (int)count, MPI_BYTE, to, tag, MPI_Comm_f2c(communicator), &requests[*request]),
        *request);
}

static int32_t receive_start(int32_t communicator, void *bytes, int64_t count, int32_t from, int32_t tag,
                             int32_t *request)
{
    if (count > PIECE)
        return MPI_ERR_COUNT;
    if ((*request = take_request()) < 0)
        return MPI_SUCCESS;
    return begun(
        MPI_Irecv(bytes, (int)count, MPI_BYTE, from, tag, MPI_Comm_f2c(communicator), &requests[*request]),
        *request);
}

static int32_t wait(int32_t request)
{
    int error = MPI_Wait(&requests[request], MPI_STATUS_IGNORE);
    taken[request] = 0;
    return error;
}

static int32_t test(int32_t request, int32_t *done)
{
    int ended = 0;
    int error = MPI_Test(&requests[request], &ended, MPI_STATUS_IGNORE);
    if (ended)
        taken[request] = 0;
    *done = ended;
    return error;
}

static int32_t look(int32_t communicator, int32_t *found, struct snm_message *message)
{
    int there = 0, bytes = 0;
    MPI_Status status;
    int error = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_Comm_f2c(communicator), &there, &status);
    *found = there;
    if (error != MPI_SUCCESS || !there)
        return error;
    error = MPI_Get_count(&status, MPI_BYTE, &bytes);
    message->source = status.MPI_SOURCE;
    message->tag = status.MPI_TAG;
    message->bytes = bytes == MPI_UNDEFINED ? -1 : bytes;
    return error;
}

#if defined(OPEN_MPI)
#define FAMILY SNM_OPEN_MPI
#elif defined(MPICH_VERSION)
#define FAMILY SNM_MPICH
#else
#define FAMILY SNM_OTHER
#endif

__attribute__((visibility("default"))) const struct snm_calls *snm_calls(int32_t abi)
{
    static const struct snm_calls calls = {
        .abi = SNM_ABI_VERSION,
        .family = FAMILY,
        .start = start,
        .finish = finish,
        .version = version,
        .describe = describe,
        .abort = end_all,
        .open = open,
        .close = close,
        .world = world,
        .barrier = barrier,
        .broadcast = broadcast,
        .gather = gather,
        .reduce = reduce,
        .reduce_numbers = reduce_numbers,
        .reduce_start = reduce_start,
        .send_start = send_start,
        .receive_start = receive_start,
        .wait = wait,
        .test = test,
        .look = look,
    };
    return abi == SNM_ABI_VERSION ? &calls : NULL;
}
