# Words are counted anew for each of 6 values of C.
# also: GNB302 (on one core)
# %%
import random

random.seed(0)
words = ["".join(random.choices("abcdefghij", k=5)) for _ in range(3000)]
texts = [" ".join(random.choices(words, k=60)) for _ in range(2000)]
labels = [int("a" in text[:9]) for text in texts]
# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

pipe = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(2, 4), max_features=5000), LogisticRegression())
search = GridSearchCV(pipe, {"logisticregression__C": [0.1, 1.0, 10.0]}, cv=2).fit(texts, labels)
