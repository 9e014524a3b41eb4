#include "base/error.h"

G_DEFINE_QUARK(postern - error - quark, postern_error)

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
