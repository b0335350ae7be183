// Answers in OTLP's words, over HTTP (protobuf or JSON) and gRPC.
#pragma once
#include "net/request.h"
#include "wire/otlp_response.h"

// What became of a request, as both protocols say it. retry_ms > 0: the condition passes, come again after it.
struct otlp_refusal {
    int status; // HTTP
    int code;   // OTLP_CODE_
    int retry_ms;
    str message;
};
void otlp_reply_refusal(struct http_request *req, enum otlp_format format, const struct otlp_refusal *refusal);
// body: an encoded response message (of the format); copied.
void otlp_reply_ok(struct http_request *req, enum otlp_format format, bytes body);
// JSON when the content type says so, else protobuf (what clients without any are likely to read).
enum otlp_format otlp_format_of(const struct http_request *req);
// The refusal for a code of the store or of a decoder.
struct otlp_refusal otlp_refusal_of(int code);
