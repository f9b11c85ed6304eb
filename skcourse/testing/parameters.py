"""What a constructor is told: kept as it is, and refused by `fit` where it makes no sense."""

from skcourse.testing.answers import refit, seeded
from skcourse.testing.problems import make_problem


class Nonsense:
    """A value that no parameter takes."""


def check_parameters_refused(estimator, problem=None):
    """`fit` raises ValueError or TypeError, naming the parameter, for each one set to nonsense."""
    problem = problem or make_problem(estimator)
    for name in estimator.get_params(deep=False):
        tried = seeded(estimator).set_params(**{name: Nonsense()})
        before = set(vars(tried))
        try:
            refit(tried, problem)
        except (ValueError, TypeError) as error:
            assert name in str(error), f"the error about {name} does not name it: {error}"
            assert set(vars(tried)) == before, f"{name} was refused after fit had set attributes"
        else:
            raise AssertionError(f"fit takes nonsense for {name}")
