"""Where a picture is drawn: matplotlib is imported here, when the first one is asked for."""

import numpy as np


def pyplot(who):
    """Return matplotlib.pyplot; raise ImportError in the name of `who` without it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{who} needs matplotlib.") from error
    return plt


def axes_or_new(ax, who):
    """Return `ax`, or the axes of a new figure if it is None."""
    return pyplot(who).subplots(layout="constrained")[1] if ax is None else ax


def coloured(labels, style, given):
    """Return arguments of `scatter`: points by label, in `style`, unless colours are given."""
    if {"c", "color", "facecolor", "facecolors"} & given.keys():
        style = style if np.ndim(given.get("c", "")) else {}
        return style | given
    return {"c": labels} | style | given


def whole_numbers(axis):
    """Let the ticks of an axis be whole numbers, unless the user chose other ones."""
    from matplotlib.ticker import MaxNLocator

    if isinstance(axis.get_major_locator(), MaxNLocator):
        axis.get_major_locator().set_params(integer=True)


def patches():
    """Return matplotlib.patches, once there are axes."""
    import matplotlib.patches

    return matplotlib.patches


def animation():
    """Return matplotlib.animation, once there are axes."""
    import matplotlib.animation

    return matplotlib.animation


def required(estimator, name, display):
    """Return an attribute of a fitted estimator; TypeError if what `display` draws is not there."""
    if not hasattr(estimator, name):
        who = type(estimator).__name__
        raise TypeError(f"{who} has no {name}, which {display.__name__} draws.")
    return getattr(estimator, name)
