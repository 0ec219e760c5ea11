# A tabular classification: mixed columns, a pipeline, cross-validation, a report.
# %%
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# %%
frame = load_breast_cancer(as_frame=True).frame
frame["size"] = pd.cut(frame["mean area"], 4, labels=["small", "medium", "large", "huge"]).astype(str)
frame.loc[frame.sample(frac=0.05, random_state=0).index, "mean texture"] = np.nan
X, y = frame.drop(columns="target"), frame["target"]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, test_size=0.25, random_state=0)
frame.describe().T.head()

# %%
numeric = X.select_dtypes("number").columns
prepare = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), numeric),
    (OneHotEncoder(handle_unknown="ignore"), ["size"]),
)
models = {
    "logistic": make_pipeline(prepare, LogisticRegression(max_iter=1000)),
    "forest": make_pipeline(prepare, RandomForestClassifier(n_estimators=60, n_jobs=-1, random_state=0)),
    "boosting": make_pipeline(prepare, HistGradientBoostingClassifier(max_iter=40, random_state=0)),
}

# %%
folds = StratifiedKFold(4, shuffle=True, random_state=0)
scores = {
    name: cross_validate(model, X_train, y_train, cv=folds, scoring=["accuracy", "roc_auc"])
    for name, model in models.items()
}
summary = pd.DataFrame(
    {
        name: {
            "accuracy": it["test_accuracy"].mean(),
            "roc_auc": it["test_roc_auc"].mean(),
            "spread": it["test_roc_auc"].std(),
        }
        for name, it in scores.items()
    }
)
print(summary.round(3))

# %%
best = models[summary.loc["roc_auc"].idxmax()].fit(X_train, y_train)
print(classification_report(y_test, best.predict(X_test)))
print(f"ROC AUC on the test rows: {roc_auc_score(y_test, best.predict_proba(X_test)[:, 1]):.3f}")
assert best.score(X_test, y_test) > 0.9
