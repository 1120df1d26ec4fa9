"""Writes a shuffled half of a recorded CSV file, from a seed.

    python3 shuffle.py IN.csv.gz OUT.csv.gz SEED [DELIMITER] [KEY COLUMN...]

Rows whose key columns occur with different contents are left out: by the rule of the highest position the last of them
to arrive counts, so in another order they would rightly change the answer.
"""
import csv
import gzip
import random
import sys


def main():
    source, target, seed, delimiter, *key = sys.argv[1:]
    with gzip.open(source, "rt", encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file, delimiter=delimiter)
    at = [head.index(name) for name in key]
    first, conflicting = {}, set()
    for row in rows:
        mark = tuple(row[i] for i in at)
        if first.setdefault(mark, row) != row:
            conflicting.add(mark)
    kept = [row for row in rows if not key or tuple(row[i] for i in at) not in conflicting]
    random.Random(seed).shuffle(kept)
    with gzip.open(target, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        writer.writerows(kept[: len(kept) // 2])


main()
