"""Answers questions in SQL, a JSON object a line: {"sql"} in; {"ns", "rows"} or {"error"} out.

`ns` is from handing the text over to having all rows as Python objects; writing them as JSON is not in it.
"""

import json
import sys
import time

import duckdb

connection = duckdb.connect(sys.argv[1])
for line in sys.stdin:
    sql = json.loads(line)["sql"]
    begun = time.perf_counter_ns()
    try:
        rows = connection.execute(sql).fetchall()
        answer = {"ns": time.perf_counter_ns() - begun, "rows": rows}
    except duckdb.Error as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, default=float), flush=True)
