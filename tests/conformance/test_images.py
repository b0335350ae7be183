"""Images and their snapshots, sent by who is no sentry-cli: what is forged, too large, broken or would leave its folder."""
import ctypes
import ctypes.util
import hashlib
import io
import json
import re
import sqlite3
import time
import zipfile

import pytest

import harness

JSON = {"Content-Type": "application/json"}
PNG = b"\x89PNG\r\n\x1a\n" + b"an image" * 4
MIB = 1 << 20


class Store:
    """The objects of a project, as the upload options say where they are."""

    def __init__(self, clew, slug="default", token=None):
        self.clew, self.slug = clew, slug
        self.token = token or clew.token("ingest")
        status, answer = clew.request("GET", f"/api/0/projects/clew/{slug}/preprodartifacts/snapshots/upload-options/?usecase=auto", token=self.token)
        assert status == 200, answer
        options = json.loads(answer)["objectstore"]
        assert options["url"] == f"{clew.url}/api/0/objectstore" and options["scopes"][0] == ["org", "1"]
        self.ticket, self.project = options["authToken"], options["scopes"][1][1]

    def key(self, content):
        return f"1/{self.project}/{hashlib.sha256(content).hexdigest()}"

    def batch(self, *parts, body=None, ticket=None, project=None, boundary="edge"):
        """Parts are (kind, key, content, more headers). Returns the statuses of the answer's parts, or that of the whole."""
        sent = body or b"".join(b"--edge\r\nContent-Disposition: form-data; name=\"part\"\r\nx-sn-batch-operation-kind: %s\r\nx-sn-batch-operation-key: %s\r\n%s\r\n%s\r\n"
                                % (kind.encode(), key.replace("/", "%2F").encode(), more.encode(), content) for kind, key, content, more in parts) + b"--edge--\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "x-os-auth": f"Bearer {self.ticket if ticket is None else ticket}"}
        status, answer = self.clew.request("POST", f"/api/0/objectstore/v1/objects:batch/preprod/org=1;project={project or self.project}/", sent, headers, token=None)
        if status != 200:
            return status
        index = re.findall(rb"x-sn-batch-operation-index: (\d+)\r\nx-sn-batch-operation-status: (\d+) ", answer)
        assert [int(i) for i, _ in index] == list(range(len(index)))
        return [int(s) for _, s in index]

    def put(self, content, key=None, ticket=None, project=None, headers=None):
        path = f"/api/0/objectstore/v1/objects/preprod/org=1;project={project or self.project}/{key or self.key(content)}"
        return self.clew.request("PUT", path, content, {"x-os-auth": f"Bearer {self.ticket if ticket is None else ticket}", **(headers or {})}, token=None)[0]

    def add(self, images, **more):
        body = json.dumps({"app_id": "app", "images": images, **more})
        return self.clew.request("POST", f"/api/0/projects/clew/{self.slug}/preprodartifacts/snapshots/", body, JSON, token=self.token)


def image(content, **more):
    return {"content_hash": hashlib.sha256(content).hexdigest(), "width": 1, "height": 1, **more}


@pytest.fixture
def store(clew):
    return Store(clew)


def test_a_batch_asks_and_puts(store):
    content = PNG + b"batch"
    key = store.key(content)
    assert store.batch(("head", key, b"", ""), ("insert", key, content, ""), ("head", key, b"", "")) == [404, 200, 404]  # what is asked for in one batch with it is not there yet
    assert store.batch(("head", key, b"", "")) == [200] and store.batch() == []


def test_bodies_that_are_longer_than_all_memory_for_bodies(clew_new):
    """What a build sends waits on the disk, not in memory: for who shows that he may send it."""
    server = clew_new("--ingest-memory", "2MB")
    store = Store(server)
    images = [PNG + bytes([i]) * (MIB - 100) for i in range(6)]
    batch = [("insert", store.key(content), content, "") for content in images]
    assert store.batch(*batch) == [200] * 6
    assert store.batch(*(("head", store.key(content), b"", "") for content in images)) == [200] * 6


    def refused(run):
        """An answer that comes while the body is still being sent may be lost with the connection."""
        try:
            return run() == 503
        except ConnectionError:
            return True
    assert refused(lambda: store.batch(*batch, ticket="0-0"))
    chunks = [bytes([i]) * (3 * MIB) for i in range(7)]
    form = b"".join(b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n%s\r\n" % (hashlib.sha1(chunk).hexdigest().encode(), chunk) for chunk in chunks) + b"--edge--\r\n"
    send = lambda token: server.request("POST", "/api/0/organizations/clew/chunk-upload/", form, {"Content-Type": "multipart/form-data; boundary=edge"}, token=token)[0]  # noqa: E731
    assert send(store.token) == 200 and refused(lambda: send(server.token("read"))) and refused(lambda: send("clew_nobody"))
    found = json.loads(server.request("POST", "/api/0/projects/clew/default/files/difs/assemble/", json.dumps({"0" * 40: {"name": "x", "chunks": [hashlib.sha1(chunk).hexdigest() for chunk in chunks] + ["1" * 40]}}), JSON, token=store.token)[1])
    assert found["0" * 40]["missingChunks"] == ["1" * 40]
    assert not [path.name for path in server.data.iterdir() if path.name.startswith("body.")]


def test_who_has_no_ticket_gets_nowhere(clew, store):
    clew.cli("project", "add", "other")
    other = Store(clew, "other")
    key = store.key(PNG)
    expires, _, mac = store.ticket.partition("-")
    for forged in ("", "nonsense", other.ticket, store.token, f"{int(expires, 16) + 1:x}-{mac}", f"1-{mac}", f"{expires}-{'0' * 32}", f"{expires}-", f"{'f' * 17}-{mac}", store.ticket + "0"):
        assert store.batch(("head", key, b"", ""), ticket=forged) == 401 and store.put(PNG, ticket=forged) == 401, forged
    # A ticket is good for its own project alone, whatever the key says.
    assert store.batch(("head", key, b"", ""), project=other.project) == 401 and store.put(PNG, project=other.project) == 401
    assert store.batch(("insert", other.key(PNG), PNG, "")) == [400] and store.put(PNG, key=other.key(PNG)) == 400
    for scope in ("", "org=2;project=1", "project=1", "org=1;project=0", "org=1;project=99999999999", "org=1;project=1;x=1"):
        assert clew.request("PUT", f"/api/0/objectstore/v1/objects/preprod/{scope}/{key}", PNG, {"x-os-auth": f"Bearer {store.ticket}"}, token=None)[0] in (401, 404)
    # What one project has, another has not: neither to ask for, nor to name, nor to see.
    assert store.put(PNG) == 200
    assert other.batch(("head", other.key(PNG), b"", "")) == [404]
    status, answer = other.add({"a.png": image(PNG)})
    assert status == 400 and "not here" in json.loads(answer)["detail"]
    path = f"/images/{hashlib.sha256(PNG).hexdigest()}"
    assert [clew.request("GET", f"/api/v1/projects/{slug}{path}", token=clew.token("read"))[0] for slug in ("default", "other")] == [200, 404]
    # Tickets are for who may build.
    reader = clew.token("read")
    assert clew.request("GET", "/api/0/projects/clew/default/preprodartifacts/snapshots/upload-options/", token=reader)[0] == 403
    assert clew.request("GET", "/api/0/projects/clew/default/preprodartifacts/snapshots/upload-options/", token=clew.token("ingest", project="other"))[0] == 404


def test_an_object_is_what_its_key_says(store):
    key = store.key(PNG)
    assert store.put(PNG + b"x", key=key) == 400 and store.batch(("insert", key, PNG + b"x", "")) == [400]
    for bad in ("", "1", "1/1", f"1/{store.project}/", f"1/{store.project}/{'A' * 64}", f"1/{store.project}/{'a' * 63}", f"1/{store.project}/../{'a' * 64}", f"2/{store.project}/{'a' * 64}", f"01/{store.project}/{'a' * 64}", "%zz"):
        assert store.batch(("insert", bad, PNG, ""), ("head", bad, b"", "")) == [400, 400], bad
    for kind in ("get", "delete", "", "INSERT"):
        assert store.batch((kind, key, b"", "")) == [403], kind


def test_sizes_and_counts_have_ends(store):
    big = b"\0" * (MIB + 1)
    assert store.batch(("insert", store.key(big), big, "")) == [413] and store.batch(("insert", store.key(big[1:]), big[1:], "")) == [200]
    assert store.put(b"\0" * (32 * MIB + 1)) == 413
    assert store.batch(*[("head", store.key(PNG), b"", "")] * 1001) == 413 and len(store.batch(*[("head", store.key(PNG), b"", "")] * 1000)) == 1000
    # More than is stored at once, and one that is broken in the middle.
    parts = [("insert", store.key(b"%d" % n), b"%d" % n if n != 70 else b"other", "") for n in range(150)]
    assert [s for n, s in enumerate(store.batch(*parts)) if s != 200 or n == 70] == [400]


def zstd(content):
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_compress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(len(content) + 1000)
    n = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), content, ctypes.c_size_t(len(content)), 3)
    return out.raw[:n]


def test_codings(store):
    content = PNG * 100
    coded = lambda body, coding: ("insert", store.key(content), body, f"content-encoding: {coding}\r\n")  # noqa: E731
    bomb = b"\0" * (40 * MIB)
    assert store.batch(coded(zstd(content), "zstd"), coded(content, "zstd"), coded(zstd(content)[:-5], "zstd"), coded(content, "rot13"), ("insert", store.key(bomb), zstd(bomb), "content-encoding: zstd\r\n")) == [200, 400, 400, 415, 413]
    assert store.put(zstd(bomb), key=store.key(bomb), headers={"Content-Encoding": "zstd"}) == 413
    assert store.put(zstd(content), key=store.key(content), headers={"Content-Encoding": "zstd"}) == 200


def test_batches_that_are_none(store):
    part = b"--edge\r\nContent-Disposition: form-data; name=\"part\"\r\nx-sn-batch-operation-kind: insert\r\nx-sn-batch-operation-key: " + store.key(PNG).encode() + b"\r\n\r\n"
    for body in (b"--", b"--edge", part, part + PNG, part + PNG + b"\r\n--edge", b"--edge\r\nx: " + b"a" * 9000 + b"\r\n\r\n\r\n--edge--", b"--edge\r\n\r\n\r\n--edge--"):
        assert store.batch(body=body) == 400, body[:80]
    assert store.batch(body=part + b"\r\n--edge--", boundary="") == 400 and store.batch(body=part + b"\r\n--edge--", boundary="b" * 71) == 400
    assert store.batch(body=part.replace(b"insert", b"insert\r\nx-sn-batch-operation-kind: head") + b"\r\n--edge--\r\n") == [400]  # the first one counts


@pytest.mark.parametrize("name", ["", "/a.png", "../a.png", "a/../../b.png", "a/./b.png", "a//b.png", "a/", "..", "a\\..\\b.png", "C:/a.png", "a\nb.png", "a\x00.png", "n" * 513])
def test_names_that_would_leave_their_folder(store, name):
    assert store.put(PNG) == 200
    status, answer = store.add({name: image(PNG)})
    assert status == 400 and json.loads(answer)["detail"], (name, answer)
    assert store.add({"a.png": image(PNG)}, all_image_file_names=["a.png", name])[0] == 400


@pytest.mark.parametrize("change", [{"app_id": ""}, {"app_id": "a" * 257}, {"app_id": "a\nb"}, {"app_id": 1}, {"images": {}}, {"images": []}, {"images": {"a.png": 1}}, {"images": {"a.png": {}}}, {"images": {"a.png": {"content_hash": "A" * 64}}},
                                    {"images": {f"{n}.png": {"content_hash": "a" * 64} for n in range(5001)}}, {"images": {"a.png": image(PNG), "never sent.png": image(b"never sent")}},
                                    {"all_image_file_names": [str(n) for n in range(20001)]}, {"all_image_file_names": [1]}])
def test_manifests_that_are_refused(store, change):
    assert store.put(PNG) == 200
    before = store.clew.request("GET", "/api/v1/projects/default/image-snapshots", token=store.clew.token("read"))
    body = {"images": {"a.png": image(PNG)}, **change}
    status, answer = store.add(**body)
    assert status in (400, 422) and json.loads(answer)["detail"], (change, answer)
    assert store.clew.request("GET", "/api/v1/projects/default/image-snapshots", token=store.clew.token("read")) == before


def test_a_manifest_is_not_believed(clew, store):
    """What the server knows of an image itself: its size and its type; nothing that is no image runs in a browser."""
    page = b"<html><script>alert(1)</script>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    assert [store.put(c) for c in (PNG, page, svg)] == [200] * 3
    said = {"type": "text/html", "size": 10**15, "width": -1, "height": 1.5, "display_name": "x" * 10000, "group": {"a": 1}}
    status, answer = store.add({"page.png": image(page, **said), "vector.svg": image(svg, **said), "right.png": image(PNG, **said)}, head_sha="f" * 40, pr_number=3)
    assert status == 200 and json.loads(answer)["imageCount"] == 3
    token = clew.token("read")
    shown = json.loads(clew.request("GET", f"/api/v1/projects/default/image-snapshots/{json.loads(answer)['artifactId']}", token=token)[1])
    assert [(i["name"], i.get("type"), i["size"], i["width"]) for i in shown["images"]] == [("page.png", None, len(page), 0), ("right.png", "image/png", len(PNG), 0), ("vector.svg", None, len(svg), 0)]
    assert all(len(i["title"]) == 256 and "group" not in i for i in shown["images"])
    for content, kind, how in ((page, "application/octet-stream", "attachment"), (svg, "application/octet-stream", "attachment"), (PNG, "image/png", "inline")):
        assert clew.request("GET", f"/api/v1/projects/default/images/{hashlib.sha256(content).hexdigest()}", token=token) == (200, content)
        headers = clew.answer_headers
        assert headers["content-type"] == kind and headers["content-disposition"].startswith(how) and headers["x-content-type-options"] == "nosniff" and "sandbox" in headers["content-security-policy"] and headers["cross-origin-resource-policy"] == "same-origin"
    for path in ("x", "a" * 63, "A" * 64, "..%2f..%2fmeta.db"):
        assert clew.request("GET", f"/api/v1/projects/default/images/{path}", token=token)[0] == 400


def test_the_archive_is_one_that_others_read(clew, store):
    images = {"b/ü.png": PNG, "a.png": PNG + b"2", "empty.png": b"", "large.png": PNG + bytes(range(256)) * 4 * 4096}
    assert all(store.put(c) == 200 for c in images.values())
    status, answer = store.add({name: image(content) for name, content in images.items()})
    number = json.loads(answer)["artifactId"]
    path = f"/api/0/organizations/clew/preprodartifacts/snapshots/{number}/archive/"
    assert json.loads(clew.request("GET", path, token=store.token)[1]) == {"ready": True}
    status, answer = clew.request("GET", path + "?download", token=store.token)
    assert status == 200 and clew.answer_headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer)) as archive:
        assert archive.testzip() is None and {n: archive.read(n) for n in archive.namelist()} == images
    clew.cli("project", "add", "elsewhere")
    fenced = clew.token("ingest,read", project="elsewhere")
    assert clew.request("GET", path + "?download", token=fenced)[0] == 404 and clew.request("GET", path, token=fenced)[0] == 404
    assert clew.request("GET", "/api/0/organizations/clew/preprodartifacts/snapshots/latest-base/?app_id=app", token=fenced)[0] == 404


def test_what_is_kept_has_an_end(tmp_path):
    """A snapshot goes after 90 days, an image that no snapshot names after one; what a newer snapshot has stays."""
    server = harness.Server(tmp_path / "data")
    server.start()
    reader = server.token("read")
    store = Store(server)
    old, both, loose = PNG + b"old", PNG + b"both", PNG + b"loose"
    assert [store.put(c) for c in (old, both, loose)] == [200] * 3
    first = json.loads(store.add({"old.png": image(old), "both.png": image(both)}, head_sha="a" * 40)[1])["artifactId"]
    second = json.loads(store.add({"both.png": image(both)}, head_sha="b" * 40, base_sha="a" * 40)[1])["artifactId"]
    assert server.stop() == 0
    day = 86400 * 10**9
    with sqlite3.connect(tmp_path / "data/releases.db") as db:
        db.execute("UPDATE uploads SET created_ns = created_ns - ? WHERE id = ?", (91 * day, first))
    with sqlite3.connect(tmp_path / "data/artifacts.db") as db:
        times = dict(db.execute("SELECT name, expires FROM artifact WHERE event = '' AND kind = (SELECT kind FROM artifact WHERE name = ?)", (hashlib.sha256(loose).hexdigest(),)))
        assert list(times) == [hashlib.sha256(loose).hexdigest()]  # the others are their snapshots' alone
        assert 0 < times[hashlib.sha256(loose).hexdigest()] - time.time_ns() <= day
        spans = [e - r for e, r in db.execute("SELECT expires, received FROM artifact WHERE event <> ''")]
        assert len(spans) == 5 and all(89 * day < s <= 90 * day for s in spans)
        db.execute("UPDATE artifact SET expires = 1 WHERE event = '' OR event = (SELECT event FROM artifact WHERE name = ?)", (hashlib.sha256(old).hexdigest(),))
    server.start()
    has = lambda content: server.request("GET", f"/api/v1/projects/default/images/{hashlib.sha256(content).hexdigest()}", token=reader)[0]  # noqa: E731
    for _ in range(1000):  # collected at the start
        if [has(old), has(loose)] == [404, 404]:
            break
        time.sleep(0.05)
    assert [has(old), has(loose), has(both)] == [404, 404, 200]
    at = "/api/v1/projects/default/image-snapshots"
    listed = json.loads(server.request("GET", at, token=reader)[1])
    assert listed["total"] == 1 and [str(s["id"]) for s in listed["snapshots"]] == [second]
    assert server.request("GET", f"{at}/{first}", token=reader)[0] == 404
    shown = json.loads(server.request("GET", f"{at}/{second}", token=reader)[1])
    assert "base" not in shown and "change" not in shown["images"][0]
    assert [server.request("GET", f"/api/0/organizations/clew/preprodartifacts/snapshots/{n}/archive/", token=store.token)[0] for n in (first, second)] == [404, 200]
    # The next upload takes its row away, too. Tickets are of the server that gave them.
    assert store.put(both) == 401
    store = Store(server, token=store.token)
    assert store.add({"both.png": image(both)})[0] == 200
    assert server.stop() == 0 and not server.complaints(), server.log()[-4000:]
    with sqlite3.connect(tmp_path / "data/releases.db") as db:
        assert db.execute("SELECT count(*) FROM uploads WHERE id = ?", (first,)).fetchone() == (0,)
