# KMeans goes through 140,000 rows in every iteration.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_blobs

X, _ = make_blobs(140_000, 8, centers=20, cluster_std=6.0, random_state=0)
X = X.astype("float32")
# %%
from sklearn.cluster import KMeans

kmeans = KMeans(n_clusters=20, n_init=8, max_iter=60, random_state=0).fit(X)
