/* Opening: the writer's lock, whose file it is, setting aside what cannot be used. */
#include "order-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 2000
#define UNFINISHED_S	INT64_C(2592000) /* 30 days: for so long half a part is worth its space */

typedef enum {
	FILE_OURS,
	FILE_FRESH,   /* empty: ours to fill */
	FILE_FOREIGN, /* somebody else's database */
	FILE_DAMAGED,
	FILE_NEWER,
	FILE_FAILED, /* could not be looked at */
} FileKind;

static bool
fail_errno(GError **error, const char *what, const char *path)
{
	int code = errno;

	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE, "%s %s: %s", what, path,
		    code == ENOSPC ? _("the disk is full") : g_strerror(code));
	return false;
}

/* WAL shares memory between processes, which these do not. */
static bool
refuse_network(const char *dir, GError **error)
{
	static const unsigned long network[] = {
		0x6969,	    /* NFS */
		0x517b,	    /* SMB */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x5346414f, /* AFS */
		0x73757245, /* Coda */
		0x564c,	    /* NCP */
	};
	struct statfs info;

	if (statfs(dir, &info) < 0)
		return fail_errno(error, _("cannot look at"), dir);
	for (size_t i = 0; i < G_N_ELEMENTS(network); i++) {
		if (((unsigned long)info.f_type & 0xffffffff) == network[i]) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
				    _("%s is on a network file system, where a database is not "
				      "safe: choose a local directory with --data"),
				    dir);
			return false;
		}
	}
	return true;
}

/* Our files are plain files of ours, closed to others.  *SIZE is -1 when there is none. */
static bool
check_file(const char *path, int64_t *size, GError **error)
{
	struct stat info;

	*size = -1;
	if (lstat(path, &info) < 0)
		return errno == ENOENT ? true : fail_errno(error, _("cannot look at"), path);
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid()) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("%s is not a plain file of yours (a link is not followed): move it "
			      "away"),
			    path);
		return false;
	}
	if ((info.st_mode & 077) && chmod(path, 0600) < 0)
		return fail_errno(error, _("cannot close to others"), path);
	*size = info.st_size;
	return true;
}

static bool
check_files(Store *store, int64_t *size, GError **error)
{
	g_autofree char *wal = g_strconcat(store->path, "-wal", NULL);
	g_autofree char *shm = g_strconcat(store->path, "-shm", NULL);
	int64_t ignored;

	return check_file(store->path, size, error) && check_file(wal, &ignored, error) &&
	       check_file(shm, &ignored, error);
}

/* Says who holds the lock, as far as the file tells. */
static void
fail_locked(int fd, const char *dir, GError **error)
{
	char text[16] = "";
	ssize_t got = pread(fd, text, sizeof text - 1, 0);
	long pid = got > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("another Postern (process %ld) is at work on %s"), pid, dir);
	else
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("another Postern is at work on %s"), dir);
}

/* flock goes with the last descriptor, however the process ends: no lock is ever stale. */
static bool
take_lock(Store *store, GError **error)
{
	g_autofree char *path = g_build_filename(store->dir, "lock", NULL);
	char pid[16];
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(error, _("cannot open"), path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			fail_locked(fd, store->dir, error);
		else
			fail_errno(error, _("cannot lock"), path);
		close(fd);
		return false;
	}
	store->lock_fd = fd;
	g_snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* The number is for people; a full disk does not matter here. */
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		log_event(store->log, "store", "lock: %s", g_strerror(errno));
	return true;
}

/* SQLite gives -wal and -shm the mode of the database, so that is made first. */
static bool
make_file(Store *store, GError **error)
{
	int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(error, _("cannot make"), store->path);
	close(fd);
	return true;
}

static char *
set_aside_name(Store *store)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *date = g_date_time_format(now, "%Y%m%d-%H%M%S");
	char *name = g_strdup_printf("%s.set-aside-%s", store->path, date);

	for (int i = 2; g_file_test(name, G_FILE_TEST_EXISTS); i++) {
		g_free(name);
		name = g_strdup_printf("%s.set-aside-%s-%d", store->path, date, i);
	}
	return name;
}

/* The log of changes goes with its database; the shared index is worth nothing without them. */
static bool
set_aside(Store *store, const char *name, const char *why, char **notice, GError **error)
{
	g_autofree char *wal = g_strconcat(store->path, "-wal", NULL);
	g_autofree char *shm = g_strconcat(store->path, "-shm", NULL);
	g_autofree char *mark = g_strconcat(store->path, ".damaged", NULL);
	g_autofree char *name_wal = g_strconcat(name, "-wal", NULL);

	if (rename(store->path, name) < 0 && errno != ENOENT)
		return fail_errno(error, _("cannot set aside"), store->path);
	if (rename(wal, name_wal) < 0 && errno != ENOENT)
		return fail_errno(error, _("cannot set aside"), wal);
	if ((unlink(shm) < 0 && errno != ENOENT) || (unlink(mark) < 0 && errno != ENOENT))
		return fail_errno(error, _("cannot remove"), shm);
	log_event(store->log, "store", "set aside as %s: %s", name, why);
	if (notice) {
		g_free(*notice);
		*notice = g_strdup_printf(_("The mail cache %s %s. It was set aside as %s, and "
					    "mail is fetched anew."),
					  store->path, why, name);
	}
	return true;
}

/* ---- the database itself ----------------------------------------------------------------------- */

static void
disconnect(Store *store)
{
	order_free(g_steal_pointer(&store->order));
	for (int i = 0; i < SQL_N; i++)
		sqlite3_finalize(g_steal_pointer(&store->queries[i]));
	sqlite3_close(g_steal_pointer(&store->db));
}

static bool
connect(Store *store, GError **error)
{
	/* Without NOFOLLOW a link that comes between check_file and here would be followed. */
	int rc = sqlite3_open_v2(store->path, &store->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
				 NULL);

	if (rc != SQLITE_OK) {
		if (store->db)
			return store_fail(store, rc, error);
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE, _("%s: out of memory"),
			    store->path);
		return false;
	}
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return true;
}

static int
pragma_number(Store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &query, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(query);
		if (rc == SQLITE_ROW)
			*value = sqlite3_column_int64(query, 0);
	}
	sqlite3_finalize(query);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Reads the header and the schema, changes nothing. */
static FileKind
look(Store *store, int64_t *version, GError **error)
{
	int64_t application = 0, tables = 0;
	int rc = pragma_number(store, "PRAGMA application_id", &application);

	if (rc == SQLITE_OK)
		rc = pragma_number(store, "PRAGMA user_version", version);
	if (rc == SQLITE_OK &&
	    (application != STORE_APPLICATION_ID || *version <= store_schema_version()))
		rc = pragma_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB ||
	    (rc & 0xff) == SQLITE_ERROR)
		return FILE_DAMAGED;
	if (rc != SQLITE_OK) {
		store_fail(store, rc, error);
		return FILE_FAILED;
	}
	if (application == STORE_APPLICATION_ID && *version > store_schema_version())
		return FILE_NEWER;
	if (application == 0 && *version == 0 && tables == 0)
		return FILE_FRESH;
	if (application != STORE_APPLICATION_ID)
		return FILE_FOREIGN;
	return tables > 0 && *version > 0 ? FILE_OURS : FILE_DAMAGED;
}

static bool
fail_newer(Store *store, GError **error)
{
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
		    _("%s was written by a newer Postern: use that one, or another directory with "
		      "--data; the file was left as it is"),
		    store->path);
	return false;
}

static bool
run_script(Store *store, const char *script, GError **error)
{
	int rc = sqlite3_exec(store->db, script, NULL, NULL, NULL);

	return rc == SQLITE_OK || store_fail(store, rc, error);
}

/* synchronous=NORMAL: a power cut may take back the newest commits, which the server still has;
 * a kill takes nothing.  temp_store: nothing of the mail in /tmp. */
static bool
configure(Store *store, GError **error)
{
	static const char writer[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
				     "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
				     "PRAGMA wal_autocheckpoint = 4000;"
				     "PRAGMA journal_size_limit = 33554432;"
				     "PRAGMA secure_delete = FAST; PRAGMA cell_size_check = ON;";
	static const char reader[] = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"
				     "PRAGMA cache_size = -4096; PRAGMA cell_size_check = ON;";

	return run_script(store, store->role == STORE_WRITER ? writer : reader, error);
}

/* Makes a database that look() found usable ready for work. */
static bool
prepare_writer(Store *store, FileKind kind, int64_t version, GError **error)
{
	g_autoptr(StoreQuery) query = NULL;
	g_autoptr(StoreQuery) old = NULL;
	int dropped;

	if (kind == FILE_FRESH && !run_script(store, "PRAGMA page_size = 4096", error))
		return false;
	if (!configure(store, error))
		return false;
	if (version < store_schema_version() && !store_schema_migrate(store, (int)version, error))
		return false;
	if (!store_state_load(store, error))
		return false;
	old = store_query(store, SQL_UNFINISHED_OLD, error);
	if (!old)
		return false;
	sqlite3_bind_int64(old, 1, g_get_real_time() / G_USEC_PER_SEC - UNFINISHED_S);
	if (!store_run(store, old, &dropped, error))
		return false;
	query = store_query(store, SQL_PARTS_DROP_UNFINISHED, error);
	return query && store_run(store, query, &dropped, error);
}

/* What is wrong with a file of this KIND, as the middle of a sentence; NULL: nothing. */
static const char *
complaint(FileKind kind)
{
	switch (kind) {
	case FILE_FOREIGN:
		return _("is not one that Postern made");
	case FILE_DAMAGED:
		return _("is damaged");
	case FILE_OURS:
	case FILE_FRESH:
	case FILE_NEWER:
	case FILE_FAILED:
		break;
	}
	return NULL;
}

static bool
is_marked(Store *store)
{
	g_autofree char *mark = g_strconcat(store->path, ".damaged", NULL);

	return access(mark, F_OK) == 0;
}

/* One try at the file that is there.  *WHY is set when it must be set aside. */
static bool
open_writer_once(Store *store, const char **why, GError **error)
{
	int64_t size, version = 0;
	FileKind kind;

	*why = NULL;
	if (!check_files(store, &size, error))
		return false;
	if (is_marked(store)) {
		*why = complaint(FILE_DAMAGED);
		return false;
	}
	if (size < 0 && !make_file(store, error))
		return false;
	if (!connect(store, error))
		return false;
	kind = look(store, &version, error);
	*why = complaint(kind);
	if (kind == FILE_NEWER)
		return fail_newer(store, error);
	if (*why || kind == FILE_FAILED)
		return false;
	if (prepare_writer(store, kind, version, error))
		return true;
	if (is_marked(store))
		*why = complaint(FILE_DAMAGED);
	return false;
}

/* What was set aside is as it was, and the next open tries again. */
static void
bring_back(Store *store, const char *name)
{
	g_autofree char *wal = g_strconcat(store->path, "-wal", NULL);
	g_autofree char *shm = g_strconcat(store->path, "-shm", NULL);
	g_autofree char *name_wal = g_strconcat(name, "-wal", NULL);

	disconnect(store);
	unlink(wal);
	unlink(shm);
	if (rename(name, store->path) == 0) {
		store_mark_damaged(store);
		rename(name_wal, wal);
	}
}

/* What exists only in the file NAME goes into the fresh one, before anything else happens to that. */
static bool
salvage(Store *store, const char *name, char **notice, GError **error)
{
	g_autofree char *words = NULL;

	if (!store_salvage(store, name, &words, error)) {
		bring_back(store, name);
		if (notice)
			g_clear_pointer(notice, g_free);
		return false;
	}
	if (words && notice && *notice) {
		g_autofree char *before = g_steal_pointer(notice);

		*notice = g_strconcat(before, " ", words, NULL);
	}
	return true;
}

static bool
open_writer(Store *store, char **notice, GError **error)
{
	g_autoptr(GError) first = NULL;
	g_autofree char *name = NULL;
	const char *why;

	if (!take_lock(store, error))
		return false;
	if (open_writer_once(store, &why, &first))
		return true;
	disconnect(store);
	if (!why) {
		g_propagate_error(error, g_steal_pointer(&first));
		return false;
	}
	name = set_aside_name(store);
	return set_aside(store, name, why, notice, error) && open_writer_once(store, &why, error) &&
	       salvage(store, name, notice, error);
}

/* A file that nobody has open is read by way of a -shm made anew, for which a full disk has no room.
 * With the file to ourselves SQLite keeps that in memory.  (No other Postern is kept waiting: a writer
 * cannot start without room either.) */
static FileKind
look_without_room(Store *store, int64_t *version, GError **error)
{
	disconnect(store);
	if (!connect(store, error) || !run_script(store, "PRAGMA locking_mode = EXCLUSIVE", error))
		return FILE_FAILED;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return look(store, version, error);
}

static FileKind
look_to_read(Store *store, int64_t *version, GError **error)
{
	g_autoptr(GError) failed = NULL;
	FileKind kind = look(store, version, &failed);

	if (kind == FILE_FAILED && store_is_full(store, sqlite3_extended_errcode(store->db)))
		return look_without_room(store, version, error);
	if (failed)
		g_propagate_error(error, g_steal_pointer(&failed));
	return kind;
}

static bool
open_reader(Store *store, GError **error)
{
	int64_t size, version = 0;

	if (!check_files(store, &size, error))
		return false;
	if (size > 0) {
		FileKind kind;

		if (!connect(store, error))
			return false;
		kind = look_to_read(store, &version, error);
		if (kind == FILE_FAILED)
			return false;
		if (kind == FILE_NEWER)
			return fail_newer(store, error);
		if (complaint(kind)) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
				    _("the mail cache %s %s: start Postern with a line, and it is "
				      "set aside and made anew"),
				    store->path, complaint(kind));
			return false;
		}
		if (kind == FILE_OURS && version == store_schema_version())
			return configure(store, error);
	}
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("no mail is kept in %s yet"),
		    store->dir);
	return false;
}

Store *
store_open(const char *dir, StoreRole role, Log *log, char **notice, GError **error)
{
	g_autoptr(Store) store = g_new0(Store, 1);
	char *real = realpath(dir, NULL);
	bool ok;

	if (notice)
		*notice = NULL;
	store->lock_fd = -1;
	if (!real) {
		fail_errno(error, _("cannot open"), dir);
		return NULL;
	}
	store->role = role;
	store->log = log_ref(log);
	store->dir = g_strdup(real);
	store->path = g_build_filename(real, "mail.db", NULL);
	free(real);
	if (!refuse_network(store->dir, error))
		return NULL;
	ok = role == STORE_WRITER ? open_writer(store, notice, error) : open_reader(store, error);
	return ok ? g_steal_pointer(&store) : NULL;
}

void
store_close(Store *store)
{
	if (!store)
		return;
	if (store->in_transaction)
		store_rollback(store);
	disconnect(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	log_unref(store->log);
	g_free(store->dir);
	g_free(store->path);
	g_free(store);
}
