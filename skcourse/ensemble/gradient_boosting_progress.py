"""What gradient boosting prints as it goes, in the words of scikit-learn."""

from time import perf_counter


class Progress:
    """A line per iteration; if `verbose` is 1, after the first ten only every tenth, and so on.

    Parameters
    ----------
    verbose : int, 0 for silence
    first, last : int, the number of the first iteration, and of the one that will not be run
    out_of_bag : bool, whether improvements out of bag are printed
    """

    def __init__(self, verbose, first, last, out_of_bag):
        self.verbose, self.first, self.last, self.out_of_bag = verbose, first, last, out_of_bag
        self.every, self.begin = 1, perf_counter()
        if verbose:
            more = [f"{'OOB Improve':>16}"] if out_of_bag else []
            head = [f"{'Iter':>10}", f"{'Train Loss':>16}", *more, f"{'Remaining Time':>16}"]
            print(*head, "")

    def tell(self, i, loss, improvement):
        """Print iteration i, if it is its turn."""
        done = i - self.first + 1
        if not self.verbose or done % self.every:
            return
        rest = (self.last - i - 1) * (perf_counter() - self.begin) / done
        rest = f"{rest / 60:.2f}m" if rest > 60 else f"{rest:.2f}s"
        more = [f"{improvement:>16.4f}"] if self.out_of_bag else []
        print(f"{i + 1:>10d}", f"{loss:>16.4f}", *more, f"{rest:>16}")
        if self.verbose == 1 and done >= 10 * self.every:
            self.every *= 10
