"""Brokers for tests: each has what an archive holds, and ends with its test."""
import os
import pathlib
import subprocess
import time

import pytest

KARCHIVE = os.environ.get("KARCHIVE", "karchive")


@pytest.fixture
def serve(tmp_path):
    """serve(archive) is the address of a broker that has the archive's records. Flags are those of karchive serve."""
    running = []

    def start(archive, *flags):
        ready = tmp_path / f"address-{len(running)}"
        command = [KARCHIVE, "serve", str(archive), "--quiet", "--listen", "127.0.0.1:0", "--ready-file", str(ready), *flags]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        end = time.monotonic() + 60
        while not ready.exists():
            assert running[-1].poll() is None and time.monotonic() < end, "karchive serve did not begin"
            time.sleep(0.01)
        return ready.read_text().strip()

    yield start
    for process in running:
        process.terminate()
        process.wait()


@pytest.fixture
def same(tmp_path):
    """same(broker, topic, archive, *flags) fails, and says where, unless the topic has the archive's records. Flags are those of karchive diff."""

    def compare(broker, topic, archive, *flags):
        got = tmp_path / "got"
        subprocess.run([KARCHIVE, "capture", "--quiet", "-b", broker, "-t", topic, "-o", str(got)], check=True, stdout=subprocess.DEVNULL)
        result = subprocess.run([KARCHIVE, "diff", str(archive), str(got), *flags], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr

    return compare


@pytest.fixture
def archives():
    """The directory with this example's archives."""
    return pathlib.Path(__file__).parent.parent / "go" / "testdata"
