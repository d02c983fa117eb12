"""Reads a metrics page from stdin with Prometheus's own client, and says what is wrong with it, one problem a line.

The parser is independent of the gateway's; the rules are those of `promtool check metrics` and of Prometheus's naming page.
"""

import collections
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

OTHER_UNITS = re.compile(
    r"(^|_)(ms|milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|kb|mb|bits|percent)(_|$)"
)
SERIES_OF_ONE_METRIC = 2_000
VALUES_OF_ONE_LABEL = 200


def problems_of(family, raw_name):
    name, kind = raw_name, family.type
    if not family.documentation:
        yield f"{name}: no help"
    if kind in ("unknown", "untyped"):
        yield f"{name}: no type"
    if (kind == "counter") != name.endswith("_total"):
        yield f"{name}: _total is of counters, and of all of them"
    if name.lower() != name or not re.fullmatch(r"[a-z_:][a-z0-9_:]*", name):
        yield f"{name}: not in snake_case"
    if OTHER_UNITS.search(name):
        yield f"{name}: not a base unit"
    if f"_{kind}" in name:
        yield f"{name}: its kind is in its name"
    yield from label_problems(name, family.samples)
    if kind == "histogram":
        yield from histogram_problems(name, family.samples)


def label_problems(name, samples):
    seen = set()
    values = collections.defaultdict(set)
    for sample in samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        if key in seen:
            yield f"{name}: a duplicate series {key}"
        seen.add(key)
        for label, value in sample.labels.items():
            values[label].add(value)
    if len(seen) > SERIES_OF_ONE_METRIC:
        yield f"{name}: {len(seen)} series"
    for label, found in values.items():
        if label.startswith("__") or not re.fullmatch(r"[a-z_][a-z0-9_]*", label):
            yield f"{name}: the label {label}"
        if len(found) > VALUES_OF_ONE_LABEL:
            yield f"{name}: {len(found)} values of {label}"


def histogram_problems(name, samples):
    groups = collections.defaultdict(lambda: {"buckets": [], "sum": None, "count": None})
    for sample in samples:
        rest = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        group = groups[rest]
        if sample.name == f"{name}_bucket":
            group["buckets"].append((float(sample.labels["le"]), sample.value))
        elif sample.name in (f"{name}_sum", f"{name}_count"):
            group[sample.name.removeprefix(f"{name}_")] = sample.value
        else:
            yield f"{name}: {sample.name} is no part of a histogram"
    for labels, group in groups.items():
        bounds = [bound for bound, _ in group["buckets"]]
        counts = [count for _, count in group["buckets"]]
        if bounds != sorted(bounds) or not bounds or bounds[-1] != float("inf"):
            yield f"{name}{labels}: its buckets are not in order, or +Inf is missing"
        if counts != sorted(counts):
            yield f"{name}{labels}: its buckets are not cumulative"
        if group["sum"] is None or not counts or group["count"] != counts[-1]:
            yield f"{name}{labels}: its sum or count is missing or wrong"


def main():
    page = sys.stdin.read()
    families = list(text_string_to_metric_families(page))
    written = set(re.findall(r"^# TYPE (\S+) counter$", page, re.MULTILINE))
    series = 0
    for family in families:
        # The client takes the suffix of counters off.
        is_cut = family.type == "counter" and family.name not in written
        raw_name = f"{family.name}_total" if is_cut else family.name
        series += len(family.samples)
        for problem in problems_of(family, raw_name):
            print(problem)
    print(f"read {len(families)} metrics, {series} series")


main()
