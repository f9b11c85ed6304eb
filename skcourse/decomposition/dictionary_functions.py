"""Dictionary learning as functions: code, dictionary and errors at once."""

from numbers import Integral

from skcourse.core.validation import Interval, StrOptions, validate_params
from skcourse.decomposition.dictionary_learning import DictionaryLearning
from skcourse.decomposition.dictionary_minibatch import MiniBatchDictionaryLearning

COMMON = {
    "X": ["array-like"],
    "method": [StrOptions({"lars", "cd"})],
    "method_max_iter": [Interval(Integral, 0, None, closed="left")],
}


@validate_params(COMMON | {"return_n_iter": ["boolean"]}, prefer_skip_nested_validation=False)
def dict_learning(
    X,
    n_components,
    *,
    alpha,
    max_iter=100,
    tol=1e-8,
    method="lars",
    n_jobs=None,
    dict_init=None,
    code_init=None,
    callback=None,
    verbose=False,
    random_state=None,
    return_n_iter=False,
    positive_dict=False,
    positive_code=False,
    method_max_iter=1000,
):
    """Learn a dictionary and the codes of the rows of X, in turns.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    n_components : int or None
        Number of atoms; None is the number of features.
    alpha : float
        The penalty on codes.
    max_iter : int, default=100
    tol : float, default=1e-8
        Bound on the fall of the cost in an iteration, over the cost.
    method : {"lars", "cd"}, default="lars"
        How rows are coded: "lasso_lars" or "lasso_cd" of `sparse_encode`.
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    dict_init, code_init : ndarray, default=None
        Where to begin, if both are given.
    callback : callable, default=None
        See `DictionaryLearning`.
    verbose : bool or int, default=False
    random_state : int, RandomState instance or None, default=None
    return_n_iter : bool, default=False
    positive_dict, positive_code : bool, default=False
        Keep atoms, or codes, from being negative; codes only with "cd".
    method_max_iter : int, default=1000
        The most sweeps, or lines of the path, for the code of a row.

    Returns
    -------
    code : ndarray of shape (n_samples, n_components)
    dictionary : ndarray of shape (n_components, n_features)
    errors : list of float
        The cost after each iteration.
    n_iter : int
        Only if `return_n_iter`.

    See Also
    --------
    DictionaryLearning : The same as an estimator.

    Examples
    --------
    >>> from skcourse.decomposition import dict_learning
    >>> signals = [[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 1.0, 1.0], [4.0, 0.0, 0.0]]
    >>> code, atoms, errors = dict_learning(signals, 2, alpha=0.1, random_state=0)
    >>> abs(code @ atoms - signals).max() < 0.11
    np.True_
    """
    model = DictionaryLearning(
        n_components,
        alpha=alpha,
        max_iter=max_iter,
        tol=tol,
        fit_algorithm=method,
        n_jobs=n_jobs,
        code_init=code_init,
        dict_init=dict_init,
        callback=callback,
        verbose=verbose,
        random_state=random_state,
        positive_code=positive_code,
        positive_dict=positive_dict,
        transform_max_iter=method_max_iter,
    )
    code = model.set_output(transform="default").fit_transform(X)
    found = code, model.components_, model.error_
    return (*found, model.n_iter_) if return_n_iter else found


@validate_params(COMMON | {"return_code": ["boolean"]}, prefer_skip_nested_validation=False)
def dict_learning_online(
    X,
    n_components=2,
    *,
    alpha=1,
    max_iter=100,
    return_code=True,
    dict_init=None,
    callback=None,
    batch_size=256,
    verbose=False,
    shuffle=True,
    n_jobs=None,
    method="lars",
    random_state=None,
    positive_dict=False,
    positive_code=False,
    method_max_iter=1000,
    tol=1e-3,
    max_no_improvement=10,
):
    """Learn a dictionary from a few rows of X at a time, and then code them all.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    n_components : int or None, default=2
        Number of atoms; None is the number of features.
    alpha : float, default=1
        The penalty on codes.
    max_iter : int, default=100
        The most passes over X.
    return_code : bool, default=True
    dict_init : ndarray of shape (n_components, n_features), default=None
        Where to begin.
    callback : callable, default=None
        See `MiniBatchDictionaryLearning`.
    batch_size : int, default=256
    verbose : bool or int, default=False
    shuffle : bool, default=True
        Whether to cut the batches from rows in an order that is drawn once.
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    method : {"lars", "cd"}, default="lars"
        How rows are coded: "lasso_lars" or "lasso_cd" of `sparse_encode`.
    random_state : int, RandomState instance or None, default=None
    positive_dict, positive_code : bool, default=False
        Keep atoms, or codes, from being negative; codes only with "cd".
    method_max_iter : int, default=1000
        The most sweeps, or lines of the path, for the code of a row.
    tol : float, default=1e-3
        Bound on the change of the dictionary in a step, over `n_components`; 0 is none.
    max_no_improvement : int, default=10
        After how many batches without a fall of the averaged cost to end; None is never.

    Returns
    -------
    code : ndarray of shape (n_samples, n_components)
        Only if `return_code`.
    dictionary : ndarray of shape (n_components, n_features)

    See Also
    --------
    MiniBatchDictionaryLearning : The same as an estimator.

    Examples
    --------
    >>> from skcourse.decomposition import dict_learning_online
    >>> signals = [[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 1.0, 1.0], [4.0, 0.0, 0.0]]
    >>> code, atoms = dict_learning_online(signals, 2, alpha=0.1, batch_size=2, random_state=0)
    >>> abs(code @ atoms - signals).max() < 0.11
    np.True_
    """
    model = MiniBatchDictionaryLearning(
        n_components,
        alpha=alpha,
        max_iter=max_iter,
        fit_algorithm=method,
        n_jobs=n_jobs,
        batch_size=batch_size,
        shuffle=shuffle,
        dict_init=dict_init,
        transform_algorithm=f"lasso_{method}",
        transform_alpha=alpha,
        verbose=verbose,
        random_state=random_state,
        positive_code=positive_code,
        positive_dict=positive_dict,
        transform_max_iter=method_max_iter,
        callback=callback,
        tol=tol,
        max_no_improvement=max_no_improvement,
    ).set_output(transform="default")
    model.fit(X)
    return (model.transform(X), model.components_) if return_code else model.components_
