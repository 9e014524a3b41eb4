#include "base/safetext.h"
