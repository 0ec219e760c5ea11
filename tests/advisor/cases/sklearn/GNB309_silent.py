# The same search with the pipeline's memory on.
# also: GNB302 (on one core)
# %%
import random

random.seed(0)
words = ["".join(random.choices("abcdefghij", k=5)) for _ in range(3000)]
texts = [" ".join(random.choices(words, k=60)) for _ in range(1000)]
labels = [int("a" in text[:9]) for text in texts]
# %%
import tempfile

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

with tempfile.TemporaryDirectory() as folder:
    count = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), max_features=5000)
    pipe = make_pipeline(count, LogisticRegression(), memory=folder)
    search = GridSearchCV(pipe, {"logisticregression__C": [0.1, 1.0, 10.0]}, cv=2).fit(texts, labels)
