"""Prints the live files of every Delta table below a folder: {"traffic/raw": [files, bytes], …}."""

import json
import pathlib
import sys

from deltalake import DeltaTable

root = pathlib.Path(sys.argv[1])
found = {}
for log in sorted(root.glob("**/_delta_log")):
    table = DeltaTable(log.parent)
    files = table.file_uris()
    sizes = [pathlib.Path(file.removeprefix("file://")).stat().st_size for file in files]
    found[str(log.parent.relative_to(root))] = [len(files), sum(sizes)]
print(json.dumps(found))
