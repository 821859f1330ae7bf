"""The video autoencoder (`AutoencoderKLMiniMaxH3`: 8x in space, 4x in time, 96 channels, ViT decoder).

`fit_linear_start` initialises it in closed form (video_init.py) from the principal components of patches and measures the latents' statistics. The encoder is
final from then on. `train` trains the decoder alone: on rendered shots whose latents carry a little noise, or also on the transformer's latents
(decoder_pairs.py).
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLMiniMaxH3

from common.training import CACHE, DEVICE, EMA, MODEL, PIXEL_MEAN, PIXEL_STD, SHARDS, Budget, Log, autocast, save
from networks import layout, video_init
from prompts import grammar_shots
from storybook import renderer

LATENT_CHANNELS = 96
CONFIG = dict(
    latent_channels=LATENT_CHANNELS, block_out_channels=(16, 96, *[video_init.last_level(LATENT_CHANNELS)] * 2), layers_per_block=1,
    spatial_downsample_factors=(2, 2, 2, 1), temporal_downsample_factors=(1, 2, 2, 1), norm_num_groups=8,
    **MODEL["video_decoder"], decoder_attention_head_dim=64, decoder_ffn_mult=3,
    decoder_num_register_tokens=4, clip_length=layout.CLIP, token_drop=3,
    latents_mean=(0.0,) * LATENT_CHANNELS, latents_std=(1.0,) * LATENT_CHANNELS)
LINEAR = CACHE / "linear.pt"  # the encoder in closed form (video_init.encode_linear) and the latents' statistics
STARTED, FINAL = CACHE / "video_vae_frozen.pt", CACHE / "video_vae_final.pt"
START_SHOTS, DECODER_SHOTS = 80, 20  # shots drawn to fit the components, and the decoder's output layer
ACTOR_WEIGHT = 6.0  # weight of actor pixels in the loss; backdrop: 1
BORDER_WEIGHT = 3.0  # weight of gradients across the border of two latents' patches
SHOT_GRID = (len(layout.first_frames()), renderer.HEIGHT // 8, renderer.WIDTH // 8)  # latents of a whole shot: t, h, w
WINDOWS = ((64, 64), (64, 112), (96, 64), (128, 64))  # height, width
BATCH = 8 if DEVICE == "cuda" else 1  # per step: whole shots on a GPU, mostly windows on a CPU
LATENT_NOISE = 0.08  # largest noise on the decoder's input, in standard deviations of a channel
RATE, WARMUP_STEPS = 2e-4, 150  # peak learning rate; a long warm-up protects the linear start
SLOW_SHARE = 0.2  # learning rate of the layers that carry the linear start, as a share of RATE
EMA_DECAY, RESUMED_EMA_STEPS = 0.995, 1000  # averages about the last 200 steps; a resumed EMA is past its warm-up (EMA.update)
WHOLE_SHARE = 0.25  # share of CPU steps on a whole shot: attention over a window differs from attention over the picture
ACTOR_WINDOW_SHARE = 0.65  # share of windows placed on an actor
EVALUATED_SHOTS, LOG_SECONDS = 8, 30


def build():
    """A new autoencoder; video_init.initialise sets its weights."""
    model = AutoencoderKLMiniMaxH3(**CONFIG)
    model.disable_tiling()
    torch.nn.init.normal_(model.decoder.register_tokens, std=0.02)
    return model.to(DEVICE)


def to_model(frames, device=DEVICE):
    """uint8 [n,H,W,3] RGB (array or tensor) -> float [1,3,n,H,W], ImageNet-normalised."""
    x = (torch.as_tensor(frames).to(device).float() / 255 - PIXEL_MEAN.to(device)) / PIXEL_STD.to(device)
    return x.permute(3, 0, 1, 2)[None].contiguous()


def to_pixels(x):
    """float [3,n,H,W] -> uint8 [n,H,W,3]."""
    x = x.float().permute(1, 2, 3, 0) * PIXEL_STD.to(x.device) + PIXEL_MEAN.to(x.device)
    return (x.clamp(0, 1) * 255 + 0.5).byte().cpu().numpy()


def moments(model, x):
    """(mean, log variance) of the latents, as the reference's `encode` computes them. The reference pads a short last clip to 17 frames and cuts the latents
    again; the encoder is causal, so encoding only the frames that exist gives the same latents."""
    out = torch.cat([model.quant_conv(model.encoder(part)) for part in x.split(layout.CLIP, dim=2)], dim=2)
    mean, log_variance = out.float().chunk(2, dim=1)
    return mean, log_variance.clamp(-30, 20)


def latent_statistics(model):
    """Mean and standard deviation [1,c,1,1,1] of the latent channels."""
    return [torch.tensor(v, device=DEVICE).view(1, -1, 1, 1, 1) for v in (model.config.latents_mean, model.config.latents_std)]


def axis_coordinates(size, start, count):
    """The decoder's coordinates of `count` latents from `start` on an axis of `size` latents."""
    return 2 * (torch.arange(start, start + count, device=DEVICE) + 0.5) / size - 1


def decode(model, z, corners=None):
    """Decodes z [b,c,t,h,w] to all of the decoder's frames, 4 for each latent frame.

    The reference normalises rotary coordinates by the size of its input, so a window decoded on its own would get other coordinates than within the whole
    shot. With `corners`, the (t, y, x) of each window's first latent, a window gets the coordinates it has in the whole shot."""
    if corners is None:
        return model.decoder(model.post_quant_conv(z))
    decoder, (b, _, t, h, w) = model.decoder, z.shape
    x = decoder.proj_in(model.post_quant_conv(z).flatten(2).transpose(1, 2))
    extra = torch.cat([decoder.register_tokens.expand(b, -1, -1).to(x.dtype), torch.zeros_like(x[:, :1])], 1)
    coordinates = torch.stack([
        torch.stack(torch.meshgrid(*(axis_coordinates(size, start, count) for size, start, count in zip(SHOT_GRID, corner, (t, h, w))),
                                   indexing="ij"), -1).flatten(0, 2) for corner in corners])
    rotary = decoder.rope(torch.cat([coordinates, coordinates.new_zeros(b, extra.shape[1], 3)], 1))
    x = torch.cat([x, extra], 1)
    for block in decoder.transformer_blocks:
        x = block(x, rotary)
    x = decoder.proj_out(decoder.norm_out(x))[:, :t * h * w]
    size, depth = decoder.patch_size, decoder.patch_size_t
    x = x.view(b, t, h, w, 3, depth, size, size).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return x.reshape(b, 3, t * depth, h * size, w * size)


def drop_leading_frames(y):
    """Drops the first three of each clip's 20 decoded frames [b,3,n,H,W], as the reference does: the first latent of a clip covers one frame only."""
    return torch.cat([part[:, :, 3:] for part in y.split(layout.CLIP + 3, dim=2)], dim=2)


def border_weights(size, device):
    """Weights [size - 1] of the gradients between neighbouring pixels: BORDER_WEIGHT across the border of two 8-pixel patches, else 1."""
    return torch.where(torch.arange(1, size, device=device) % 8 == 0, BORDER_WEIGHT, 1.0)


def reconstruction_loss(y, x, mask):
    """L1 + squared error + blurred colour + gradients in space and time, actor pixels weighted up. y, x [b,3,n,H,W], mask [b,1,n,H,W]."""
    weight = 1 + (ACTOR_WEIGHT - 1) * mask
    weight = weight / weight.mean()
    d = y.float() - x
    pixel = (weight * (d.abs() + 0.5 * d.square())).mean()
    flat = F.avg_pool2d((weight * d).transpose(1, 2).flatten(0, 1), 4)
    across = (weight[..., 1:] * border_weights(d.shape[-1], d.device) * (d[..., 1:] - d[..., :-1]).abs()).mean()
    down = (weight[..., 1:, :] * border_weights(d.shape[-2], d.device)[:, None] * (d[..., 1:, :] - d[..., :-1, :]).abs()).mean()
    later = (weight[:, :, 1:] * (d[:, :, 1:] - d[:, :, :-1]).abs()).mean() if d.shape[2] > 1 else 0.0
    return pixel + 0.5 * flat.abs().mean() + 0.25 * (across + down) + 0.75 * later


def random_shot(rng):
    """A random rendered shot: frames uint8 [n,H,W,3], mask [n,H,W]."""
    seed = int(rng.integers(2**31))
    _, plan = grammar_shots.sample_shots(rng)
    index = int(rng.integers(len(plan["shots"])))
    return renderer.render_shot(plan, index, seed)[:2]


def random_window(rng, mask, height, width):
    """The corner (y, x), in pixels and a multiple of 8, of a random window; ACTOR_WINDOW_SHARE of windows contain an actor's pixel."""
    y, x = int(rng.integers(renderer.HEIGHT - height + 1)), int(rng.integers(renderer.WIDTH - width + 1))
    rows, columns = np.nonzero(mask[int(rng.integers(len(mask)))])
    if len(rows) and rng.random() < ACTOR_WINDOW_SHARE:
        i = int(rng.integers(len(rows)))
        y = int(np.clip(rows[i] - rng.integers(height), 0, renderer.HEIGHT - height))
        x = int(np.clip(columns[i] - rng.integers(width), 0, renderer.WIDTH - width))
    return y // 8 * 8, x // 8 * 8


def psnr(pairs):
    """PSNR in dB over [(frames, true frames, actor mask)]: (whole frames, actor pixels)."""
    errors = []
    for made, frames, mask in pairs:
        d = (made.astype(np.float32) - frames) ** 2
        errors.append((d.mean(), d[mask > 0].mean() if (mask > 0).any() else np.nan))
    return tuple(float(10 * np.log10(255**2 / v)) for v in np.nanmean(np.array(errors), axis=0))


def load(path=FINAL):
    """The averaged model of a checkpoint, in evaluation mode."""
    state = torch.load(path, map_location=DEVICE, weights_only=False)
    model = build()
    model.load_state_dict(state["average"], strict=True)
    model.register_to_config(latents_mean=state["latents"][0], latents_std=state["latents"][1])
    return model.eval()


def fit_linear_start():
    """Writes LINEAR (the encoder in closed form and the latents' statistics, fitted on drawn shots) and STARTED (the autoencoder initialised with it). Keeps
    an existing LINEAR; does nothing if a decoder for it exists as well."""
    if LINEAR.exists() and (STARTED.exists() or FINAL.exists()):
        return
    torch.manual_seed(5)
    rng, shots = np.random.default_rng(5), []
    for _ in range(DECODER_SHOTS if LINEAR.exists() else START_SHOTS):
        frames, mask = random_shot(rng)
        shots.append((to_model(frames, "cpu"), torch.from_numpy(mask > 0).float()[None, None]))
    if not LINEAR.exists():
        linear = video_init.fit_linear(shots, LATENT_CHANNELS)
        z = torch.cat([video_init.encode_linear(linear, x) for x, _ in shots], 2)[0].flatten(1)
        LINEAR.parent.mkdir(parents=True, exist_ok=True)
        torch.save(linear | {"statistics": (z.mean(1).tolist(), z.std(1).tolist())}, LINEAR)
    linear = torch.load(LINEAR)
    model = build().cpu()
    video_init.initialise(model, linear, shots)
    save(STARTED, average=model.state_dict(), latents=linear["statistics"], step=0)
    x = to_model(random_shot(rng)[0], "cpu")
    print("closed form vs. encoder, RMS error:", float((moments(model, x)[0] - video_init.encode_linear(linear, x)).square().mean().sqrt()))


class Shots:
    """Shots that kept their pixels in the shards of latents.py, in memory of DEVICE: frames uint8 [n,H,W,3], masks [n,H,W], latents [c,t,h,w]."""

    def __init__(self, kind="shots"):
        self.kind, self.known, self.frames, self.masks, self.latents = kind, set(), [], [], []
        self.refresh()

    def refresh(self, most=30):
        """Loads at most `most` shards that appeared since the last call."""
        new = [p for p in sorted(SHARDS.glob(f"{self.kind}_*.pt")) if p.name not in self.known][:most]
        self.known |= {p.name for p in new}
        for shot in (shot for p in new for film in torch.load(p, weights_only=False) for shot in film["shots"] if "frames" in shot):
            self.frames.append(torch.from_numpy(shot["frames"]).to(DEVICE))
            self.masks.append(torch.from_numpy(np.unpackbits(shot["mask"], axis=-1)).to(DEVICE))
            self.latents.append(shot["video"].to(DEVICE))

    def batch(self, rng, size, whole):
        """`size` random shots, or windows of them: pixels [b,3,n,h,w], mask [b,1,n,h,w], normalised latents [b,c,t,h/8,w/8], and the windows' corners (t, y,
        x) in latents, None for whole shots."""
        pixels, masks, latents, corners = [], [], [], []
        height, width = (renderer.HEIGHT, renderer.WIDTH) if whole else WINDOWS[int(rng.integers(len(WINDOWS)))]
        for i in rng.integers(0, len(self.frames), size):
            y, x = (0, 0) if whole else random_window(rng, self.masks[i].cpu().numpy(), height, width)
            pixels.append(to_model(self.frames[i][:, y:y + height, x:x + width]))
            masks.append(self.masks[i][:, y:y + height, x:x + width].float())
            latents.append(self.latents[i][:, :, y // 8:(y + height) // 8, x // 8:(x + width) // 8].float())
            corners.append((0, y // 8, x // 8))
        return torch.cat(pixels), torch.stack(masks)[:, None], torch.stack(latents), None if whole else corners


def train(budget_minutes, resume=None, out=FINAL, made=None):
    """Trains the decoder until the budget is spent and returns `out`, which is also written every LOG_SECONDS. made: `Shots` to train on instead of the
    shards' (decoder_pairs.build_pairs)."""
    state = torch.load(resume or STARTED, map_location=DEVICE, weights_only=False)
    model = build()
    model.load_state_dict(state.get("model", state["average"]))
    model.requires_grad_(False)
    for part in (model.decoder, model.post_quant_conv):
        part.requires_grad_(True)
    mean, std = (torch.tensor(v, device=DEVICE).view(1, -1, 1, 1, 1) for v in state["latents"])
    average = EMA(model, EMA_DECAY)
    slow = [p for n, p in model.named_parameters() if p.requires_grad and ("proj_in" in n or "post_quant_conv" in n)]  # layers that carry the linear start
    fast = [p for n, p in model.named_parameters() if p.requires_grad and not ("proj_in" in n or "post_quant_conv" in n)]
    optimizer = torch.optim.AdamW([{"params": fast, "share": 1.0}, {"params": slow, "share": SLOW_SHARE}], RATE, betas=(0.9, 0.95), weight_decay=0.0)
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, RESUMED_EMA_STEPS
    shots, held_out = made or Shots(), Shots("held_out")
    step = first = state.get("step", 0)
    log, budget, rng, checked, seen = Log("video_vae"), Budget(budget_minutes, WARMUP_STEPS), np.random.default_rng([1, step]), 0.0, []

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, optimizer=optimizer.state_dict(), step=step,
             latents=state["latents"])

    @torch.no_grad()
    def evaluate():
        """PSNR in dB on held-out shots: (whole frames, actor pixels)."""
        pairs = []
        for frames, mask, z in list(zip(held_out.frames, held_out.masks, held_out.latents))[:EVALUATED_SHOTS]:
            with autocast():
                y = drop_leading_frames(decode(model, z[None].float() * std + mean))
            pairs.append((to_pixels(y[0]), frames.cpu().numpy(), mask.cpu().numpy()))
        return psnr(pairs)

    while not budget.spent():
        x, mask, z, corners = shots.batch(rng, BATCH, DEVICE == "cuda" or rng.random() < WHOLE_SHARE)
        z = z + torch.randn_like(z) * LATENT_NOISE * float(rng.uniform())
        with autocast():
            y = drop_leading_frames(decode(model, z * std + mean, corners))
        loss = reconstruction_loss(y, x, mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(fast + slow, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = RATE * group["share"] * budget.lr_factor(step - first)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(model)
        seen.append(loss.detach())
        step += 1
        if budget.elapsed() - checked > LOG_SECONDS or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            whole, actor = evaluate()
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, psnr=whole, psnr_actor=actor, loss=float(torch.stack(seen).mean()), shots=len(shots.frames))
            seen = []
            write()
            if made is None:
                shots.refresh()
    write()
    return out
