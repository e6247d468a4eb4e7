#!/usr/bin/python3
"""torch_t5.py - seconds of a training step in PyTorch of the model that switch-pretrain trains.

usage: torch_t5.py CONFIG THREADS ROWS INPUTS TARGETS GROUP_ROWS STEPS [DROPOUT]

CONFIG is ours, of a T5 v1.0 (ReLU, tied) or of a Switch Transformer with top-1 routing. The network,
the losses and Adafactor are those of switch-pretrain with its defaults, in float32; rows are full,
their ids random. DROPOUT (0) is where T5 has it, each number by itself. Written for speed as far as plain PyTorch goes: weights in one product where
inputs are shared, experts by index, slots counted by cumsum. Prints, separated by tabs, the median
over the steps but for the first, the number of parameters, the last loss, and the version.
"""
import json
import math
import statistics
import sys
import time

import torch
import torch.nn.functional as F

EPS, JITTER, ALPHA, Z_LOSS, CAPACITY, MIN_CAPACITY = 1e-6, 0.01, 0.01, 1e-4, 1.25, 4


def matrix(rows, cols, scale=0.1):
    w = torch.empty(rows, cols)
    torch.nn.init.trunc_normal_(w, 0, 1, -2, 2)
    return torch.nn.Parameter(w * math.sqrt(scale / cols))


def norm(x, w):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * w


def buckets(n, two_sided, n_bucket=32, most=128):
    rel = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    base = torch.zeros_like(rel)
    if two_sided:
        n_bucket //= 2
        base = (rel > 0).long() * n_bucket
        rel = rel.abs()
    else:
        rel = (-rel).clamp(min=0)
    exact = n_bucket // 2
    far = exact + (torch.log(rel.float().clamp(min=1) / exact) / math.log(most / exact)
                   * (n_bucket - exact)).long()
    return base + torch.where(rel < exact, rel, far.clamp(max=n_bucket - 1))


class Attention(torch.nn.Module):
    def __init__(self, c, cross):
        super().__init__()
        self.drop = torch.nn.Dropout(c["dropout"])
        self.heads, self.d = c["num_heads"], c["d_kv"]
        self.inner, m = self.heads * self.d, c["d_model"]
        self.cross = cross
        self.norm = torch.nn.Parameter(torch.ones(m))
        self.q = matrix(self.inner, m, 0.1 / self.d)
        self.k, self.v = matrix(self.inner, m), matrix(self.inner, m)
        self.o = matrix(m, self.inner)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, self.d).transpose(1, 2)

    def forward(self, x, source, bias):
        n = norm(x, self.norm)
        if self.cross:
            q = F.linear(n, self.q)
            k, v = F.linear(source, torch.cat([self.k, self.v])).split(self.inner, -1)
        else:
            q, k, v = F.linear(n, torch.cat([self.q, self.k, self.v])).split(self.inner, -1)
        scores = self.split(q) @ self.split(k).transpose(2, 3)
        if bias is not None:
            scores += bias
        o = self.drop(scores.softmax(-1)) @ self.split(v)
        o = F.linear(o.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1), self.o)
        return x + self.drop(o)


class Dense(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.drop = torch.nn.Dropout(c["dropout"])
        self.norm = torch.nn.Parameter(torch.ones(c["d_model"]))
        self.wi, self.wo = matrix(c["d_ff"], c["d_model"]), matrix(c["d_model"], c["d_ff"])

    def apply_to(self, n):
        return F.linear(self.drop(F.linear(n, self.wi).relu_()), self.wo)

    def forward(self, x):
        return x + self.drop(self.apply_to(norm(x, self.norm))), 0


class Switch(torch.nn.Module):
    def __init__(self, c, group_rows):
        super().__init__()
        self.n, self.group_rows = c["num_experts"], group_rows
        self.drop = torch.nn.Dropout(c["dropout"])
        self.norm = torch.nn.Parameter(torch.ones(c["d_model"]))
        self.router = matrix(self.n, c["d_model"])
        self.experts = torch.nn.ModuleList(Dense(c) for _ in range(self.n))
        for e in self.experts:
            del e.norm

    def forward(self, x):
        rows, length, m = x.shape
        groups, size = rows // self.group_rows, self.group_rows * length
        n = norm(x, self.norm).view(-1, m)
        noise = torch.empty_like(n).uniform_(1 - JITTER, 1 + JITTER)
        p = F.linear(n * noise, self.router).softmax(-1)
        gate, expert = p.max(-1)
        hot = F.one_hot(expert, self.n).view(groups, size, self.n)
        slot = (hot.cumsum(1) - hot).view(-1, self.n).gather(1, expert[:, None]).squeeze(1)
        aux = self.n * (hot.float().mean(1) * p.view(groups, size, self.n).mean(1)).sum(1).mean()
        kept = slot < max(MIN_CAPACITY, min(size, int(size * CAPACITY / self.n)))
        order = torch.where(kept, expert, self.n).argsort(stable=True)
        counts = torch.bincount(expert[kept], minlength=self.n).tolist()
        order = order[:sum(counts)]
        parts = n[order].split(counts)
        y = torch.cat([e.apply_to(part)
                       for part, e in zip(parts, self.experts)]) * gate[order][:, None]
        return x + self.drop(torch.zeros_like(n).index_copy(0, order, y).view_as(x)), aux


class Stack(torch.nn.Module):
    def __init__(self, c, decoder, group_rows):
        super().__init__()
        n = c["num_decoder_layers" if decoder else "num_layers"]
        sparse = c.get("sparse_decoder_blocks" if decoder else "sparse_encoder_blocks", [])
        self.decoder = decoder
        self.drop = torch.nn.Dropout(c["dropout"])
        self.bias = torch.nn.Parameter(torch.empty(32, c["num_heads"]).uniform_(-0.1, 0.1))
        self.own = torch.nn.ModuleList(Attention(c, False) for _ in range(n))
        self.cross = torch.nn.ModuleList(Attention(c, True) for _ in range(n if decoder else 0))
        self.feed = torch.nn.ModuleList(
            Switch(c, group_rows) if i in sparse else Dense(c) for i in range(n))
        self.norm = torch.nn.Parameter(torch.ones(c["d_model"]))

    def forward(self, x, source=None):
        n, aux, x = x.shape[1], 0, self.drop(x)
        bias = F.embedding(buckets(n, not self.decoder), self.bias).permute(2, 0, 1)[None]
        if self.decoder:
            bias = bias + torch.full((n, n), -1e9).triu(1)
        for i, own in enumerate(self.own):
            x = own(x, None, bias)
            if self.decoder:
                x = self.cross[i](x, source, None)
            x, more = self.feed[i](x)
            aux = aux + more
        return self.drop(norm(x, self.norm)), aux


class Network(torch.nn.Module):
    def __init__(self, c, group_rows):
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn((c["vocab_size"] + 127) // 128 * 128,
                                                    c["d_model"]))
        self.encoder, self.decoder = Stack(c, False, group_rows), Stack(c, True, group_rows)

    def forward(self, inputs, shifted, targets):
        source, aux = self.encoder(F.embedding(inputs, self.table))
        z, more = self.decoder(F.embedding(shifted, self.table), source)
        logits = F.linear(z.flatten(0, 1) * z.shape[-1] ** -0.5, self.table)
        log_z = logits.logsumexp(-1)
        ce = log_z - logits.gather(1, targets.flatten()[:, None]).squeeze(1)
        return (ce + Z_LOSS * log_z.square()).mean() + ALPHA * (aux + more)


class Adafactor:
    def __init__(self, params):
        self.params, self.step = list(params), 0
        self.slots = [self.slot(p) for p in self.params]

    @staticmethod
    def slot(p):
        if p.dim() == 2 and min(p.shape) >= 128:
            return torch.zeros(p.shape[0]), torch.zeros(p.shape[1])
        return (torch.zeros_like(p),)

    @torch.no_grad()
    def update(self, lr=0.01):
        beta = 1 - (self.step + 1) ** -0.8
        self.step += 1
        for p, slot in zip(self.params, self.slots):
            g = torch.zeros_like(p) if p.grad is None else p.grad
            g2 = g.square().add_(1e-30)
            if len(slot) == 2:
                slot[0].mul_(beta).add_(g2.mean(1), alpha=1 - beta)
                slot[1].mul_(beta).add_(g2.mean(0), alpha=1 - beta)
                u = g.mul_((slot[0] / slot[0].mean()).rsqrt_()[:, None]).mul_(slot[1].rsqrt())
            else:
                slot[0].mul_(beta).add_(g2, alpha=1 - beta)
                u = g.mul_(slot[0].rsqrt())
            clip = max(1.0, u.norm().item() / math.sqrt(u.numel()))
            scale = max(1e-3, p.norm().item() / math.sqrt(p.numel()))
            p.add_(u, alpha=-lr * scale / clip)


def main():
    if len(sys.argv) not in (8, 9):
        sys.exit(__doc__)
    threads, rows, n_input, n_target, group_rows, steps = map(int, sys.argv[2:8])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    with open(sys.argv[1], encoding="utf-8") as f:
        c = json.load(f) | {"dropout": float(sys.argv[8]) if len(sys.argv) > 8 else 0.0}
    net = Network(c, group_rows)
    optimizer = Adafactor(net.parameters())
    inputs = torch.randint(2, c["vocab_size"], (rows, n_input))
    targets = torch.randint(2, c["vocab_size"], (rows, n_target))
    shifted = F.pad(targets, (1, 0))[:, :-1]
    seconds = []
    for _ in range(steps):
        begun = time.perf_counter()
        net.zero_grad(set_to_none=False)
        loss = net(inputs, shifted, targets)
        loss.backward()
        optimizer.update()
        seconds.append(time.perf_counter() - begun)
    print(f"{statistics.median(seconds[1:] or seconds):.6g}", sum(p.numel() for p in net.parameters()),
          f"{loss.item():.4f}", f"PyTorch {torch.__version__}", sep="\t")


main()
