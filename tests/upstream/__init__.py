"""scikit-learn's own tests, run with our classes in the place of theirs."""
