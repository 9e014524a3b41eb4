#include "base/paths.h"
#include "base/error.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

char *
paths_config_file(void)
{
	return g_build_filename(g_get_user_config_dir(), "postern", "config", NULL);
}

char *
paths_data_dir(void)
{
	return g_build_filename(g_get_user_data_dir(), "postern", NULL);
}

bool
paths_make_private_dir(const char *path, GError **error)
{
	struct stat info;

	if (g_mkdir_with_parents(path, 0700) < 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
			    "cannot make the directory %s: %s", path, g_strerror(errno));
		return false;
	}
	if (lstat(path, &info) < 0 || !S_ISDIR(info.st_mode)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
			    "%s is not a directory (a link is not followed)", path);
		return false;
	}
	if (info.st_uid != geteuid()) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
			    "%s belongs to another user: choose another with --data", path);
		return false;
	}
	if ((info.st_mode & 077) && chmod(path, 0700) < 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
			    "cannot close %s to other users: %s", path, g_strerror(errno));
		return false;
	}
	return true;
}

char *
paths_expand_home(const char *path)
{
	if (path[0] == '~' && (path[1] == '/' || !path[1]))
		return g_build_filename(g_get_home_dir(), path + 1, NULL);
	return g_strdup(path);
}
