#include "ui/app.h"

int
ui_run(const UiOptions *options)
{
	return 0;
}
