"""The rows of the tour as text."""

HEADS = ("estimator", "data", "score", "theirs", "ours", "difference", "theirs", "ours", "ratio")
LEFT = 3  # so many columns are words
UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))
LEGEND = """\
data        Each in a Pipeline, scaled first; + search: that inside a GridSearchCV. Scores and
            differences are those of rows held out.
score       R2 and variance: share of the variance explained. Rand index: how far the clusters
            agree with the true classes; 1 is best.
difference  Rows with another label, or the largest gap between the two answers over the largest
            of them.
time        Median of {turns} turns, theirs and ours alternating, after one fit to warm up;
            ratio: theirs / ours."""


def print_table(rows):
    """Print all rows under one head, and what the columns mean."""
    cells = [cells_of(row) for row in rows if row.error is None]
    if cells:
        widths = [max(len(line[i]) for line in [HEADS, *cells]) for i in range(len(HEADS))]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        over = sum(widths[:6]) + 2 * 6
        print(f"\n{'':{over}}{'time of a fit':>{sum(widths[6:8]) + 2}}")
        print(aligned(HEADS, widths), rule, sep="\n")
        for line in cells:
            print(aligned(line, widths))
        turns = [row.turns for row in rows if row.error is None]
        print(f"{rule}\n{LEGEND.format(turns=span(min(turns), max(turns)))}")
    for row in rows:
        if row.error is not None:
            print(f"\nFAILED  {row.case.title}: {row.error}")


def aligned(line, widths):
    """Return the cells of a line, words to the left, numbers to the right."""
    pairs = enumerate(zip(line, widths, strict=True))
    return "  ".join(f"{c:<{w}}" if i < LEFT else f"{c:>{w}}" for i, (c, w) in pairs).rstrip()


def cells_of(row):
    """Return the cells of a row."""
    case = row.case
    data = case.data.replace("_", " ") + (" + search" if case.grid else "")
    scores = ["" if score is None else f"{score:.4f}" for score in row.scores]
    times = ["" if seconds is None else duration(seconds) for seconds in row.seconds]
    ratio = "" if row.ratio is None else f"{row.ratio:.1f} x"
    return (case.name, data, row.measure, *scores, row.difference, *times, ratio)


def one_line(row):
    """Say in a few words how it went."""
    if row.error is not None:
        return f"FAILED: {row.error}"
    ours = duration(row.seconds[1])
    if row.ratio is None:
        return f"{ours}; scikit-learn has none"
    return f"{ours}, scikit-learn {duration(row.seconds[0])}"


def duration(seconds):
    """Return a time to three digits, in the unit that suits it."""
    unit, length = next((u for u in UNITS if seconds >= u[1]), UNITS[-1])
    value = seconds / length
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def span(low, high):
    """Return "3" or "3 to 41"."""
    return str(low) if low == high else f"{low} to {high}"
