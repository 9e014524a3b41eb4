#include "view/save.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/safetext.h"
#include "mail/text.h"

#define ENTRIES_MAX    5000
#define CANDIDATES_MAX 200

static void
set_file_error(GError **error, const char *format, const char *path, int why)
{
	g_autofree char *safe = safe_line(path);

	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, format, safe, g_strerror(why));
}

bool
view_save_check(const char *typed, const MailPart *part, char **path, ViewSaveState *state,
		GError **error)
{
	g_autofree char *expanded = paths_expand_home(typed);
	g_autofree char *parent = NULL;
	struct stat at;

	if (!*expanded) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, _("no file was named"));
		return false;
	}
	if (stat(expanded, &at) == 0 && S_ISDIR(at.st_mode)) {
		g_autofree char *directory = g_steal_pointer(&expanded);
		g_autofree char *name = mail_part_file_name(part);

		expanded = g_build_filename(directory, name, NULL);
	}
	parent = g_path_get_dirname(expanded);
	if (stat(parent, &at) != 0 || !S_ISDIR(at.st_mode)) {
		set_file_error(error, _("there is no directory %s: %s"), parent,
			       errno ? errno : ENOTDIR);
		return false;
	}
	*state = VIEW_SAVE_FREE;
	if (lstat(expanded, &at) == 0) {
		if (!S_ISREG(at.st_mode) && !S_ISLNK(at.st_mode)) {
			g_autofree char *safe = safe_line(expanded);

			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
				    _("%s is there already, and is not a file to replace"), safe);
			return false;
		}
		*state = VIEW_SAVE_EXISTS;
	} else if (errno != ENOENT) {
		set_file_error(error, _("cannot save to %s: %s"), expanded, errno);
		return false;
	}
	*path = g_steal_pointer(&expanded);
	return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct Writing {
	MailDecoder *decoder;
	GByteArray *decoded; /* of one piece */
	GCancellable *cancellable;
	const char *path; /* for the error */
	int fd;
	uint64_t written;
} Writing;

static bool
write_decoded(Writing *writing, GError **error)
{
	const guint8 *at = writing->decoded->data;
	gsize left = writing->decoded->len;

	while (left > 0) {
		ssize_t n = write(writing->fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			set_file_error(error, _("cannot write %s: %s"), writing->path, errno);
			return false;
		}
		at += n;
		left -= (gsize)n;
		writing->written += (uint64_t)n;
	}
	g_byte_array_set_size(writing->decoded, 0);
	return true;
}

static bool
write_piece(void *data, Span piece, GError **error)
{
	Writing *writing = data;

	if (g_cancellable_is_cancelled(writing->cancellable)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("saving was stopped"));
		return false;
	}
	mail_decoder_feed(writing->decoder, piece, false, writing->decoded);
	return write_decoded(writing, error);
}

static bool
write_part(Store *store, StoreId message, const char *section, const char *encoding,
	   Writing *writing, GError **error)
{
	g_autoptr(MailDecoder) decoder = mail_decoder_new(encoding);
	g_autoptr(GByteArray) decoded = g_byte_array_new();

	writing->decoder = decoder;
	writing->decoded = decoded;
	if (!store_part_read(store, message, section, write_piece, writing, error))
		return false;
	mail_decoder_feed(decoder, SPAN_EMPTY, true, decoded);
	if (!write_decoded(writing, error))
		return false;
	if (fsync(writing->fd) != 0 && errno != EINVAL && errno != EROFS) {
		set_file_error(error, _("cannot write %s: %s"), writing->path, errno);
		return false;
	}
	return true;
}

/* A name that nothing has, in the same directory, so that rename can take it. */
static int
open_beside(int directory, char **name)
{
	for (int i = 0; i < 100; i++) {
		int fd;

		*name = g_strdup_printf(".postern-%08x.part", g_random_int());
		fd = openat(directory, *name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
		g_clear_pointer(name, g_free);
	}
	errno = EEXIST;
	return -1;
}

static bool
save_in(int directory, Store *store, StoreId message, const char *section, const char *encoding,
	const char *name, bool replace, Writing *writing, GError **error)
{
	g_autofree char *making = NULL;
	bool ok;

	if (replace)
		writing->fd = open_beside(directory, &making);
	else {
		making = g_strdup(name);
		writing->fd = openat(directory, making,
				     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	if (writing->fd < 0) {
		set_file_error(error, _("cannot make %s: %s"), writing->path, errno);
		return false;
	}
	ok = write_part(store, message, section, encoding, writing, error);
	if (close(writing->fd) != 0 && ok) {
		set_file_error(error, _("cannot write %s: %s"), writing->path, errno);
		ok = false;
	}
	if (ok && replace && renameat(directory, making, directory, name) != 0) {
		set_file_error(error, _("cannot replace %s: %s"), writing->path, errno);
		ok = false;
	}
	if (!ok)
		unlinkat(directory, making, 0);
	return ok;
}

bool
view_save_write(Store *store, StoreId message, const char *section, const char *encoding,
		const char *path, bool replace, GCancellable *cancellable, uint64_t *written,
		GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	Writing writing = { .cancellable = cancellable, .path = path, .fd = -1 };
	int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (directory < 0) {
		set_file_error(error, _("there is no directory %s: %s"), parent, errno);
		return false;
	}
	ok = save_in(directory, store, message, section, encoding, name, replace, &writing, error);
	close(directory);
	*written = writing.written;
	return ok;
}

/* ---- completion ----------------------------------------------------------------------------- */

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
view_save_complete(const char *typed)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *slash = strrchr(typed, '/');
	g_autofree char *directory = g_strndup(typed, slash ? (gsize)(slash + 1 - typed) : 0);
	g_autofree char *path = paths_expand_home(*directory ? directory : ".");
	const char *beginning = slash ? slash + 1 : typed;
	DIR *dir = opendir(path);
	const struct dirent *entry;

	for (int i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
		g_autofree char *full = NULL;
		struct stat at;

		/* A name that would not pass the door as it is cannot be typed either. */
		if (!g_str_has_prefix(entry->d_name, beginning) ||
		    (entry->d_name[0] == '.' && *beginning != '.') || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, "..") ||
		    !safe_text_is(span_of_string(entry->d_name), SAFE_LINE))
			continue;
		full = g_build_filename(path, entry->d_name, NULL);
		g_ptr_array_add(names,
				g_strconcat(directory, entry->d_name,
					    stat(full, &at) == 0 && S_ISDIR(at.st_mode) ? "/" : "",
					    NULL));
		if (names->len == CANDIDATES_MAX)
			break;
	}
	if (dir)
		closedir(dir);
	g_ptr_array_sort(names, compare_names);
	return names;
}
