"""Several labels for one sample: a digit is even or not, prime or not, and has a loop or not.

scikit-learn's meta-estimators make a classifier of one label into one of several: one model for
each label by itself (`MultiOutputClassifier`, `OneVsRestClassifier`), or a chain in which each
model also hears what those before it said (`ClassifierChain`).
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcourse.linear_model import LogisticRegression, SGDClassifier

X, digit = load_digits(return_X_y=True)
is_even = digit % 2 == 0
is_prime = np.isin(digit, (2, 3, 5, 7))
has_loop = np.isin(digit, (0, 4, 6, 8, 9))
Y = np.column_stack([is_even, is_prime, has_loop]).astype(int)
X_train, X_test, Y_train, Y_test = train_test_split(X, Y, random_state=0)

logistic = LogisticRegression(C=0.1, max_iter=1000)
models = {
    "one model for each label": MultiOutputClassifier(logistic),
    "one against the rest": OneVsRestClassifier(logistic),
    "a chain": ClassifierChain(logistic, order=[0, 2, 1]),
    "by stochastic descent": MultiOutputClassifier(SGDClassifier(loss="log_loss", random_state=0)),
}
print("share of digits with all three labels right, and F1 of each label")
for name, model in models.items():
    predicted = make_pipeline(StandardScaler(), model).fit(X_train, Y_train).predict(X_test)
    all_right = np.mean(np.all(predicted == Y_test, axis=1))
    scores = f1_score(Y_test, predicted, average=None)
    even, prime, loop = scores
    print(f"{name:<26}{all_right:6.1%}   even {even:.3f}  prime {prime:.3f}  loop {loop:.3f}")
