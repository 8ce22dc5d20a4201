"""A child that copies the extension to a path that was never used and imports it from there; bench/measure/turns.mjs says what
is asked. Nothing is ever unloaded. Arguments: the file, a folder."""
import gc
import importlib.util
import json
import os
import shutil
import sys
import time

built, folder = sys.argv[1:3]


def load(number, version):
    path = f"{folder}/copy-{number}.so"
    start = time.perf_counter()
    shutil.copyfile(built, path)
    spec = importlib.util.spec_from_file_location("kernel", path)
    kernel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kernel)
    result = kernel.version()
    first = (time.perf_counter() - start) * 1000
    assert result == version, f"version {result} runs, not {version}"
    # It stays mapped.
    os.remove(path)
    return {"first": first}


def collect():
    gc.collect()
    return {}


copies = 0
for line in sys.stdin:
    words = line.split()
    if words[0] == "reload":
        copies += 1
        answer = load(copies, int(words[1]))
    else:
        answer = collect()
    print(json.dumps(answer), flush=True)
