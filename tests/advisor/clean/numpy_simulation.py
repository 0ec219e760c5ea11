# Heat in a plate and a walk of many particles, in whole arrays.
# %%
import numpy as np

rng = np.random.default_rng(3)
# %%
# The plate: an explicit step on a grid, warm at one edge. Each step needs the one before it, each is one operation.
size, rate = 400, 0.2
plate = np.zeros((size, size), dtype=np.float32)
plate[0] = 100.0


def step(now, rate):
    """One step of the heat equation; the edges keep their temperature."""
    inner = now[1:-1, 1:-1]
    around = now[:-2, 1:-1] + now[2:, 1:-1] + now[1:-1, :-2] + now[1:-1, 2:]
    after = now.copy()
    after[1:-1, 1:-1] = inner + rate * (around - 4 * inner)
    return after


# %%
heat = []
for number in range(4000):
    plate = step(plate, rate)
    if number % 500 == 0:
        heat.append(float(plate.mean()))
print([round(each, 2) for each in heat])
# %%
# The particles: a walk with drift in a box, reflected at its walls.
particles, steps, drift = 200_000, 300, np.array([0.002, 0.0])
places = rng.random((particles, 2))
spread = np.empty(steps)
for number in range(steps):
    places += drift + 0.01 * rng.standard_normal(places.shape)
    places = np.abs(places)
    places = 1.0 - np.abs(1.0 - places)
    spread[number] = places[:, 0].std()
print(spread[:: steps // 5].round(4))
# %%
counts, _, _ = np.histogram2d(places[:, 0], places[:, 1], bins=40, range=[[0, 1], [0, 1]])
print(counts.mean(axis=1)[::10].round(1))
# %%
# The same walk's density from its equation, by the eigenvalues of a tridiagonal matrix.
n = 400
grid = np.linspace(0.0, 1.0, n)
laplace = (np.eye(n, k=1) - 2 * np.eye(n) + np.eye(n, k=-1)) * (n - 1) ** 2
laplace[0, 1] = laplace[-1, -2] = 2.0 * (n - 1) ** 2
values, vectors = np.linalg.eig(laplace * 5e-5)
start = np.exp(-((grid - 0.3) ** 2) / 0.002)
weights = np.linalg.solve(vectors, start)
times = np.array([0.0, 10.0, 50.0, 200.0])
density = (vectors @ (weights[:, None] * np.exp(np.outer(values, times)))).real
print(density.sum(axis=0).round(2))
