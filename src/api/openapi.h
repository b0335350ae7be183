// docs/openapi.json, as it is in the binary.
#pragma once
#include "base/bytes.h"

bytes openapi_document(void);
