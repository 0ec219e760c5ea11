# What varies is the preprocessing: nothing is done twice.
# also: GNB302 (on one core)
# %%
import random

random.seed(0)
words = ["".join(random.choices("abcdefghij", k=5)) for _ in range(3000)]
texts = [" ".join(random.choices(words, k=60)) for _ in range(1000)]
labels = [int("a" in text[:9]) for text in texts]
# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

pipe = make_pipeline(TfidfVectorizer(analyzer="char", max_features=5000), LogisticRegression())
grid = {"tfidfvectorizer__ngram_range": [(2, 3), (2, 4), (3, 4)]}
search = GridSearchCV(pipe, grid, cv=2).fit(texts, labels)
