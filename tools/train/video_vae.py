"""Training of the video autoencoder (`AutoencoderKLMiniMaxH3`: 8x in space, 4x in time, ViT decoder).

Two stages. First encoder and decoder together, on single images and on whole shots mixed from the start; with a budget of 0
both stay what `video_init` makes them, the principal components of patches. Then, with the encoder frozen (so that latents may be cached
for the transformer), the decoder alone, on latents with a little noise.
"""

import copy
import functools
import types

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLMiniMaxH3

import grammar_shots
import layout
import picture
import video_init
from training import CACHE, DEVICE, EVAL_SEED, GPU_SCALE, MODEL, PIXEL_MEAN, PIXEL_STD, Average, Budget, Log, Optimizer, autocast, produced, save

LATENT_CHANNELS = 24
CONFIG = dict(
    latent_channels=LATENT_CHANNELS, block_out_channels=(16, 32, 64, 64), layers_per_block=1,
    spatial_downsample_factors=(2, 2, 2, 1), temporal_downsample_factors=(1, 2, 2, 1), norm_num_groups=8,
    **MODEL["video_decoder"], decoder_attention_head_dim=64, decoder_ffn_mult=3,
    decoder_num_register_tokens=4, clip_length=layout.CLIP, token_drop=3,
    latents_mean=(0.0,) * LATENT_CHANNELS, latents_std=(1.0,) * LATENT_CHANNELS)
ACTOR_WEIGHT = 6.0  # of an actor's pixel in the loss, against 1 of the backdrop
KL_WEIGHT = 2e-5
SHOT_GRID = (len(layout.first_frames()), picture.HEIGHT // 8, picture.WIDTH // 8)  # latents of a shot
WINDOWS = ((64, 64), (64, 112), (96, 64), (128, 64))  # height, width
HEAD_COUNT = 2
HEADS = ((64, 64), (64, 112), (96, 96), (128, 64))
LATENT_NOISE = 0.08  # in the second stage, in units of a channel's standard deviation


def build():
    """A new autoencoder whose decoder blocks start open: the class leaves scales and registers at zero."""
    model = AutoencoderKLMiniMaxH3(**CONFIG)
    model.disable_tiling()
    for block in model.decoder.transformer_blocks:  # video_init takes another scale
        torch.nn.init.constant_(block.scale1, 0.3)
        torch.nn.init.constant_(block.scale2, 0.3)
    torch.nn.init.normal_(model.decoder.register_tokens, std=0.02)
    torch.nn.init.constant_(model.quant_conv.bias[LATENT_CHANNELS:], -6.0)  # little posterior noise, or it drowns the first signal
    return model.to(DEVICE)


def to_model(frames):
    """uint8 [n,H,W,3] RGB -> float [1,3,n,H,W], ImageNet-normalised."""
    x = (torch.from_numpy(frames).to(DEVICE).float() / 255 - PIXEL_MEAN.to(DEVICE)) / PIXEL_STD.to(DEVICE)
    return x.permute(3, 0, 1, 2)[None].contiguous()


def to_pixels(x):
    """float [3,n,H,W] -> uint8 [n,H,W,3]."""
    x = x.float().permute(1, 2, 3, 0) * PIXEL_STD.to(x.device) + PIXEL_MEAN.to(x.device)
    return (x.clamp(0, 1) * 255 + 0.5).byte().cpu().numpy()


def moments(model, x):
    """(mean, log variance) of the latents, as the reference's encode: clips of 17 frames and the head of one more, which
    the reference pads to 17 and cuts again; the encoder is causal, so 5 frames give the same two latents."""
    out = torch.cat([model.quant_conv(model.encoder(part)) for part in x.split(layout.CLIP, dim=2)], dim=2)
    mean, log_variance = out.float().chunk(2, dim=1)
    return mean, log_variance.clamp(-30, 20)


def quick(model):
    """What `moments` needs of a model that is only to encode, the same latents bit for bit in a fifth of the time: residual branches that end in zeros
    (all of them, after the linear start) are left out."""
    encoder = copy.deepcopy(model.encoder).requires_grad_(False)
    for block in encoder.down_blocks:
        for i, branch in enumerate(block.resnets):
            if not branch.conv2.weight.any() and not branch.conv2.bias.any():
                block.resnets[i] = torch.nn.Identity() if branch.conv_shortcut is None else branch.conv_shortcut
    return types.SimpleNamespace(encoder=encoder, quant_conv=model.quant_conv, config=model.config)


def statistics(model):
    """Mean and standard deviation [1,c,1,1,1] of the latents' channels."""
    return [torch.tensor(v, device=DEVICE).view(1, -1, 1, 1, 1) for v in (model.config.latents_mean, model.config.latents_std)]


def grid(size, start, count):
    """The decoder's coordinates of `count` latents from `start` on an axis of `size`."""
    return 2 * (torch.arange(start, start + count, device=DEVICE) + 0.5) / size - 1


def decode(model, z, corners=None):
    """All frames that the decoder makes of z [b,c,t,h,w]: 4 for each latent frame.

    The decoder's rotary coordinates are normalised by its grid, so that a piece of a shot, decoded by the class itself, would have
    another geometry. Here a piece takes the coordinates that it has in the whole shot: corners are the (t, y, x) of its first latent."""
    if corners is None:
        return model.decoder(model.post_quant_conv(z))
    decoder, (b, _, t, h, w) = model.decoder, z.shape
    x = decoder.proj_in(model.post_quant_conv(z).flatten(2).transpose(1, 2))
    extra = torch.cat([decoder.register_tokens.expand(b, -1, -1).to(x.dtype), torch.zeros_like(x[:, :1])], 1)
    coordinates = torch.stack([
        torch.stack(torch.meshgrid(*(grid(size, start, count) for size, start, count in zip(SHOT_GRID, corner, (t, h, w))),
                                   indexing="ij"), -1).flatten(0, 2) for corner in corners])
    rotary = decoder.rope(torch.cat([coordinates, coordinates.new_zeros(b, extra.shape[1], 3)], 1))
    x = torch.cat([x, extra], 1)
    for block in decoder.transformer_blocks:
        x = block(x, rotary)
    x = decoder.proj_out(decoder.norm_out(x))[:, :t * h * w]
    size, depth = decoder.patch_size, decoder.patch_size_t
    x = x.view(b, t, h, w, 3, depth, size, size).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return x.reshape(b, 3, t * depth, h * size, w * size)


def kept(y):
    """Of the 4 frames of each latent those that the reference keeps: all but the first three of each clip's 20."""
    return torch.cat([part[:, :, 3:] for part in y.split(layout.CLIP + 3, dim=2)], dim=2)


def reconstruction_loss(y, x, mask):
    """L1 + squared error + blurred colour + gradients in space and time, each weighted up on actor pixels. y, x [b,3,n,H,W], mask [b,1,n,H,W]."""
    weight = 1 + (ACTOR_WEIGHT - 1) * mask
    weight = weight / weight.mean()
    d = y.float() - x
    pixel = (weight * (d.abs() + 0.5 * d.square())).mean()
    flat = F.avg_pool2d((weight * d).transpose(1, 2).flatten(0, 1), 4)
    across = (weight[..., 1:] * (d[..., 1:] - d[..., :-1]).abs()).mean()
    down = (weight[..., 1:, :] * (d[..., 1:, :] - d[..., :-1, :]).abs()).mean()
    later = (weight[:, :, 1:] * (d[:, :, 1:] - d[:, :, :-1]).abs()).mean() if d.shape[2] > 1 else 0.0
    return pixel + 0.5 * flat.abs().mean() + 0.25 * (across + down) + 0.75 * later


def render(rng, frame_indices=None):
    plan, shot, phones = grammar_shots.random_shot(rng)
    seed = int(rng.integers(2**31))
    frames, mask, truth = picture.render_shot(plan, shot, seed, phones=phones, frame_indices=frame_indices)
    return frames, mask, truth


def window(rng, mask, height, width):
    """A random window (y, x) of the picture, most often one with an actor's pixel inside."""
    y, x = int(rng.integers(picture.HEIGHT - height + 1)), int(rng.integers(picture.WIDTH - width + 1))
    rows, columns = np.nonzero(mask[int(rng.integers(len(mask)))])
    if len(rows) and rng.random() < 0.65:
        i = int(rng.integers(len(rows)))
        y = int(np.clip(rows[i] - rng.integers(height), 0, picture.HEIGHT - height))
        x = int(np.clip(columns[i] - rng.integers(width), 0, picture.WIDTH - width))
    return y // 8 * 8, x // 8 * 8


def drawn(rng, kind):
    """A random shot for a batch of `kind`: its frames and mask, where its first latent frame lies in a shot, and None for latents that the encoder is to make."""
    if kind != "head":
        return *render(rng)[:2], 0, None
    start, clip = int(rng.integers(picture.FRAMES - 4)), int(rng.integers(len(layout.clips())))
    return *render(rng, range(start, start + 5))[:2], clip * len(layout.FRAMES_PER_LATENT), None


def batch(rng, kind, scale=1, draw=drawn):
    """`scale` times the usual number of samples: pixels [b,3,n,h,w], actor mask [b,1,n,h,w], corners (t, y, x) of each sample in latents, and latents
    [b,c,t,h,w] where `draw` gives some, else None.

    kind: "head" (windows of 5 frames, which the causal encoder makes the first two latents of a clip: the cheapest way to see many
    pictures), "window" (a window of a whole shot: a tenth of a shot's cost, as attention grows with the square) or "shot"."""
    size, count = {"head": (HEADS, HEAD_COUNT), "window": (WINDOWS, 1), "shot": (((picture.HEIGHT, picture.WIDTH),), 1)}[kind]
    height, width = size[int(rng.integers(len(size)))]
    pixels, masks, corners, latents = [], [], [], []
    for _ in range(count * scale):
        frames, mask, first, z = draw(rng, kind)
        y, x = window(rng, mask, height, width)
        pixels.append(to_model(frames[:, y:y + height, x:x + width]))
        masks.append(mask[:, y:y + height, x:x + width] > 0)
        corners.append((first, y // 8, x // 8))
        if z is not None:
            latents.append(z[:, :, y // 8:(y + height) // 8, x // 8:(x + width) // 8])
    return torch.cat(pixels), torch.from_numpy(np.stack(masks)).to(DEVICE).float()[:, None], corners, torch.stack(latents) if latents else None


def random_batch(kinds, shares, scale, rng):
    """(kind, *batch) of a kind drawn by its share."""
    kind = str(rng.choice(kinds, p=shares))
    return kind, *batch(rng, kind, scale)


def psnr(pairs):
    """PSNR in dB over [(frames, true frames, actor mask)]: whole frames, actor pixels."""
    errors = []
    for made, frames, mask in pairs:
        d = (made.astype(np.float32) - frames) ** 2
        errors.append((d.mean(), d[mask > 0].mean() if (mask > 0).any() else np.nan))
    return tuple(float(10 * np.log10(255**2 / v)) for v in np.nanmean(np.array(errors), axis=0))


@torch.no_grad()
def evaluate(model, count=8, seed=EVAL_SEED):
    """PSNR in dB over held-out shots: whole frames, actor pixels."""
    pairs = []
    for i in range(count):
        frames, mask, _ = render(np.random.default_rng(seed + i))
        with autocast():
            y = kept(decode(model, moments(model, to_model(frames))[0]))
        pairs.append((to_pixels(y[0]), frames, mask))
    return psnr(pairs)


@torch.no_grad()
def measure_latents(model, count=24, seed=7):
    """Mean and standard deviation of each latent channel over shots: the config's latents_mean and latents_std."""
    z = []
    for i in range(count):
        with autocast():
            z.append(moments(model, to_model(render(np.random.default_rng([seed, i]))[0]))[0])
    z = torch.cat(z).transpose(0, 1).flatten(1)
    return z.mean(1).tolist(), z.std(1).tolist()


def load(path=CACHE / "video_vae.pt"):
    """The averaged model of a checkpoint, ready for use."""
    state = torch.load(path, map_location=DEVICE, weights_only=False)
    model = build()
    model.load_state_dict(state["average"], strict=True)
    if "latents" in state:
        model.register_to_config(latents_mean=state["latents"][0], latents_std=state["latents"][1])
    return model.eval()


def freeze(path=CACHE / "video_vae.pt", out=CACHE / "video_vae_frozen.pt"):
    """Ends the first stage: averaged weights, latent statistics measured; the encoder never changes after this."""
    model = load(path)
    latents = measure_latents(model)
    save(out, average=model.state_dict(), latents=latents)
    print("latents std", [round(s, 3) for s in latents[1]])


def start_linear(model, rng, count=60):
    """Starts a new model from the principal components of some windows (video_init)."""
    clips, masks = [], []
    for _ in range(count):
        frames, mask, _ = render(rng, range(layout.CLIP))
        y, x = window(rng, mask, 64, 112)
        clips.append(to_model(frames[:, y:y + 64, x:x + 112]))
        masks.append(torch.from_numpy(mask[:, y:y + 64, x:x + 112] > 0).to(DEVICE).float()[None, None])
    video_init.linear_start(model, clips, masks)


def train(budget_minutes, resume=None, out=CACHE / "video_vae.pt", decoder_only=False, shot_share=0.0, head_share=0.6, muon=False, rate=1e-3, log_every=120,
          draw=random_batch, also=lambda model: {}):
    """Trains until the budget is spent; writes `out` every five minutes and at the end. `draw` gives the batches, `also` more figures for the log."""
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    model = build()
    if state:
        model.load_state_dict(state.get("model", state["average"]))
    else:
        start_linear(model, np.random.default_rng(5))
    if decoder_only:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    eye = quick(model) if decoder_only else model
    scale = torch.tensor(state["latents"][1], device=DEVICE).view(1, -1, 1, 1, 1) if "latents" in state else None
    average = Average(model, 0.995)
    optimizer = Optimizer(model, lambda n: muon and "transformer_blocks" in n, 2e-3, rate)
    if "optimizer" in state and state.get("decoder_only", False) == decoder_only:
        optimizer.load(state["optimizer"])
        average.values = {n: state["average"][n].clone() for n in average.values}
        average.steps = 1000
    step, log, budget = state.get("step", 0), Log("video_vae"), Budget(budget_minutes)
    source = produced(functools.partial(draw, ("head", "shot", "window"), (head_share, shot_share, 1 - head_share - shot_share), GPU_SCALE), [1, step])
    first, checked, saved, losses, samples = step, 0.0, 0.0, [], 0

    def write():
        average.swap(model)
        averaged = {k: v.clone() for k, v in model.state_dict().items()}
        average.swap(model)
        extra = {"latents": state["latents"]} if "latents" in state else {}
        save(out, model=model.state_dict(), average=averaged, optimizer=optimizer.state(), step=step, decoder_only=decoder_only, **extra)

    while not budget.spent():
        kind, x, mask, corners, z = next(source)
        x, mask = x.to(DEVICE), mask.to(DEVICE)
        with autocast():
            with torch.set_grad_enabled(not decoder_only):
                mean, log_variance = (None, None) if z is not None else moments(eye, x)
            if z is not None:
                z = z.to(DEVICE)
            elif decoder_only:
                z = mean + torch.randn_like(mean) * scale * LATENT_NOISE * float(torch.rand(()))
            else:
                z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
            y = kept(decode(model, z, None if kind.endswith("shot") else corners))
        loss = reconstruction_loss(y, x, mask)
        total = loss
        if not decoder_only:
            total = loss + KL_WEIGHT * 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        total.backward()
        optimizer.step(budget.rate(step - first))
        average.update(model)
        losses.append((kind, float(loss.detach())))
        samples += len(x)
        step += 1
        if budget.elapsed() - checked > log_every or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            whole, actor = evaluate(model, 3)
            more = also(model)
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, psnr=whole, psnr_actor=actor, samples_per_second=samples / budget.elapsed(), **more,
                **{kind: float(np.mean([l for k, l in losses if k == kind])) for kind in sorted({k for k, _ in losses})})
            losses = []
        if budget.elapsed() - saved > 300:
            saved = budget.elapsed()
            write()
    write()
