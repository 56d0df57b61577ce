"""A plot per drill: what was acknowledged in each 100 ms, and what happened meanwhile. SVG, by matplotlib."""

import io
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

from rehearsal.report.drills import BIN_SECONDS, Drill, Load

INK: Final = "#1d2433"
MUTED: Final = "#667085"
LINE: Final = "#e3e7ee"
GOOD: Final = "#1f8a5f"
PALE: Final = "#c3cad6"
BAD: Final = "#c8372d"
ACCENT: Final = "#2c5fd5"

_STYLE: Final[dict[RcKeyType, Any]] = {
    "svg.fonttype": "none",  # Letters stay letters: small, sharp, and in the page's own font.
    "svg.hashsalt": "rehearsal",  # The same data gives the same file.
    "font.family": "sans-serif",
    "font.sans-serif": ["Inter", "Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.left": False,
    "legend.frameon": False,
}

_SIZE: Final = (9.6, 2.7)
"""In inches, at 72 points each."""


def svg(drill: Drill) -> str:
    """The plot of a drill, as one SVG element.

    Args:
        drill: Which of its parts it has says what is marked.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        _PLOTS[drill.drill](figure, drill)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _failover(figure: Figure, drill: Drill) -> None:
    axes, found = figure.subplots(), drill.failover
    _bars(axes, drill.load, [GOOD])
    if found is not None:
        axes.axvspan(found.requested_at, found.completed_at, color=ACCENT, alpha=0.08, linewidth=0, zorder=0)
        _mark(axes, found.requested_at, "failover asked for")
        _mark(axes, found.completed_at, "the cloud calls it done")
    _finish(axes, drill.load)


def _restore(figure: Figure, drill: Drill) -> None:
    axes, found = figure.subplots(), drill.restore
    mark = drill.load.seconds if found is None else found.mark_at
    colours = [GOOD if (number + 0.5) * BIN_SECONDS < mark else PALE for number, _ in _numbered(drill.load)]
    _bars(axes, drill.load, colours)
    _mark(axes, mark, "the mark: restored are the events before it")
    _finish(axes, drill.load)


def _rotation(figure: Figure, drill: Drill) -> None:
    found, after = drill.rotate, drill.load_after
    widths = [max(1.0, each.seconds) for each in drill.loads]
    panels = figure.subplots(1, len(widths), sharey=True, width_ratios=widths, squeeze=False)[0]
    _bars(panels[0], drill.load, [GOOD])
    if found is not None:
        panels[0].axvspan(found.up_started_at, found.up_ended_at, color=ACCENT, alpha=0.08, linewidth=0, zorder=0)
        _mark(panels[0], found.up_started_at, "up begins")
        _mark(panels[0], found.up_ended_at, "up has ended")
    _finish(panels[0], drill.load, f"seconds, as {found.role.before}" if found else "seconds")
    if after is not None:
        _bars(panels[1], after, [ACCENT])
        _finish(panels[1], after, f"seconds, as {found.role.after}" if found else "seconds")
        panels[1].set_ylabel("")


_PLOTS: Final[dict[str, Callable[[Figure, Drill], None]]] = {
    "failover": _failover,
    "restore": _restore,
    "rotate": _rotation,
}


def _numbered(load: Load) -> Sequence[tuple[int, int]]:
    return list(enumerate(load.acknowledged_per_100_ms))


def _bars(axes: Axes, load: Load, colours: list[str]) -> None:
    """Acknowledgements upwards, failed attempts on top of them in red."""
    answers, errors = load.acknowledged_per_100_ms, load.errors_per_100_ms
    left = list(accumulate([BIN_SECONDS] * (len(answers) - 1), initial=0.0))
    width = BIN_SECONDS * 0.86
    axes.bar(left, answers, width, align="edge", color=colours, linewidth=0)
    if any(errors):
        axes.bar(left, errors, width, answers, align="edge", color=BAD, linewidth=0)


def _mark(axes: Axes, at: float, text: str) -> None:
    """A line from top to bottom, and its words above it, on the side where there is room."""
    axes.axvline(at, color=ACCENT, linewidth=1.1)
    level = len(axes.lines) - 1
    axes.annotate(
        f"{text}, {at:.1f} s",
        (at, 1.0),
        (3, 4 + 11 * level),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=ACCENT,
        fontsize=8.5,
    )


def _finish(axes: Axes, load: Load, label: str = "seconds") -> None:
    axes.set_xlim(0, max(load.seconds, BIN_SECONDS))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(label)
    axes.set_ylabel("acknowledged per 100 ms")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
