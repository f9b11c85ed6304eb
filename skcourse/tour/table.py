"""The rows of the tour as text."""

from skcourse.tour.data import load

HEADS = (
    "estimator",
    "data",
    "rows x p",
    "score",
    "theirs",
    "ours",
    "difference",
    "theirs",
    "ours",
    "ratio",
)
WORDS = (0, 1, 3)  # columns of words; the others are numbers
UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))
LEGEND = """\
data        Each in a Pipeline, scaled first; + search: that inside a GridSearchCV. pixels: those of
            a photograph, the grey of one from the 24 around it; colours: the same, as red, green
            and blue. Scores and differences are those of rows held out.
score       R2 and variance: share of the variance explained. Rand index: how far the clusters
            agree with the true classes; 1 is best.
difference  Rows with another label, or the largest gap between the two answers over the largest
            of them.
time        Median of {turns} turns, theirs and ours alternating, after one fit to warm up;
            ratio: theirs / ours; ~ where times varied much, for the machine was busy."""


def print_table(rows):
    """Print all rows under one head, and what the columns mean."""
    cells = [cells_of(row) for row in rows if row.error is None]
    if cells:
        widths = [max(len(line[i]) for line in [HEADS, *cells]) for i in range(len(HEADS))]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        print(f"\n{'time of a fit':>{sum(widths[:-1]) + 2 * (len(widths) - 2)}}")
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
    return "  ".join(f"{c:<{w}}" if i in WORDS else f"{c:>{w}}" for i, (c, w) in pairs).rstrip()


def cells_of(row):
    """Return the cells of a row."""
    case = row.case
    data = case.data.replace("_", " ") + (" + search" if case.grid else "")
    scores = ["" if score is None else f"{score:.4f}" for score in row.scores]
    shape = "{} x {}".format(*load(case.data).X.shape)
    times = ["" if seconds is None else duration(seconds) for seconds in row.seconds]
    ratio = "" if row.ratio is None else f"{'' if row.steady else '~'}{row.ratio:.1f} x"
    return (case.name, data, shape, row.measure, *scores, row.difference, *times, ratio)


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
