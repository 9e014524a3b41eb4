/* SQLite's own file layer with faults: the Nth write fails, or the process dies in the middle of it.
 * One for the whole process; install it before anything is opened. */
#ifndef TESTS_STORE_FAULTY_VFS_H
#define TESTS_STORE_FAULTY_VFS_H

#include <stdbool.h>

typedef enum {
	FAULT_NONE,
	FAULT_FULL,	   /* the write fails as on a full disk, that once */
	FAULT_STAYS_FULL,  /* ... and every one after it, until the next fault_set */
	FAULT_WRITE_ERROR, /* EIO, half of it written */
	FAULT_READ_ERROR,  /* the Nth read fails instead */
	FAULT_DIES,	   /* half of it is written, then _exit(9) */
} Fault;

void fault_install(void);		    /* becomes the default VFS */
void fault_set(Fault fault, int countdown); /* 1: the very next one */
bool fault_happened(void);		    /* since fault_set */

#endif
