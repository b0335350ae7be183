"""The pages as a browser asks for them: one content in each encoding, kept by its hash, under a strict policy."""
import gzip
import re
import subprocess


def get(clew, path, **headers):
    return *clew.request("GET", path, headers=headers, token=None), dict(clew.answer_headers)


def brotli_open(packed):
    """Python has no brotli of its own; Node has."""
    opener = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    return subprocess.run(["node", "-e", opener], input=packed, stdout=subprocess.PIPE, check=True).stdout


def main_script(clew):
    status, page, _ = get(clew, "/", Accept="text/html")
    assert status == 200
    return re.search(rb'type="module"[^>]* src="(/assets/[^"]+\.js)"', page).group(1).decode()


def test_each_encoding_has_the_same_content(clew):
    path = main_script(clew)
    _, plain, headers = get(clew, path)
    assert "content-encoding" not in headers and plain
    _, packed, headers = get(clew, path, **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and gzip.decompress(packed) == plain
    _, smaller, headers = get(clew, path, **{"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert headers["content-encoding"] == "br" and brotli_open(smaller) == plain
    assert len(smaller) < len(packed) < len(plain)
    _, packed, headers = get(clew, path, **{"Accept-Encoding": "br;q=0, gzip"})
    assert headers["content-encoding"] == "gzip" and headers["vary"].lower() == "accept-encoding"


def test_what_is_known_is_not_sent_again(clew):
    path = main_script(clew)
    _, _, headers = get(clew, path)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    status, body, again = get(clew, path, **{"If-None-Match": headers["etag"], "Accept-Encoding": "br"})
    assert (status, body) == (304, b"") and again["etag"] == headers["etag"]
    _, _, headers = get(clew, "/", Accept="text/html")
    assert headers["cache-control"] == "no-cache", "the page itself is asked for each time"
    assert get(clew, "/", Accept="text/html", **{"If-None-Match": headers["etag"]})[0] == 304


def test_the_packed_forms_are_no_files_of_their_own(clew):
    assert get(clew, main_script(clew) + ".br")[0] == 404


def test_no_script_but_ours(clew):
    _, page, headers = get(clew, "/", Accept="text/html")
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert not re.search(rb"<script(?![^>]*\bsrc=)", page) and b"<style" not in page and b" style=" not in page


def test_a_page_may_be_of_something_with_a_dot_in_its_name(clew):
    home = get(clew, "/", Accept="text/html")[1]
    assert get(clew, "/releases/shop%401.4.2", Accept="text/html")[:2] == (200, home)
    for path in ("/nothing.png", "/assets/nothing.js"):
        assert get(clew, path, Accept="text/html")[0] == 404
