# Attention as the textbook writes it, on sequences of 256 items.
# %%
import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, items, width = x.shape
        q, k, v = self.qkv(x).view(batch, items, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, items, width))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 64)
        self.attention = Attention(64, 4)
        self.head = nn.Linear(64, 2)

    def forward(self, tokens):
        x = self.embed(tokens)
        return self.head((x + self.attention(x)).mean(dim=1))


torch.manual_seed(0)
tokens = torch.randint(0, 1000, (512, 256))
labels = torch.randint(0, 2, (512,))
model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
# %%
for epoch in range(3):
    for rows in torch.randperm(len(tokens)).split(16):
        loss = nn.functional.cross_entropy(model(tokens[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
