"""Linear initialisation of the video autoencoder: before any training its PSNR is within one or two tenths of a decibel of its patches' principal components.

Encoder. The downsampling convolutions gather a latent's 4x8x8 pixels unchanged. The last one projects them on the components, each with both signs, which
undoes the last SiLU (x = silu(x) - silu(-x)). The components are small beside a constant pair, so that the group norm before that SiLU is a constant gain for
every picture.

Decoder. Latents pass into the first channels; the other channels hold constants, which keep the norms steady, and what the freshly initialised blocks
compute. The output layer is fitted by one least-squares system for each of a latent's four frames. It is fitted on whole shots, since attention over a window
differs from attention over the picture. Everything stays trainable.

The config must satisfy block_out_channels = (16, 96, n, n) with n = 8 * (2 * latent_channels / 8 + 2), 8 groups, latent_channels a multiple of 8.
"""

import numpy as np
import torch
import torch.nn.functional as F

COMPONENT_STD = 0.03  # standard deviation of components before the last norm; the constants are 1
LATENT_GAIN = 0.2  # scale of latents in the decoder's channels; the constants are 1
LATENT_SCALE, OTHER_SCALE = 0.02, 0.1  # initial block scales: in channels that hold latents, in the others
ACTOR_EXTRA = 4.0  # an actor's cell weighs 1 + this
CLIP = 17


def last_level(latent_channels, groups=8):
    """Channels of the encoder's last two levels."""
    return groups * (2 * (latent_channels // groups) + 2)


def zero_residuals(encoder):
    """Zeroes the residual branches of all down blocks, so that each block passes its input on."""
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            torch.nn.init.zeros_(resnet.conv2.weight)
            torch.nn.init.zeros_(resnet.conv2.bias)
            if resnet.conv_shortcut is not None:
                weight = resnet.conv_shortcut.weight.data.zero_()
                for c in range(resnet.in_channels):
                    weight[c, c] = 1
                torch.nn.init.zeros_(resnet.conv_shortcut.bias)


def gather_taps(x, temporal):
    """[b,c,t,h,w] -> [b, t', h/2, w/2, c * temporal * 2 * 2]: what a downsampling convolution gathers over its last `temporal` (1 or 2) taps in time and its
    first two in space."""
    if temporal == 2:
        x = F.pad(x, (0, 0, 0, 0, 2, 0))
        x = torch.stack([x[:, :, 1:-1:2], x[:, :, 2::2]], -1)  # frames 2k - 1 and 2k
    else:
        x = x[..., None]
    b, c, t, h, w, n = x.shape
    x = x.reshape(b, c, t, h // 2, 2, w // 2, 2, n).permute(0, 2, 3, 5, 1, 7, 4, 6)
    return x.reshape(b, t, h // 2, w // 2, c * n * 4)


def patches(clip):
    """[1,3,n,h,w], n = 1 + 4k -> [latents, cells, 768]: the pixels of each latent, in the encoder's gathering order."""
    for temporal in (1, 2, 2):
        clip = gather_taps(clip, temporal).permute(0, 4, 1, 2, 3)
    return clip[0].permute(1, 2, 3, 0).flatten(1, 2)


def split_clips(x):
    """Splits [1,3,n,h,w] into clips and cuts each to 1 + 4k frames."""
    return [part[:, :, :1 + (part.shape[2] - 1) // 4 * 4] for part in x.split(CLIP, dim=2)]


def cell_weights(mask):
    """Fitting weights of cells: mask [1,1,n,h,w] -> [n, cells]."""
    return 1 + ACTOR_EXTRA * F.max_pool2d(mask[0, 0, :, None], 8)[:, 0].flatten(1)


def set_gather_taps(conv, rows, directions, channels, temporal):
    """Writes directions [k, channels * temporal * 4] into the output channels `rows` of a 3x3x3 downsampling convolution."""
    conv.weight.data[rows] = 0
    conv.bias.data[rows] = 0
    conv.weight.data[rows, :channels, 3 - temporal:, :2, :2] = directions.view(len(rows), channels, temporal, 2, 2)


def principal_components(shots, count):
    """(directions [count, 768] largest first, mean [768], deviation [count]) of weighted patches. Skips the first latent of each clip, which sees one frame
    only."""
    moment, mean, total, whole = 0.0, 0.0, 0.0, []
    for x, mask in shots:
        weight = cell_weights(mask)
        for i, clip in enumerate(split_clips(x)):
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


def fit_linear(shots, latent_channels):
    """Fits the linear encoder for `encode_linear` and `initialise`: {directions [c, 768], mean [768], deviation [c]}. shots: about 80 pairs of whole shots
    (normalised pixels [1,3,n,h,w], actor mask [1,1,n,h,w])."""
    return dict(zip(("directions", "mean", "deviation"), principal_components(shots, latent_channels)))


@torch.no_grad()
def initialise(model, linear, shots):
    """Sets a new model's weights: the encoder to `linear`, the decoder to the best fit on 20 of `shots`."""
    encoder, c = model.encoder, model.config.latent_channels
    groups = encoder.norm_out.num_groups
    width, per = encoder.norm_out.num_channels // groups, c // groups
    assert width == 2 * per + 2 and encoder.down_blocks[1].downsamplers[0].conv.out_channels == 96
    zero_residuals(encoder)
    encoder.conv_in.weight[:3] = 0
    encoder.conv_in.bias[:3] = 0
    for k in range(3):
        encoder.conv_in.weight[k, k, 2, 1, 1] = 1
    first, second, third = (encoder.down_blocks[i].downsamplers[0].conv for i in range(3))
    set_gather_taps(first, list(range(12)), torch.eye(12), 3, 1)
    set_gather_taps(second, list(range(96)), torch.eye(96), 12, 2)
    directions, mean, deviation = (linear[k] for k in ("directions", "mean", "deviation"))
    plus = [g * width + 2 * i for i in range(per) for g in range(groups)]  # every group gets strong and weak components
    third.weight.zero_()
    third.bias.zero_()
    set_gather_taps(third, plus, directions * (COMPONENT_STD / deviation)[:, None], 96, 2)
    set_gather_taps(third, [p + 1 for p in plus], -directions * (COMPONENT_STD / deviation)[:, None], 96, 2)
    for g in range(groups):
        third.bias[g * width + 2 * per], third.bias[g * width + 2 * per + 1] = 1.0, -1.0
    gain = ((2 + 2 * per * COMPONENT_STD**2) / width) ** -0.5
    conv = encoder.conv_out
    conv.weight.zero_()
    conv.bias.zero_()
    for k, channel in enumerate(plus):
        conv.weight[k, channel, 2, 1, 1] = 1 / (COMPONENT_STD * gain)
        conv.weight[k, channel + 1, 2, 1, 1] = -1 / (COMPONENT_STD * gain)
    conv.bias[:c] = -(directions @ mean) / deviation
    model.quant_conv.weight.copy_(torch.eye(2 * c).view_as(model.quant_conv.weight))
    model.quant_conv.bias.zero_()
    model.quant_conv.bias[c:] = -6.0
    model.post_quant_conv.weight.copy_(torch.eye(c).view_as(model.post_quant_conv.weight))
    model.post_quant_conv.bias.zero_()

    initialise_decoder(model, shots[:20], lambda x: encode_linear(linear, x))


def encode_linear(linear, x):
    """The encoder's output after `initialise`, in closed form: pixels of a whole shot [1,3,n,h,w] -> latents [1,c,t,h/8,w/8]."""
    z = torch.cat([(patches(clip) - linear["mean"]) @ linear["directions"].T / linear["deviation"] for clip in split_clips(x)])
    return z.view(len(z), x.shape[3] // 8, x.shape[4] // 8, -1).permute(3, 0, 1, 2)[None]


@torch.no_grad()
def initialise_decoder(model, shots, latents):
    """Sets the decoder's weights to the best fit on `shots`, pairs as in `fit_linear`. latents: maps pixels [1,3,n,h,w] to latents [1,c,t,h/8,w/8]."""
    decoder, c = model.decoder, model.config.latent_channels
    dim = decoder.proj_in.out_features
    decoder.proj_in.weight.zero_()
    decoder.proj_in.weight[:c] = LATENT_GAIN * torch.eye(c)
    constant = torch.randn(dim - c)
    constant -= constant.mean()
    decoder.proj_in.bias.zero_()
    decoder.proj_in.bias[c:] = constant / constant.square().mean().sqrt()
    level = ((dim - c) / dim) ** 0.5  # the norms divide by this
    for block in decoder.transformer_blocks:
        for scale in (block.scale1, block.scale2):
            scale.fill_(OTHER_SCALE)
            scale[:c] = LATENT_SCALE
        for norm in (block.norm1, block.norm2):
            norm.weight.fill_(0.3)
            norm.weight[:c] = level / LATENT_GAIN  # latents enter with deviation 1
    norm = decoder.norm_out
    norm.weight.fill_(1.0)
    norm.weight[:c] = level / LATENT_GAIN
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
    norm.bias.copy_(-mean * gain)  # no constants left: with 192 of them, AdamW's first steps make the colour of the whole picture flicker
    n, size, depth = dim + 1, decoder.patch_size, decoder.patch_size_t
    left, right = torch.zeros(depth, n, n).double(), torch.zeros(depth, n, 3 * size * size).double()
    for (x, mask), f in zip(shots, features):
        f = torch.cat([(f - mean) * gain, torch.ones(*f.shape[:2], 1)], -1)
        weight, (height, width), t = cell_weights(mask), x.shape[3:], 0
        for i, clip in enumerate(split_clips(x)):
            for latent in range(1 + (clip.shape[2] - 1) // 4):
                for q in range(depth):
                    frame = depth * (latent - 1) + 1 + q
                    if frame < 0:
                        continue  # only the last frame of a clip's first latent is kept
                    pixels = clip[0, :, frame].view(3, height // size, size, width // size, size).permute(1, 3, 0, 2, 4).reshape(-1, 3 * size * size)
                    weighted = f[t] * weight[CLIP * i + frame][:, None]
                    left[q] += (weighted.T @ f[t]).double()
                    right[q] += (weighted.T @ pixels).double()
                t += 1
    left += 1e-4 * left.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(n).double()
    fit = torch.from_numpy(np.linalg.solve(left.numpy(), right.numpy())).float()
    fit = fit.view(depth, n, 3, size * size).permute(1, 2, 0, 3).reshape(n, -1)  # [features + 1, 3 * 4 * 8 * 8]
    decoder.proj_out.weight.copy_(fit[:-1].T)
    decoder.proj_out.bias.copy_(fit[-1])


class PixelEncoder:
    """`encode_linear` from bytes, ten times as fast: one matrix product with each latent's 4x8x8 pixels, in the order in which frames store them.

    pixel_mean, pixel_std [3]: normalisation of pixels in 0 … 1. statistics: (mean, deviation) of each channel, used to normalise the latents."""

    def __init__(self, linear, pixel_mean, pixel_std, statistics):
        index = torch.zeros(5, 8, 8, 3)
        index[1:] = torch.arange(768.0).view(4, 8, 8, 3)
        order = patches(index.permute(3, 0, 1, 2)[None])[1, 0].long()  # position of each pixel in the encoder's gathering order
        mean, std = (torch.tensor(v) for v in statistics)
        directions = torch.empty_like(linear["directions"])
        directions[:, order] = linear["directions"] / (linear["deviation"] * std)[:, None]
        directions = directions.view(-1, 4, 8, 8, 3)
        constant = -(linear["directions"] @ linear["mean"] / linear["deviation"] + mean) / std
        self.matrices = []  # for a clip's first latent, which sees one frame, and for the others
        for part in (directions[:, 3:], directions):
            shift = constant - (part * (pixel_mean / pixel_std)).flatten(1).sum(1)
            self.matrices.append(((part / (255 * pixel_std)).flatten(1).T.contiguous(), shift))

    def __call__(self, frames):
        """uint8 frames [n,h,w,3] -> normalised latents [c,t,h/8,w/8]."""
        parts = []
        for clip in torch.from_numpy(frames).split(CLIP):
            for pixels, depth, (matrix, shift) in ((clip[:1], 1, self.matrices[0]), (clip[1:1 + (len(clip) - 1) // 4 * 4], 4, self.matrices[1])):
                n, h, w, _ = pixels.shape
                cells = pixels.view(n // depth, depth, h // 8, 8, w // 8, 8, 3).permute(0, 2, 4, 1, 3, 5, 6).reshape(-1, depth * 192)
                parts.append((cells.float() @ matrix + shift).view(n // depth, h // 8, w // 8, -1))
        return torch.cat(parts).permute(3, 0, 1, 2)
