# The same rows by batches.
# %%
from sklearn.datasets import make_blobs

X, _ = make_blobs(140_000, 8, centers=20, cluster_std=6.0, random_state=0)
X = X.astype("float32")
# %%
from sklearn.cluster import MiniBatchKMeans

kmeans = MiniBatchKMeans(n_clusters=20, n_init=3, random_state=0).fit(X)
