#include "faulty-vfs.h"

#include <sqlite3.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

typedef struct FaultyFile {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
} FaultyFile;

/* A VFS has no argument of ours in its file calls: these are the test process's own. */
static struct {
	sqlite3_vfs *real;
	Fault fault;
	int countdown;
	bool happened;
} faulty;

/* Is it this read's, or this write's, turn? */
static bool
strikes(bool is_read)
{
	if (faulty.fault == FAULT_NONE || is_read != (faulty.fault == FAULT_READ_ERROR))
		return false;
	if (faulty.happened)
		return faulty.fault == FAULT_STAYS_FULL;
	if (--faulty.countdown > 0)
		return false;
	faulty.happened = true;
	return true;
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((FaultyFile *)file)->real;
}

static int
on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int
on_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
	if (strikes(true))
		return SQLITE_IOERR_READ;
	return real_of(file)->pMethods->xRead(real_of(file), bytes, size, at);
}

static int
on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
	const sqlite3_io_methods *methods = real_of(file)->pMethods;

	if (!strikes(false))
		return methods->xWrite(real_of(file), bytes, size, at);
	if (faulty.fault == FAULT_FULL || faulty.fault == FAULT_STAYS_FULL)
		return SQLITE_FULL;
	methods->xWrite(real_of(file), bytes, size / 2, at);
	if (faulty.fault == FAULT_DIES)
		_exit(9);
	return SQLITE_IOERR_WRITE;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (strikes(false)) {
		if (faulty.fault == FAULT_DIES)
			_exit(9);
		return SQLITE_IOERR_TRUNCATE;
	}
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int
on_sync(sqlite3_file *file, int flags)
{
	if (strikes(false)) {
		if (faulty.fault == FAULT_DIES)
			_exit(9);
		return faulty.fault == FAULT_FULL || faulty.fault == FAULT_STAYS_FULL
			   ? SQLITE_FULL
			   : SQLITE_IOERR_FSYNC;
	}
	return SQLITE_OK; /* nothing here outlives the machine */
}

static int
on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int
on_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int
on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int
on_check_reserved(sqlite3_file *file, int *is)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is);
}

static int
on_control(sqlite3_file *file, int op, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int
on_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
on_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	if (extend && strikes(false)) {
		if (faulty.fault == FAULT_DIES)
			_exit(9);
		return faulty.fault == FAULT_WRITE_ERROR ? SQLITE_IOERR_SHMMAP
							 : SQLITE_IOERR_SHMSIZE;
	}
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int
on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void
on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
on_shm_unmap(sqlite3_file *file, int is_delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), is_delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	FaultyFile *mine = (FaultyFile *)file;
	int rc;

	memset(mine, 0, sizeof *mine);
	mine->real = (sqlite3_file *)(mine + 1);
	rc = faulty.real->xOpen(faulty.real, name, mine->real, flags, out_flags);
	if (rc == SQLITE_OK)
		mine->base.pMethods = &methods;
	return rc;
}

static sqlite3_vfs vfs;

void
fault_install(void)
{
	faulty.real = sqlite3_vfs_find(NULL);
	vfs = *faulty.real;
	vfs.zName = "faulty";
	vfs.szOsFile = faulty.real->szOsFile + (int)sizeof(FaultyFile);
	vfs.xOpen = on_open;
	sqlite3_vfs_register(&vfs, 1);
}

void
fault_set(Fault fault, int countdown)
{
	faulty.fault = fault;
	faulty.countdown = countdown;
	faulty.happened = false;
}

bool
fault_happened(void)
{
	return faulty.happened;
}
