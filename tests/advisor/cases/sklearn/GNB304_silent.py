# The same data and time with a kernel that LinearSVC does not have.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(9_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.svm import SVC

svc = SVC(kernel="rbf", C=0.5).fit(X, y)
