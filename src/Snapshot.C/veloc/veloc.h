/*
 * veloc.h: the calls of VELOC's client library in C, for programs that are compiled against this in its
 * place. What they do is VELOC's; docs/LIBRARY.md says where it differs.
 */
#ifndef __VELOC_H
#define __VELOC_H

#include <mpi.h>
#include <stddef.h>

#define VELOC_SUCCESS (0)
#define VELOC_FAILURE (-1)
#define VELOC_MAX_NAME (1024)

#define VELOC_RECOVER_ALL (0)
#define VELOC_RECOVER_SOME (1)
#define VELOC_RECOVER_REST (2)

#define VELOC_CKPT_ALL (0)
#define VELOC_CKPT_SOME (1)
#define VELOC_CKPT_REST (2)

#ifdef __cplusplus
extern "C" {
#endif

int VELOC_Init(MPI_Comm comm, const char *cfg_file);
int VELOC_Init_single(unsigned int id, const char *cfg_file);
int VELOC_Finalize(int drain);

int VELOC_Mem_protect(int id, void *ptr, size_t count, size_t base_size);
int VELOC_Mem_unprotect(int id);
int VELOC_Mem_clear(void);
int VELOC_Region_protect(int id, void *ptr, size_t count, size_t base_size, const char *name);
int VELOC_Region_unprotect(int id, const char *name);
int VELOC_Region_clear(const char *name);

int VELOC_Checkpoint(const char *name, int version);
int VELOC_Checkpoint_begin(const char *name, int version);
int VELOC_Checkpoint_mem(void);
int VELOC_Checkpoint_selective(int mode, int *ids, int id_count);
int VELOC_Checkpoint_end(int success);
int VELOC_Checkpoint_wait(void);
int VELOC_Checkpoint_finished(void);

int VELOC_Restart_test(const char *name, int version);
int VELOC_Restart(const char *name, int version);
int VELOC_Restart_begin(const char *name, int version);
int VELOC_Recover_mem(void);
int VELOC_Recover_selective(int mode, int *ids, int id_count);
int VELOC_Recover_size(int id);
int VELOC_Restart_end(int success);

int VELOC_Route_file(const char *original, char *routed);
int VELOC_Cleanup(const char *name);

#ifdef __cplusplus
}
#endif

#endif
