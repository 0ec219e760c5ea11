# Accuracy in one cell, then the same model is fitted on the same rows for its report.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X, y = make_classification(24_000, 20, n_informative=10, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
# %%
forest = RandomForestClassifier(n_estimators=90, n_jobs=2, random_state=0)
print(forest.fit(X_train, y_train).score(X_test, y_test))
# %%
from sklearn.metrics import classification_report

forest = RandomForestClassifier(n_estimators=90, n_jobs=2, random_state=0)
forest.fit(X_train, y_train)
print(classification_report(y_test, forest.predict(X_test)))
