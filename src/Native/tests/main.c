/* main.c: runs the tests of the C part, one group for each of its files. Exit code 0: all held. */
#include "check.h"

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } groups[] = {
        {"layout", test_layout},       {"memory", test_memory},
        {"track", test_track},         {"maps", test_maps},
        {"futex", test_futex},         {"decode", test_decode},
        {"fill", test_fill},           {"signal", test_signal},
        {"freeze", test_freeze},       {"slots", test_slots},
        {"invariant", test_invariant}, {"file", test_file},
        {"lock", test_lock},           {"limit signal", test_limit_signal},
        {"foreign", test_foreign},     {"device", test_device},
        {"thread", test_thread},
    };

    CHECK_EQUAL(sn_abi_version(), SN_ABI_VERSION);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        groups[i].run();
        printf("%s: ok\n", groups[i].name);
        fflush(stdout);
    }
    return 0;
}
