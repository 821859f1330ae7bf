"""A linear start for the video autoencoder: before any training it is (nearly) the principal components of picture patches.

From random weights, most of a small budget goes into finding what a patch's main components are. Here the encoder's downsampling
convolutions gather patches and keep their components level by level, its residual branches start at zero, and the last SiLU is undone
by carrying each component with both signs (x = silu(x) - silu(-x)). The decoder's output layer is the least-squares answer to the
features that come out of its freshly initialised blocks. Everything stays trainable.
"""

import numpy as np
import torch
import torch.nn.functional as F

BLOCK_SCALE = 0.1  # of the decoder's blocks; the class leaves 0
PER_GROUP = 3  # components in each normalisation group of the last level, each with both signs, beside a constant pair
UNIT = 0.3  # standard deviation of a component there


def identity_residuals(encoder):
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            torch.nn.init.zeros_(resnet.conv2.weight)
            torch.nn.init.zeros_(resnet.conv2.bias)
            if resnet.conv_shortcut is not None:
                weight = resnet.conv_shortcut.weight.data.zero_()
                for c in range(resnet.in_channels):
                    weight[c, c] = 1
                torch.nn.init.zeros_(resnet.conv_shortcut.bias)


def taps(x, temporal):
    """What a downsampling convolution gathers: [b,c,t,h,w] -> [samples, c * (2 or 1) * 2 * 2] over its last taps in time and its
    first two in space, and the positions' shape."""
    x = F.pad(x, (0, 0, 0, 0, 2 if temporal == 2 else 0, 0))
    if temporal == 2:
        x = torch.stack([x[:, :, 1:-1:2], x[:, :, 2::2]], -1)  # frames 2k - 1 and 2k
    else:
        x = x[..., None]
    b, c, t, h, w, n = x.shape
    x = x.reshape(b, c, t, h // 2, 2, w // 2, 2, n).permute(0, 2, 3, 5, 1, 7, 4, 6)
    return x.reshape(-1, c * n * 4)


def components(samples, weight, count):
    """Principal directions [count, features] of weighted samples about zero, largest first."""
    moment = (samples * weight[:, None]).T.double() @ samples.double()
    return torch.linalg.eigh(moment)[1].flip(1)[:, :count].T.float()


def set_taps(conv, rows, directions, channels, temporal):
    """Writes directions [k, channels * temporal * 4] into the output channels `rows` of a 3x3x3 downsampling convolution."""
    conv.weight.data[rows] = 0
    conv.bias.data[rows] = 0
    kernel = directions.view(len(rows), channels, temporal, 2, 2)
    conv.weight.data[rows, :channels, 3 - temporal:, :2, :2] = kernel


@torch.no_grad()
def linear_start(model, clips, masks):
    """Sets a new model's weights. clips: list of normalised pixels [1,3,17,h,w]; masks: their actor masks [1,1,17,h,w]."""
    encoder, decoder, channels = model.encoder, model.decoder, model.config.latent_channels
    identity_residuals(encoder)
    encoder.conv_in.weight[:3] = 0
    encoder.conv_in.bias[:3] = 0
    for c in range(3):
        encoder.conv_in.weight[c, c, 2, 1, 1] = 1
    first, second, third = (encoder.down_blocks[i].downsamplers[0].conv for i in range(3))
    set_taps(first, list(range(12)), torch.eye(12), 3, 1)

    def until(level, x):
        x = encoder.conv_in(x)
        for block in encoder.down_blocks[:level]:
            x = block(x)
        return x

    def weights(mask, size, temporal):
        m = F.max_pool3d(F.pad(mask, (0, 0, 0, 0, temporal - 1, 0)), (temporal, size, size))
        return 1 + 4 * m.flatten()

    level1 = [until(1, x)[:, :12] for x in clips]
    kept = components(torch.cat([taps(x, 2) for x in level1]), torch.cat([weights(m, 4, 2) for m in masks]), 32)
    set_taps(second, list(range(32)), kept, 12, 2)
    level2 = [until(2, x) for x in clips]
    groups = encoder.norm_out.num_groups
    samples = torch.cat([taps(x, 2) for x in level2])
    kept = components(samples, torch.cat([weights(m, 8, 4) for m in masks]), groups * PER_GROUP)
    kept = kept * (UNIT / (samples @ kept.T).std(0))[:, None]
    width = encoder.norm_out.num_channels // groups
    plus = [g * width + 2 * i for g in range(groups) for i in range(PER_GROUP)]
    spread = [kept[i] for i in range(len(kept))]
    order = sorted(range(len(kept)), key=lambda i: (i % groups, i))  # strong and weak components share groups
    third.weight.zero_()
    third.bias.zero_()
    set_taps(third, plus, torch.stack([spread[i] for i in order]), 32, 2)
    set_taps(third, [p + 1 for p in plus], torch.stack([-spread[i] for i in order]), 32, 2)
    for g in range(groups):
        third.bias[g * width + 6], third.bias[g * width + 7] = 1.0, -1.0

    # latents: the rank-limited regression of pixels on the components as they leave the last SiLU
    def patches(x):  # [1,3,17,h,w] -> [latents after the first, 3 * 4 * 8 * 8]
        x = x[:, :, 1:]
        _, c, t, h, w = x.shape
        return x.reshape(c, t // 4, 4, h // 8, 8, w // 8, 8).permute(1, 3, 5, 0, 2, 4, 6).reshape(-1, c * 256)

    def signals(x):
        h = F.silu(encoder.norm_out(until(4, x)))
        return (h[:, plus] - h[:, [p + 1 for p in plus]])[:, :, 1:].permute(0, 2, 3, 4, 1).reshape(-1, len(plus))

    s, p = torch.cat([signals(x) for x in clips]).double(), torch.cat([patches(x) for x in clips]).double()
    w = torch.cat([1 + 4 * F.max_pool3d(m[:, :, 1:], (4, 8, 8)).flatten() for m in masks]).double()[:, None]
    s1 = torch.cat([s, torch.ones(len(s), 1).double()], 1)
    fit = torch.linalg.solve((s1 * w).T @ s1 + 1e-3 * torch.eye(s1.shape[1]).double(), (s1 * w).T @ p)
    predicted = s @ fit[:-1]
    predicted -= predicted.mean(0)
    directions = torch.linalg.eigh((predicted * w).T @ predicted)[1].flip(1)[:, :channels]
    to_latent = fit[:-1] @ directions
    z = s @ to_latent
    to_latent, offset = to_latent / z.std(0), -(z.mean(0) / z.std(0))
    conv = encoder.conv_out
    conv.weight.zero_()
    conv.bias.zero_()
    for k, channel in enumerate(plus):
        conv.weight[:channels, channel, 2, 1, 1] = to_latent[k].float()
        conv.weight[:channels, channel + 1, 2, 1, 1] = -to_latent[k].float()
    conv.bias[:channels] = offset.float()
    model.quant_conv.weight.copy_(torch.eye(2 * channels).view_as(model.quant_conv.weight))
    model.quant_conv.bias.zero_()
    model.quant_conv.bias[channels:] = -6.0
    model.post_quant_conv.weight.copy_(torch.eye(channels).view_as(model.post_quant_conv.weight))
    model.post_quant_conv.bias.zero_()
    start_decoder(model, clips, masks, patches)


def start_decoder(model, clips, masks, patches):
    """Latents pass into the first channels beside constants that keep the last norm steady; the output layer is fitted."""
    decoder, channels = model.decoder, model.config.latent_channels
    decoder.proj_in.weight.mul_(0.3)
    decoder.proj_in.weight[:channels] = torch.eye(channels)
    torch.nn.init.normal_(decoder.proj_in.bias)
    decoder.proj_in.bias[:channels] = 0
    for block in decoder.transformer_blocks:
        torch.nn.init.constant_(block.scale1, BLOCK_SCALE)
        torch.nn.init.constant_(block.scale2, BLOCK_SCALE)
    seen = []
    hook = decoder.norm_out.register_forward_hook(lambda _, __, y: seen.append(y))
    size = decoder.proj_out.in_features + 1
    left, right = torch.zeros(size, size).double(), torch.zeros(size, decoder.proj_out.out_features).double()
    for x, mask in zip(clips, masks):
        z = model.quant_conv(model.encoder(x))[:, :channels]
        decoder(model.post_quant_conv(z))
        _, _, t, h, w = z.shape
        features = seen.pop()[0, h * w:t * h * w].double()
        features = torch.cat([features, torch.ones(len(features), 1).double()], 1)
        weight = 1 + 4 * F.max_pool3d(mask[:, :, 1:], (4, 8, 8)).flatten().double()[:, None]
        left += (features * weight).T @ features
        right += (features * weight).T @ patches(x).double()
    hook.remove()
    fit = torch.linalg.solve(left + 1e-2 * torch.eye(size).double() * left.diagonal().mean() * 1e-2, right)
    decoder.proj_out.weight.copy_(fit[:-1].T)
    decoder.proj_out.bias.copy_(fit[-1])
