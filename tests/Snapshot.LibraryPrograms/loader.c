/*
 * loader.c: loads, uses and closes the library twice; it is not linked with it. Usage: loader LIBRARY STORE.
 */
#include <dlfcn.h>
#include <snapshot.h>
#include <stdio.h>

static int use_once(const char *library, const char *store)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    int (*open)(const char *, const snapshot_options *, snapshot_session **);
    int (*close)(snapshot_session *);
    *(void **)&open = dlsym(handle, "snapshot_open");
    *(void **)&close = dlsym(handle, "snapshot_close");
    snapshot_session *session;
    int opened = open(store, NULL, &session);
    printf("open %d close %d\n", opened, close(session));
    return dlclose(handle);
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 2;
    int first = use_once(arguments[1], arguments[2]);
    return first != 0 ? first : use_once(arguments[1], arguments[2]);
}
