#include "api/openapi.h"

#include "api/api_internal.h"
#include "api/static.h"

void api_openapi(struct api_call *call)
{
    struct http_header h[API_HEADERS_MAX];
    size_t n = api_headers(h, STR("application/json"));
    http_respond_static(call->req, 200, h, n, openapi_document());
}
