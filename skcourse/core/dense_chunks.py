"""Sparse rows, written out a chunk at a time: in cache, what is made for dense rows applies."""


class DenseChunks:
    """A sparse matrix that gives chunks of its rows, or of its columns, as dense arrays."""

    def __init__(self, X):
        self.X, self.shape, self.dtype, self.itemsize = X, X.shape, X.dtype, X.dtype.itemsize

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return self.X[key].toarray()
