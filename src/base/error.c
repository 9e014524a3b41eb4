#include "base/error.h"

/* GLib's own macro for this keeps the number in a plain variable, which two threads may write. */
GQuark
postern_error_quark(void)
{
	static gint kept;
	gint quark = g_atomic_int_get(&kept);

	if (!quark) {
		quark = (gint)g_quark_from_static_string("postern-error-quark");
		g_atomic_int_set(&kept, quark);
	}
	return (GQuark)quark;
}

int
postern_error_exit_status(const GError *error)
{
	if (!error)
		return 0;
	if (postern_error_is(error, POSTERN_ERROR_USAGE) ||
	    postern_error_is(error, POSTERN_ERROR_CONFIG))
		return 2;
	if (postern_error_is(error, POSTERN_ERROR_OFFLINE))
		return 3;
	return 1;
}
