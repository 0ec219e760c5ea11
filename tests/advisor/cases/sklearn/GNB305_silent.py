# The same KMeans in float32.
# %%
from sklearn.datasets import make_blobs

X, _ = make_blobs(60_000, 32, centers=40, cluster_std=9.0, random_state=0)
X = X.astype("float32")
# %%
from sklearn.cluster import KMeans

kmeans = KMeans(n_clusters=40, n_init=4, max_iter=200, random_state=0).fit(X)
