"""The trees of an ensemble as one table, which is made when it is first asked for."""


class PackedTrees:
    """Keeps a `Walk` for the trees that it was made of; pickles leave it behind."""

    def __init__(self):
        self.kept = None, None

    def of(self, trees, make):
        """Return make(trees), anew if these are not the trees, or the numbers, of last time.

        Parameters
        ----------
        trees : list, of whatever the table depends on
        make : callable, from that list to a Walk
        """
        known, walk = self.kept
        if known != trees:
            walk = make(trees)
            self.kept = list(trees), walk  # at once: another thread sees one pair or the other
        return walk

    def __reduce__(self):
        """Leave the table behind."""
        return PackedTrees, ()
