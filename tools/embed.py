#!/usr/bin/python3
"""Puts the built pages (ui/dist) and docs/openapi.json into a C file, ready to be sent.

    tools/embed.py OUT.c DEPFILE OPENAPI DIST

Files are compressed here, once, not while serving. Without DIST (the pages are not built) one page says
how to build them. OUT.c is written only when it changes.
"""
import gzip
import hashlib
import json
import pathlib
import re
import sys

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
    ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json", ".map": "application/json",
}
COMPRESSIBLE = ("text/", "application/json", "image/svg", "application/manifest")
HASHED = re.compile(r"-[\w-]{8,}\.\w+$")
MISSING = (b"<!doctype html><meta charset=utf-8><title>Clew</title>\n"
           b"<p>This binary was built without its pages: <code>make build</code> builds both.</p>\n")


def literal(data):
    """A C string literal; lines of 96 bytes. Trigraphs and hex run-on are avoided by octal escapes."""
    lines = []
    for at in range(0, len(data), 96):
        line = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in data[at:at + 96])
        lines.append(f'    "{line}"')
    return "\n".join(lines) or '    ""'


def gather(dist):
    if not (dist / "index.html").is_file():
        return {"/index.html": MISSING}
    return {"/" + str(path.relative_to(dist)): path.read_bytes() for path in sorted(dist.rglob("*")) if path.is_file()}


def split_brotli(files):
    """Files, and what the build of the pages has compressed with brotli (NAME.br beside NAME)."""
    packed = {path[:-3]: data for path, data in files.items() if path.endswith(".br") and path[:-3] in files}
    return {path: data for path, data in files.items() if not (path.endswith(".br") and path[:-3] in packed)}, packed


def main(out, depfile, openapi, dist):
    dist = pathlib.Path(dist)
    files, brotli = split_brotli(gather(dist))
    source = ['// Made by tools/embed.py.', '#include "api/openapi.h"', '#include "api/static.h"', ""]
    rows = []
    for number, (path, data) in enumerate(sorted(files.items(), key=lambda item: item[0].encode())):
        kind = TYPES.get(pathlib.PurePosixPath(path).suffix, "application/octet-stream")
        packed = gzip.compress(data, 9, mtime=0) if kind.startswith(COMPRESSIBLE) else b""
        if len(packed) >= len(data) * 9 // 10:
            packed = b""
        etag = hashlib.sha256(data).hexdigest()[:24]
        fixed = "true" if path.startswith("/assets/") and HASHED.search(path) else "false"
        source += [f"static const char plain_{number}[] =", literal(data) + ";", f"static const char gzip_{number}[] =", literal(packed) + ";",
                   f"static const char br_{number}[] =", literal(brotli.get(path, b"")) + ";"]
        view = "{{ (const uint8_t *){name}, {size} }}"
        rows.append(f'    {{ STR_INIT({json.dumps(path)}), STR_INIT({json.dumps(kind)}), STR_INIT("W/\\"{etag}\\""), '
                    + view.format(name=f"plain_{number}", size=len(data)) + ", " + view.format(name=f"gzip_{number}", size=len(packed))
                    + ", " + view.format(name=f"br_{number}", size=len(brotli.get(path, b"")))
                    + f", {fixed} }},")
    document = json.dumps(json.loads(pathlib.Path(openapi).read_text()), separators=(",", ":"), ensure_ascii=False).encode()
    source += ["const struct static_file static_files[] = {", *rows, "};",
               "const size_t static_files_n = sizeof static_files / sizeof static_files[0];", "",
               "static const char openapi[] =", literal(document) + ";",
               "bytes openapi_document(void) { return (bytes){ (const uint8_t *)openapi, sizeof openapi - 1 }; }", ""]
    text = "\n".join(source)
    target = pathlib.Path(out)
    if not target.exists() or target.read_text() != text:
        target.write_text(text)
    inputs = [pathlib.Path(openapi)] + [p for p in dist.rglob("*") if p.is_file()]
    pathlib.Path(depfile).write_text(f"{out}: " + " ".join(str(p).replace(" ", "\\ ") for p in inputs) + "\n")


main(*sys.argv[1:])
