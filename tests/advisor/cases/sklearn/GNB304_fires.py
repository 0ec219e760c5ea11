# A linear kernel in the solver for all kernels.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(7_500, 20, n_informative=10, random_state=0)
# %%
from sklearn.svm import SVC

svc = SVC(kernel="linear", C=0.5).fit(X, y)
