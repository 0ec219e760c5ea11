# KMeans on doubles for more than a second.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_blobs

X, _ = make_blobs(60_000, 32, centers=40, cluster_std=9.0, random_state=0)
# %%
from sklearn.cluster import KMeans

kmeans = KMeans(n_clusters=40, n_init=8, max_iter=200, random_state=0).fit(X)
