"""The one table that the benchmark prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .asked import ALL
from .load import CONNECTIONS
from .results import Ratio, Results
from .servers import MOCKBILL

Row = Sequence[str]


def lines(results: Results) -> Iterable[str]:
    machine = results.machine
    yield f"{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}"
    if results.throughput:
        yield from _throughput(results)
        yield from _memory(results)
    if results.first_answers:
        yield from _first_answers(results)
    if results.worlds is not None:
        yield from _worlds(results)
    for name, reason in results.not_measured.items():
        yield from ("", f"{name}: {reason}")
    yield from _ratios(results.ratios())


def _throughput(results: Results) -> Iterable[str]:
    yield from ("", f"Requests per second ({results.generator}, {CONNECTIONS} connections, one worker each)")
    rows: list[Row] = [("request", "server", "requests/s", "p50 ms", "p99 ms", "answers, all 2xx", "bytes of body")]
    for asked in ALL:
        rows += [
            (
                asked.line,
                each.server,
                f"{each.load.rate:,.0f}",
                _milliseconds(each.load.p50),
                _milliseconds(each.load.p99),
                f"{each.load.requests:,}",
                f"{each.body:,}",
            )
            for each in results.throughput
            if each.asked == asked.name
        ]
    yield from _aligned(rows, left=2)


def _memory(results: Results) -> Iterable[str]:
    yield from ("", "Resident memory, MB (mockbill keeps the newest 1,000 requests of a world)")
    rows: list[Row] = [("server", "at start", "after the load")]
    rows += [(each.server, _megabytes(each.at_start), _megabytes(each.after)) for each in results.memory]
    yield from _aligned(rows)


def _first_answers(results: Results) -> Iterable[str]:
    yield from ("", "From the start of the process to the first 200, seconds (bundle put together before)")
    rows: list[Row] = [("server", "median", "fastest", "slowest", "starts")]
    rows += [
        (each.server, f"{each.median:.3f}", f"{min(each.seconds):.3f}", f"{max(each.seconds):.3f}", f"{each.starts}")
        for each in results.first_answers
    ]
    yield from _aligned(rows)


def _worlds(results: Results) -> Iterable[str]:
    assert results.worlds is not None
    yield from ("", "Worlds, in process, microseconds each")
    rows: list[Row] = [("organizations", "fork", "fork by the control API", "snapshot", "reset")]
    rows += [
        (
            f"{each.organizations:,}",
            f"{each.fork:.2f}",
            f"{each.handled:.2f}",
            f"{each.snapshot:.3f}",
            f"{each.reset:.3f}",
        )
        for each in results.worlds.costs
    ]
    yield from _aligned(rows)
    yield from ("", "Worlds, resident memory")
    rows = [("worlds", "after", "MB", "bytes per world")]
    rows += [
        (f"{each.worlds:,}", each.step, _megabytes(each.resident), f"{each.resident / each.worlds:,.0f}")
        for each in results.worlds.memory
    ]
    yield from _aligned(rows, left=2)


def _ratios(ratios: list[Ratio]) -> Iterable[str]:
    yield from ("", f"What {MOCKBILL} is to reach")
    rows: list[Row] = [("what", "measured", "wanted", "")]
    rows += [
        (each.what, each.measured, each.wanted, "reached" if each.is_reached else "not reached") for each in ratios
    ]
    yield from _aligned(rows)


def _aligned(rows: Sequence[Row], left: int = 1) -> Iterable[str]:
    """`left` columns are flushed left, the others right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f}"
