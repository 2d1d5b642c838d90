"""The results as tables, beside those of the last run."""

from rich import box
from rich.console import Console
from rich.table import Table

from bench.goals import goals
from bench.measure import growth


def show(results: dict, before: dict) -> None:
    """Prints all results; `before` may be empty."""
    console = Console(width=200)
    for made in (requests_table(results, before), phases_table(results["phases"])):
        console.print(made)
    for line in other_lines(results):
        console.print(line, highlight=False)
    console.print(goals_table(results, before))


def markdown(title: str, *columns: str) -> Table:
    """Numbers to the right, in a form that can be pasted."""
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def requests_table(results: dict, before: dict) -> Table:
    table = markdown(
        "CPU per request, ratio to a bare Flask echo of the same body",
        "request", "kB", "echo µs", "service µs", "to echo (spread)", "before", "open, no store",
        "per second (echo)", "p50 ms (echo)", "p99 ms (echo)", "failed",
    )  # fmt: skip
    for name, servers in results["requests"].items():
        service, echo, unguarded = (servers[server] for server in ("service", "echo", "open"))
        table.add_row(
            name, f"{results['kilobytes'][name]:.0f}",
            f"{echo['cpu']:.0f}", f"{service['cpu']:.0f}",
            f"{service['ratio']:.2f} ({service['lowest']:.2f}–{service['highest']:.2f})",
            ratio_before(before, name),
            f"{unguarded['ratio']:.2f} ({unguarded['lowest']:.2f}–{unguarded['highest']:.2f})",
            *(pair(service, echo, what) for what in ("per_second", "p50", "p99")),
            str(sum(server["failed"] for server in servers.values())),
        )  # fmt: skip
    return table


def ratio_before(before: dict, name: str) -> str:
    servers = before.get("requests", {}).get(name)
    return f"{servers['service']['ratio']:.2f}" if servers else "–"


def pair(service: dict, echo: dict, what: str) -> str:
    return f"{service[what]:.0f} ({echo[what]:.0f})"


def phases_table(phases: dict) -> Table:
    sizes = list(next(iter(phases.values())))
    table = markdown("Inside the process, µs of a request", "phase", *sizes)
    for phase, by_size in phases.items():
        table.add_row(phase, *("–" if us is None else f"{us:.0f}" for us in by_size.values()))
    return table


def other_lines(results: dict) -> list[str]:
    """Memory, start, idleness, growth, overload and stalled uploads, a line each."""
    memory, start, idle = results["memory"], results["start"], results["idle"]
    slopes = [f"{growth(results['requests'], *ends):.0f} µs" for ends in ((50, 200), (200, 500))]
    flood, stalled = results["overload"], results["stalled"]
    answers = ", ".join(
        f"{status}: {share:.0%} (p99 {flood['p99'][status]:.0f} ms)"
        for status, share in flood["shares"].items()
    )
    return [
        f"memory of a worker (PSS): {memory['service']:.0f} MB, echo {memory['echo']:.0f} MB",
        f"first answer after the start: {start['service']:.2f} s, echo {start['echo']:.2f} s",
        f"CPU while nobody asks: {idle['service']:.0f} ms a second, echo {idle['echo']:.0f} ms",
        f"growth per Condition: 50 to 200 {slopes[0]}, 200 to 500 {slopes[1]}",
        f"twice what saturates ({flood['per_second']:.0f} a second): {answers}; "
        f"as before {flood['recovery']:.1f} s later",
        f"four stalled uploads: others took {stalled['alone']:.1f} ms alone, "
        f"{stalled['beside']:.1f} ms beside (slowest {stalled['slowest alone']:.0f} and "
        f"{stalled['slowest beside']:.0f} ms)",
        f"tokens that could not be looked up in time: {results['not looked up']}",
    ]


def goals_table(results: dict, before: dict) -> Table:
    table = markdown("Goals", "goal", "at most", "measured", "before", "")
    then = {goal.text: goal for goal in goals(before)} if before else {}
    for goal in goals(results):
        was = f"{then[goal.text].measured:.2f}{goal.unit}" if goal.text in then else "–"
        table.add_row(goal.text, f"{goal.most:g}{goal.unit}",
                      f"{goal.measured:.2f}{goal.unit}", was, goal.verdict)  # fmt: skip
    return table
