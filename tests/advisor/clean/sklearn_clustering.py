# Groups in unlabelled data: scaling, how many clusters, two methods, a look at what they found.
# %%
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import HDBSCAN, KMeans, MiniBatchKMeans
from sklearn.datasets import load_wine, make_blobs
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler

# %%
wine = load_wine()
X = StandardScaler().fit_transform(wine.data).astype(np.float32)
plane = PCA(n_components=2, random_state=0).fit_transform(X)
print(X.shape)

# %%
quality = {}
for k in range(2, 8):
    labels = KMeans(n_clusters=k, n_init=10, random_state=0).fit_predict(X)
    quality[k] = silhouette_score(X, labels)
k = max(quality, key=quality.get)
print({k: round(float(it), 3) for k, it in quality.items()}, "best:", k)

# %%
kmeans = KMeans(n_clusters=k, n_init=10, random_state=0).fit(X)
dense = HDBSCAN(min_cluster_size=10, copy=True).fit(plane)
print("KMeans against the cultivars:", round(adjusted_rand_score(wine.target, kmeans.labels_), 3))
print("HDBSCAN found", len(set(dense.labels_) - {-1}), "groups")

# %%
rows, origin = make_blobs(200_000, 10, centers=12, cluster_std=2.5, random_state=0)
rows = rows.astype(np.float32)
large = MiniBatchKMeans(n_clusters=12, n_init=3, random_state=0).fit(rows)
print("large:", round(adjusted_rand_score(origin, large.labels_), 3))

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4))
axes[0].scatter(*plane.T, c=kmeans.labels_, s=12)
axes[1].scatter(*plane.T, c=dense.labels_, s=12)
figure.tight_layout()
plt.close(figure)
assert adjusted_rand_score(wine.target, kmeans.labels_) > 0.8
