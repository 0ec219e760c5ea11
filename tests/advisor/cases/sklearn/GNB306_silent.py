# As long on 90,000 rows.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_blobs

X, _ = make_blobs(90_000, 8, centers=20, cluster_std=6.0, random_state=0)
X = X.astype("float32")
# %%
from sklearn.cluster import KMeans

kmeans = KMeans(n_clusters=20, n_init=5, max_iter=60, random_state=0).fit(X)
