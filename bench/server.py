"""The test harness's server, watched from outside through /proc."""
import os
import pathlib
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
import harness  # noqa: E402

SETTLE_TIMEOUT_S = 900
SAMPLE_S = 0.05
TICKS = os.sysconf("SC_CLK_TCK")


class Server(harness.Server):
    rss_peak = 0  # bytes of anonymous memory, since the start

    def start(self):
        elapsed = super().start()
        threading.Thread(target=self._sample, args=(self.process.pid,), daemon=True).start()
        return elapsed

    def _sample(self, pid):
        """Ends with the process."""
        while True:
            try:
                found = re.search(r"RssAnon:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
            except OSError:
                return
            self.rss_peak = max(self.rss_peak, int(found.group(1)) * 1024 if found else 0)
            time.sleep(SAMPLE_S)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def disk(self):
        """Bytes that files occupy: parts (what a record costs), log (recycled, of fixed size), the rest."""
        sizes = {"parts": 0, "log": 0, "other": 0}
        for path in self.data.rglob("*"):
            try:
                if path.is_file():
                    name = str(path.relative_to(self.data))
                    kind = "parts" if "part" in name else "log" if re.search(r"log|wal", name) and ".db" not in name else "other"
                    sizes[kind] += path.stat().st_blocks * 512
            except FileNotFoundError:
                pass  # merged away meanwhile
        return sizes

    def settle(self):
        """Waits until nothing written so far has to be rewritten any more. Returns the seconds that took."""
        began = time.monotonic()
        calm = 0
        while time.monotonic() - began < SETTLE_TIMEOUT_S:
            values = self.metrics()
            debt = values["clew_store_merge_debt_rows"] + values.get("clew_store_head_rows", 0)
            calm = calm + 1 if debt == 0 else 0
            if calm >= 2:
                return time.monotonic() - began
            time.sleep(0.5)
        raise RuntimeError("merge debt did not reach zero")
