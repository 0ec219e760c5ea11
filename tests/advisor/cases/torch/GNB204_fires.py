# Pictures are decompressed by a pool of threads on all cores, in each epoch again: more workers can't help.
# also: GNB105
# %%
import os
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Stored(Dataset):
    """Pictures as they lie on a disk, compressed; a batch is decompressed by several threads."""

    def __init__(self, count):
        rng = np.random.default_rng(0)
        pictures = (rng.integers(0, 4, (8, 3, 512, 512)) * 60).astype(np.uint8)
        self.blobs = [zlib.compress(picture.tobytes(), 1) for picture in pictures]
        self.count = count
        self.pool = ThreadPoolExecutor(2 * len(os.sched_getaffinity(0)))

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        raw = zlib.decompress(self.blobs[index % 8])
        picture = np.frombuffer(raw, dtype=np.uint8).reshape(3, 512, 512)
        return torch.from_numpy(picture[:, ::16, ::16] / np.float32(255)), index % 10

    def __getitems__(self, indices):
        return list(self.pool.map(self.__getitem__, indices))


torch.manual_seed(0)
torch.set_num_threads(1)
stored = Stored(480)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(stored, batch_size=40)
# %%
for epoch in range(5):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), targets)
        loss.backward()
        optimizer.step()
# %%
stored.pool.shutdown()
