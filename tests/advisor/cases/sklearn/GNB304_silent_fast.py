# A linear kernel on so few rows that it takes no time.
# %%
from sklearn.datasets import load_iris
from sklearn.svm import SVC

X, y = load_iris(return_X_y=True)
svc = SVC(kernel="linear").fit(X, y)
