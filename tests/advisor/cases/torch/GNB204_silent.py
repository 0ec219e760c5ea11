# The same pictures, each decompressed once and kept: the training does not wait for them.
# %%
import zlib

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Stored(Dataset):
    """Pictures, decompressed when they are loaded."""

    def __init__(self, count):
        rng = np.random.default_rng(0)
        pictures = (rng.integers(0, 4, (8, 3, 512, 512)) * 60).astype(np.uint8)
        self.pictures = [self.decompressed(zlib.compress(picture.tobytes(), 1)) for picture in pictures]
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.pictures[index % 8], index % 10

    def decompressed(self, blob):
        picture = np.frombuffer(zlib.decompress(blob), dtype=np.uint8).reshape(3, 512, 512)
        return torch.from_numpy(picture[:, ::16, ::16] / np.float32(255))


torch.manual_seed(0)
torch.set_num_threads(1)
stored = Stored(800)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(stored, batch_size=40)
# %%
for epoch in range(40):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), targets)
        loss.backward()
        optimizer.step()
