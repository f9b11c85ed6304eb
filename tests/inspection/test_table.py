"""The table as text, HTML, data frame and picture."""

import dataclasses
import pickle
import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_diabetes

from skcourse.inspection import CoefficientDisplay, CoefficientTable, coefficient_table
from skcourse.linear_model import LinearRegression


@pytest.fixture
def data():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return X[["age", "bmi", "bp"]], y


@pytest.fixture
def table(data):
    return coefficient_table(LinearRegression().fit(*data), *data)


@pytest.fixture
def of_two_targets(data):
    X, y = data
    Y = y.to_frame("<y>").assign(root=np.sqrt(y))
    return coefficient_table(LinearRegression().fit(X, Y), X, Y)


def test_text_lines_up(table):
    lines = str(table).splitlines()
    assert lines[0].startswith("LinearRegression, 442 rows, 438 degrees of freedom; classical")
    assert lines[2].split() == ["estimate", "std.", "error", "t", "p", "2.5%", "97.5%"]
    assert lines[4].split() == ["age", "0.094", "0.232", "0.41", "0.685", "-0.362", "0.551"]
    assert len({len(line) for line in lines[2:]}) == 1
    assert repr(table) == str(table)


def test_text_names_the_outcomes(of_two_targets):
    lines = str(of_two_targets).splitlines()
    assert [line.split()[:2] for line in lines[3:]] == [
        [outcome, name] for outcome in ("<y>", "root") for name in of_two_targets.names[:4]
    ]


@pytest.mark.parametrize(
    ("scale", "text"), [(1e-9, "9.441e-11"), (1e-3, "0.000094"), (1e3, "94"), (1e9, "9.441e+07")]
)
def test_text_has_three_digits_of_the_error(table, scale, text):
    scaled = dataclasses.replace(
        table,
        estimate=table.estimate * scale,
        covariance_matrix=table.covariance_matrix * scale**2,
    )
    assert str(scaled).splitlines()[4].split()[1] == text


def test_html_is_escaped(of_two_targets):
    page = of_two_targets._repr_html_()
    assert "<y>" not in page
    assert page.count("&lt;y&gt;") == 4
    assert page.count("<tr>") == page.count("</tr>") == 9


def test_frame_holds_the_numbers(table, of_two_targets):
    pandas = pytest.importorskip("pandas")
    frame = table.frame()
    assert list(frame.index) == ["intercept", "age", "bmi", "bp"]
    for column in frame:
        np.testing.assert_array_equal(frame[column], getattr(table, column))
    frame = of_two_targets.frame()
    assert isinstance(frame.index, pandas.MultiIndex)
    assert frame.loc[("root", "bmi"), "estimate"] == of_two_targets.estimate[6]
    frame["estimate"] = 0.0  # a copy
    assert of_two_targets.estimate.all()


def test_it_cannot_be_changed(table):
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.level = 0.5
    with pytest.raises(ValueError, match="read-only"):
        table.estimate[0] = 0.0


def test_it_can_be_pickled(table):
    again = pickle.loads(pickle.dumps(table))
    assert isinstance(again, CoefficientTable)
    np.testing.assert_array_equal(again.p_value, table.p_value)


def test_the_numbers_follow_from_estimate_and_covariance(table):
    np.testing.assert_allclose(table.standard_error**2, np.diag(table.covariance_matrix))
    np.testing.assert_array_equal(table.statistic, table.estimate / table.standard_error)
    np.testing.assert_allclose(table.p_value, 2 * stats.t(table.df).cdf(-np.abs(table.statistic)))
    normal = dataclasses.replace(table, df=np.inf)
    assert (table.kind, normal.kind) == ("t", "z")
    np.testing.assert_allclose(normal.p_value, 2 * stats.norm.cdf(-np.abs(table.statistic)))


@pytest.fixture
def ax():
    figure = pytest.importorskip("matplotlib.figure")
    return figure.Figure().subplots()


def test_a_plot_shows_the_intervals(table, ax):
    display = table.plot(ax)
    assert isinstance(display, CoefficientDisplay)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    points, _, (bars,) = display.errorbar_.lines
    np.testing.assert_array_equal(points.get_xdata(), table.estimate[1:])
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.column_stack([table.lower, table.upper])[1:])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["age", "bmi", "bp"]
    assert "95%" in ax.get_xlabel()


def test_a_plot_shows_the_intercept_if_asked(table, ax):
    table.plot(ax, intercept=True, errorbar_kwargs={"color": "red"}, line_kwargs={"color": "blue"})
    assert ax.get_yticklabels()[0].get_text() == "intercept"
    line, points = ax.lines[:2]
    assert (line.get_color(), points.get_color()) == ("blue", "red")


def test_a_plot_names_the_outcomes(of_two_targets, ax):
    of_two_targets.plot(ax)
    assert [label.get_text() for label in ax.get_yticklabels()][:4] == [
        *("<y>: age", "<y>: bmi", "<y>: bp", "root: age")
    ]


def test_a_plot_shows_the_table_that_was_asked_for(data, ax):
    w = np.ones(len(data[0]))
    options = {"sample_weight": w, "covariance": "HC3", "level": 0.5}
    options["feature_names"] = ["years", "index", "pressure"]
    model = LinearRegression().fit(*data)
    expected = coefficient_table(model, *data, **options)
    display = expected.plot(ax, intercept=True)
    np.testing.assert_array_equal(display.table.lower, expected.lower)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(expected.names)


def test_a_plot_makes_a_figure_of_its_own(table, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    display = CoefficientDisplay(table).plot()
    assert display.figure_.axes == [display.ax_]
    plt.close(display.figure_)


def test_without_matplotlib_a_plot_says_so(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="needs matplotlib"):
        table.plot()
