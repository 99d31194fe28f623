"""What ``teachgym compare --dry-run`` prints."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from teachgym.study.dry_run import UNCERTAINTY, DryRun, PlannedCell


def show(plan: DryRun, console: Console) -> None:
    """Print the cells, the time and the disk that they take."""
    console.print(_table(plan))
    total, left = len(plan.cells), len(plan.left)
    at_once = "as many at once as the cluster has room for" if plan.workers is None else f"{plan.workers} at once"
    for line in (f"{left} of {total} cells to run, {at_once}, in {escape(str(plan.settings.folder))}", *_costs(plan)):
        console.print(line, highlight=False, soft_wrap=True)


def _costs(plan: DryRun) -> list[str]:
    if not plan.left:
        return []
    if not plan.calibrations:
        return ["time and disk: not known without a calibration (--calibrate-seconds)"]
    lines = []
    work, seconds = plan.work_seconds, plan.seconds
    if seconds is None:
        lines.append(f"time: {_around(work)} of one core, divided by the cells that run at once")
    else:
        lines.append(f"time: {_around(seconds)} ({planned_duration(work)} of one core)")
    lines.append("  (from the first seconds of each teacher's student; later its episodes may be longer or shorter)")
    idle = [teacher for teacher, calibration in plan.calibrations.items() if not calibration.learning]
    if idle:
        lines.append(
            f"  [bold yellow]the students of {escape(', '.join(idle))} had not begun to learn:[/] it takes longer than "
            "that; calibrate for longer (--calibrate-seconds)"
        )
    if any(planned.done for planned in plan.cells):
        lines.append("  (with --resume, which leaves finished cells as they are, and goes on with others)")
    free = size(plan.free_bytes)
    lines.append(
        f"disk: {size(plan.stored_bytes)} when finished, and up to {size(plan.running_bytes)} for checkpoints while "
        f"cells run; {free} are free"
    )
    if not plan.fits:
        lines.append("[bold yellow]it does not fit:[/] choose another disk with --runs, or fewer --workers")
    return lines


def _table(plan: DryRun) -> Table:
    table = Table(title=escape(plan.settings.title))
    for heading, side in (("cell", "right"), ("teacher", "left"), ("seed", "right"), ("so far", "left")):
        table.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    table.add_column("time left", justify="right", no_wrap=True)
    for planned in plan.cells:
        known = planned.done < 1.0 and plan.calibrations
        left = planned_duration(plan.cell_seconds(planned)) if known else ""
        table.add_row(str(planned.number), escape(planned.cell.teacher), str(planned.cell.seed), _so_far(planned), left)
    return table


def _so_far(planned: PlannedCell) -> str:
    if planned.done >= 1.0:
        return "finished"
    share = f"tested up to {planned.done:.0%}" if planned.done else ""
    return escape("; ".join(part for part in (share, planned.reason) if part))


def _around(seconds: float) -> str:
    low, high = planned_duration(seconds / UNCERTAINTY), planned_duration(seconds * UNCERTAINTY)
    return f"about {planned_duration(seconds)}, likely between {low} and {high}"


def planned_duration(seconds: float) -> str:
    """A time, no more exact than an estimate is."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 120:
        return f"{max(round(seconds), 1)} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def size(count: int) -> str:
    """Bytes in a unit of three digits at most before the point."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:.1f} {units[0]}"
