/*
 * handlers.c: when the parts of handlers are called, and when no more. HandlerTests.cs runs its scenes.
 *
 *     handlers SCENE STORE
 */
#include <snapshot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a handler was told; how long its parts take; which of them removes the handler itself. */
struct told {
    snapshot_session *session;
    double seconds;
    int removes_itself;
    int prepares, resumes, commits;
};

static void require(int is_right, const char *what)
{
    if (is_right)
        return;
    printf("%s: %s\n", what, snapshot_error());
    exit(1);
}

static void rest(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static int prepare(void *argument, int64_t generation)
{
    struct told *told = argument;
    (void)generation;
    rest(told->seconds);
    told->prepares++;
    if (told->removes_itself)
        require(snapshot_remove_handler(told->session, "told") == 0, "removes itself");
    return 0;
}

static void resume(void *argument, const snapshot_outcome *outcome)
{
    struct told *told = argument;
    (void)outcome;
    told->resumes++;
}

static void committed(void *argument, int64_t generation)
{
    struct told *told = argument;
    (void)generation;
    rest(told->seconds);
    told->commits++;
}

static struct told *add(snapshot_session *session)
{
    struct told *told = calloc(1, sizeof *told);
    snapshot_handler handler = SNAPSHOT_HANDLER;
    handler.prepare = prepare;
    handler.resume = resume;
    handler.committed = committed;
    require(told != NULL, "memory");
    told->session = session;
    require(snapshot_on_checkpoint(session, "told", &handler, told) == 0, "adds");
    return told;
}

static void print(const char *when, const struct told *told)
{
    printf("%s: %d %d %d\n", when, told->prepares, told->resumes, told->commits);
}

/* Asks for a checkpoint, and waits until it is durable. */
static void checkpoint(snapshot_session *session)
{
    snapshot_ticket *ticket;
    require(snapshot_checkpoint(session, NULL, &ticket) == 0, "checkpoint");
    require(snapshot_wait(ticket, NULL) == 0, "wait");
}

/* All that a handler is to be told it is told before the session is closed. */
static void close_scene(snapshot_session *session)
{
    struct told *told = add(session);
    told->seconds = 0.3;
    checkpoint(session);
    require(snapshot_close(session) == 0, "close");
    print("closed", told);
}

/* A part that runs is waited for, and none is called after that. */
static void remove_scene(snapshot_session *session)
{
    struct told *told = add(session), before;
    snapshot_request request = SNAPSHOT_REQUEST;
    snapshot_ticket *ticket;
    request.flags = SNAPSHOT_RETURN_AT_ONCE;
    told->seconds = 0.5;
    require(snapshot_checkpoint(session, &request, &ticket) == 0, "checkpoint");
    rest(0.25);
    require(snapshot_remove_handler(session, "told") == 0, "removes");
    before = *told;
    print("removed", told);
    require(snapshot_wait(ticket, NULL) == 0, "wait");
    require(snapshot_close(session) == 0, "close");
    printf("%s\n", memcmp(&before, told, sizeof before) == 0 ? "the same" : "called");
    free(told);
}

/* From a part of the handler itself. */
static void itself_scene(snapshot_session *session)
{
    struct told *told = add(session);
    told->removes_itself = 1;
    checkpoint(session);
    checkpoint(session);
    require(snapshot_close(session) == 0, "close");
    print("closed", told);
}

int main(int count, char **arguments)
{
    snapshot_session *session;
    if (count != 3)
        return 2;
    require(snapshot_open(arguments[2], NULL, &session) == 0, "open");
    if (strcmp(arguments[1], "close") == 0)
        close_scene(session);
    else if (strcmp(arguments[1], "remove") == 0)
        remove_scene(session);
    else if (strcmp(arguments[1], "itself") == 0)
        itself_scene(session);
    else
        return 2;
    return 0;
}
