"""A linear start for the video autoencoder: before any training it is the principal components of its patches, to a tenth of a decibel or two.

The encoder's downsampling convolutions gather a latent's 4x8x8 pixels untouched; the last of them takes their components, each with both signs, so that
the last SiLU is undone (x = silu(x) - silu(-x)). Beside a constant pair the components are small: the group norm before that SiLU is then a constant gain,
whatever the picture. In the decoder latents pass into the first channels; the others hold constants that keep the norms steady and what the freshly
initialised blocks find. The output layer is fitted, one least-squares system for each of a latent's four frames, on whole shots, since attention over a
window is not attention over a picture. Everything stays trainable.

The config must allow it: block_out_channels = (16, 96, n, n) with n = 8 * (2 * latent_channels / 8 + 2), 8 groups, latent_channels a multiple of 8.
"""

import numpy as np
import torch
import torch.nn.functional as F

UNIT = 0.03  # standard deviation of a component before the last norm, beside constants of 1
PASS = 0.2  # of a latent's deviation, into the decoder's channels beside constants of 1
QUIET, OPEN = 0.02, 0.1  # scale of the decoder's blocks in the channels that hold latents, and in the others
ACTOR = 4.0  # an actor's cell weighs 1 + this
CLIP = 17


def last_level(latent_channels, groups=8):
    """Channels of the encoder's last two levels."""
    return groups * (2 * (latent_channels // groups) + 2)


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
    """What a downsampling convolution gathers: [b,c,t,h,w] -> [b, t', h/2, w/2, c * (2 or 1) * 2 * 2] over its last taps in time and its first two in space."""
    if temporal == 2:
        x = F.pad(x, (0, 0, 0, 0, 2, 0))
        x = torch.stack([x[:, :, 1:-1:2], x[:, :, 2::2]], -1)  # frames 2k - 1 and 2k
    else:
        x = x[..., None]
    b, c, t, h, w, n = x.shape
    x = x.reshape(b, c, t, h // 2, 2, w // 2, 2, n).permute(0, 2, 3, 5, 1, 7, 4, 6)
    return x.reshape(b, t, h // 2, w // 2, c * n * 4)


def patches(clip):
    """[1,3,n,h,w], n = 1 + 4k -> [latents, cells, 768]: the pixels of each latent, in the order in which the encoder gathers them."""
    for temporal in (1, 2, 2):
        clip = taps(clip, temporal).permute(0, 4, 1, 2, 3)
    return clip[0].permute(1, 2, 3, 0).flatten(1, 2)


def clips(x):
    return [part[:, :, :1 + (part.shape[2] - 1) // 4 * 4] for part in x.split(CLIP, dim=2)]


def cell_weights(mask):
    """[1,1,n,h,w] -> [n, cells]."""
    return 1 + ACTOR * F.max_pool2d(mask[0, 0, :, None], 8)[:, 0].flatten(1)


def set_taps(conv, rows, directions, channels, temporal):
    """Writes directions [k, channels * temporal * 4] into the output channels `rows` of a 3x3x3 downsampling convolution."""
    conv.weight.data[rows] = 0
    conv.bias.data[rows] = 0
    conv.weight.data[rows, :channels, 3 - temporal:, :2, :2] = directions.view(len(rows), channels, temporal, 2, 2)


def components(shots, count):
    """Principal directions [count, 768] of weighted patches, largest first, their mean and the deviation of each component. First latents of a clip,
    which know one frame, are not asked."""
    moment, mean, total, whole = 0.0, 0.0, 0.0, []
    for x, mask in shots:
        weight = cell_weights(mask)
        for i, clip in enumerate(clips(x)):
            p = patches(clip)
            w = [weight[CLIP * i + 1 + 4 * k:CLIP * i + 5 + 4 * k].amax(0) for k in range(len(p) - 1)]
            if not w:
                continue
            flat, w = p[1:].flatten(0, 1), torch.cat(w)[:, None]
            moment = moment + ((flat * w).T @ flat).double()
            mean = mean + (flat * w).sum(0).double()
            total += float(w.sum())
            if len(whole) < 24:
                whole.append(p.flatten(0, 1))
    mean /= total
    directions = torch.linalg.eigh(moment / total - torch.outer(mean, mean))[1].flip(1)[:, :count].T.float()
    return directions, mean.float(), (torch.cat(whole) @ directions.T).std(0)


def fitted(shots, latent_channels):
    """The linear encoder that `encoded` and `linear_start` take: directions [c, 768], mean [768], deviation [c]. shots: list of whole shots' (normalised pixels
    [1,3,n,h,w], actor masks [1,1,n,h,w]), about 80."""
    return dict(zip(("directions", "mean", "deviation"), components(shots, latent_channels)))


@torch.no_grad()
def linear_start(model, linear, shots):
    """Sets a new model's weights: the encoder to what `linear` says, the decoder to what is best on 20 of `shots`."""
    encoder, c = model.encoder, model.config.latent_channels
    groups = encoder.norm_out.num_groups
    width, per = encoder.norm_out.num_channels // groups, c // groups
    assert width == 2 * per + 2 and encoder.down_blocks[1].downsamplers[0].conv.out_channels == 96
    identity_residuals(encoder)
    encoder.conv_in.weight[:3] = 0
    encoder.conv_in.bias[:3] = 0
    for k in range(3):
        encoder.conv_in.weight[k, k, 2, 1, 1] = 1
    first, second, third = (encoder.down_blocks[i].downsamplers[0].conv for i in range(3))
    set_taps(first, list(range(12)), torch.eye(12), 3, 1)
    set_taps(second, list(range(96)), torch.eye(96), 12, 2)
    directions, mean, deviation = (linear[k] for k in ("directions", "mean", "deviation"))
    plus = [g * width + 2 * i for i in range(per) for g in range(groups)]  # strong and weak components share groups
    third.weight.zero_()
    third.bias.zero_()
    set_taps(third, plus, directions * (UNIT / deviation)[:, None], 96, 2)
    set_taps(third, [p + 1 for p in plus], -directions * (UNIT / deviation)[:, None], 96, 2)
    for g in range(groups):
        third.bias[g * width + 2 * per], third.bias[g * width + 2 * per + 1] = 1.0, -1.0
    gain = ((2 + 2 * per * UNIT**2) / width) ** -0.5
    conv = encoder.conv_out
    conv.weight.zero_()
    conv.bias.zero_()
    for k, channel in enumerate(plus):
        conv.weight[k, channel, 2, 1, 1] = 1 / (UNIT * gain)
        conv.weight[k, channel + 1, 2, 1, 1] = -1 / (UNIT * gain)
    conv.bias[:c] = -(directions @ mean) / deviation
    model.quant_conv.weight.copy_(torch.eye(2 * c).view_as(model.quant_conv.weight))
    model.quant_conv.bias.zero_()
    model.quant_conv.bias[c:] = -6.0
    model.post_quant_conv.weight.copy_(torch.eye(c).view_as(model.post_quant_conv.weight))
    model.post_quant_conv.bias.zero_()

    start_decoder(model, shots[:20], lambda x: encoded(linear, x))


def encoded(linear, x):
    """What the encoder makes of whole shots after `linear_start`, in closed form: pixels [1,3,n,h,w] -> latents [1,c,t,h/8,w/8]."""
    z = torch.cat([(patches(clip) - linear["mean"]) @ linear["directions"].T / linear["deviation"] for clip in clips(x)])
    return z.view(len(z), x.shape[3] // 8, x.shape[4] // 8, -1).permute(3, 0, 1, 2)[None]


@torch.no_grad()
def start_decoder(model, shots, latents):
    decoder, c = model.decoder, model.config.latent_channels
    dim = decoder.proj_in.out_features
    decoder.proj_in.weight.zero_()
    decoder.proj_in.weight[:c] = PASS * torch.eye(c)
    constant = torch.randn(dim - c)
    constant -= constant.mean()
    decoder.proj_in.bias.zero_()
    decoder.proj_in.bias[c:] = constant / constant.square().mean().sqrt()
    level = ((dim - c) / dim) ** 0.5  # what the norms divide by
    for block in decoder.transformer_blocks:
        for scale in (block.scale1, block.scale2):
            scale.fill_(OPEN)
            scale[:c] = QUIET
        for norm in (block.norm1, block.norm2):
            norm.weight.fill_(0.3)
            norm.weight[:c] = level / PASS  # latents come in with deviation 1
    norm = decoder.norm_out
    norm.weight.fill_(1.0)
    norm.weight[:c] = level / PASS
    norm.bias.zero_()
    features, seen = [], []
    hook = norm.register_forward_hook(lambda _, __, y: seen.append(y))
    for x, _ in shots:
        z = latents(x)
        decoder(model.post_quant_conv(z))
        features.append(seen.pop()[0, :z[0, 0].numel()].float().view(z.shape[2], -1, dim))
    hook.remove()
    every = torch.cat([f.flatten(0, 1) for f in features])
    mean, gain = every.mean(0), 0.3 / every.std(0).clamp_min(0.01)
    mean[:c], gain[:c] = 0, 1
    norm.weight.mul_(gain)
    norm.bias.copy_(-mean * gain)  # no constants left: 192 of them would turn AdamW's first steps into a flicker of the whole picture's colour
    n, size, depth = dim + 1, decoder.patch_size, decoder.patch_size_t
    left, right = torch.zeros(depth, n, n).double(), torch.zeros(depth, n, 3 * size * size).double()
    for (x, mask), f in zip(shots, features):
        f = torch.cat([(f - mean) * gain, torch.ones(*f.shape[:2], 1)], -1)
        weight, (height, width), t = cell_weights(mask), x.shape[3:], 0
        for i, clip in enumerate(clips(x)):
            for latent in range(1 + (clip.shape[2] - 1) // 4):
                for q in range(depth):
                    frame = depth * (latent - 1) + 1 + q
                    if frame < 0:
                        continue  # of a clip's first latent the last frame alone is kept
                    pixels = clip[0, :, frame].view(3, height // size, size, width // size, size).permute(1, 3, 0, 2, 4).reshape(-1, 3 * size * size)
                    weighted = f[t] * weight[CLIP * i + frame][:, None]
                    left[q] += (weighted.T @ f[t]).double()
                    right[q] += (weighted.T @ pixels).double()
                t += 1
    left += 1e-4 * left.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(n).double()
    fit = torch.from_numpy(np.linalg.solve(left.numpy(), right.numpy())).float()
    fit = fit.view(depth, n, 3, size * size).permute(1, 2, 0, 3).reshape(n, -1)  # [features and one, 3 * 4 * 8 * 8]
    decoder.proj_out.weight.copy_(fit[:-1].T)
    decoder.proj_out.bias.copy_(fit[-1])


class PixelEncoder:
    """`encoded` from bytes, ten times as fast: the latents of whole shots as one product with each latent's 4x8x8 pixels in the order in which frames hold
    them.

    pixel_mean, pixel_std [3]: how pixels of 0 … 1 are normalised. statistics: mean and deviation of each channel, by which the latents are normalised."""

    def __init__(self, linear, pixel_mean, pixel_std, statistics):
        index = torch.zeros(5, 8, 8, 3)
        index[1:] = torch.arange(768.0).view(4, 8, 8, 3)
        order = patches(index.permute(3, 0, 1, 2)[None])[1, 0].long()  # where the encoder's patch has each pixel of a latent
        mean, std = (torch.tensor(v) for v in statistics)
        directions = torch.empty_like(linear["directions"])
        directions[:, order] = linear["directions"] / (linear["deviation"] * std)[:, None]
        directions = directions.view(-1, 4, 8, 8, 3)
        constant = -(linear["directions"] @ linear["mean"] / linear["deviation"] + mean) / std
        self.matrices = []  # of a clip's first latent, which knows one frame, and of the others
        for part in (directions[:, 3:], directions):
            shift = constant - (part * (pixel_mean / pixel_std)).flatten(1).sum(1)
            self.matrices.append(((part / (255 * pixel_std)).flatten(1).T.contiguous(), shift))

    def __call__(self, frames):
        """frames: uint8 [n,h,w,3] -> normalised latents [c,t,h/8,w/8]."""
        parts = []
        for clip in torch.from_numpy(frames).split(CLIP):
            for pixels, depth, (matrix, shift) in ((clip[:1], 1, self.matrices[0]), (clip[1:1 + (len(clip) - 1) // 4 * 4], 4, self.matrices[1])):
                n, h, w, _ = pixels.shape
                cells = pixels.view(n // depth, depth, h // 8, 8, w // 8, 8, 3).permute(0, 2, 4, 1, 3, 5, 6).reshape(-1, depth * 192)
                parts.append((cells.float() @ matrix + shift).view(n // depth, h // 8, w // 8, -1))
        return torch.cat(parts).permute(3, 0, 1, 2)
