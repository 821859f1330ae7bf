"""Training of the transformer (`MiniMaxH3Transformer3DModel`) on cached latents, and the sampling loop for checking it.

The model puts out the clean sample (x0); the loss is the error of the velocity that follows from it. Video and audio have their
own noise levels: most often those of the same step of the two schedules, in a fifth of the batches independent ones.
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import MiniMaxH3Scheduler, MiniMaxH3Transformer3DModel

import latents
import layout
import video_vae
from training import CACHE, DEVICE, MODEL, WORLD, Average, Budget, Log, Optimizer, autocast, save

SHIFT, AUDIO_SHIFT = 4.0, 3.0  # of the two schedules, in training as in sampling
SIGMA_FLOOR = 0.05  # 1 - t never counts as less in velocities
ACTOR_WEIGHT = 2.5  # of a row that shows an actor
AUDIO_WEIGHT = 0.7
VISIBLE = 0.7  # the power of a channel's share of the picture in the loss: 1 is the error of pixels, 0 of normalised latents
IMAGE_SHARE = 0.3  # of the batches, once shots are the main fare
EVALUATIONS = 12
COMPILE_FROM_MINUTES = 20
HELD_OUT_LEVELS = (0.3, 0.6, 0.9)


def config(text_dim, audio_channels, video_channels, **sizes):
    """The transformer's config; `sizes` replace those of the model that is trained."""
    return dict(**MODEL["transformer"], attention_head_dim=64, num_refiner_layers=1,
                in_channels=video_channels, audio_in_channels=audio_channels, patch_size=(1, layout.PATCH, layout.PATCH),
                text_dim=text_dim, freq_dim=128, time_embed_hidden_dim=128, time_embed_dim=64, rope_freq_dim=10) | sizes


def build(text_dim, audio_channels, video_channels, **sizes):
    """A new transformer; the gates of its blocks start near zero, its heads at zero."""
    model = MiniMaxH3Transformer3DModel(**config(text_dim, audio_channels, video_channels, **sizes))
    for block in model.transformer_blocks:
        torch.nn.init.normal_(block.adaln_proj.linear.weight, std=0.02)
        bias = block.adaln_proj.linear.bias.data.zero_().view(3, 6, -1)
        bias[:, (2, 5)] = 0.5  # the two gates
    torch.nn.init.zeros_(model.norm_out.linear.weight)
    torch.nn.init.zeros_(model.norm_out.linear.bias)
    for head in (model.proj_out, model.audio_proj_out):
        torch.nn.init.normal_(head.weight, std=0.01)
        torch.nn.init.zeros_(head.bias)
    return model.to(DEVICE)


# ---- the training forward: the reference's modules over a batch in which each sample has its own timesteps and text length

def rotate(x, cos, sin):
    """Rotary embedding of x [b, rows, heads, head_dim]; cos, sin [b, rows, 1, rotary_dim]."""
    n = cos.shape[-1]
    head, tail = x[..., :n], x[..., n:]
    a, b = head.chunk(2, -1)
    return torch.cat([head * cos + torch.cat([-b, a], -1) * sin, tail], -1)


def attend(attention, x, mask, rotary=None):
    q, k, v = (proj(x).unflatten(-1, (attention.heads, -1)) for proj in (attention.to_q, attention.to_k, attention.to_v))
    q, k = attention.norm_q(q), attention.norm_k(k)
    if rotary is not None:
        q, k = rotate(q, *rotary), rotate(k, *rotary)
    q, k, v = (y.to(v.dtype).transpose(1, 2) for y in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return attention.to_out[0](y.transpose(1, 2).flatten(2))


def spread(table, text, audio, video):
    """Modulation rows of a batch: table [b, 2 timesteps, 3 tags, hidden] -> [b, rows, hidden]; text takes the video's time."""
    parts = ((0, layout.TEXT, text), (1, layout.AUDIO, audio), (0, layout.VIDEO, video))
    return torch.cat([table[:, t, tag, None].expand(-1, n, -1) for t, tag, n in parts if n], 1)


def forward(model, video, audio, text, text_mask, position, t_video, t_audio):
    """Outputs for video [b,nv,c], audio [b,na,c] given text [b,nt,d] (padded: text_mask [b,nt] is False there), position [b,rows,3]
    and one timestep a sample and modality, t_video and t_audio [b]. Equals the reference's forward sample by sample."""
    b, nt, na, nv = len(video), text.shape[1], audio.shape[1], video.shape[1]
    cos, sin = model.rope(position.flatten(0, 1))
    rotary = cos.view(b, -1, 1, cos.shape[-1]), sin.view(b, -1, 1, sin.shape[-1])
    padding = torch.zeros(text_mask.shape, device=text.device).masked_fill_(~text_mask, float("-inf"))
    mask = torch.cat([padding, padding.new_zeros(b, na + nv)], 1)[:, None, None]
    mask, text_only = (m.expand(-1, -1, m.shape[-1], -1) for m in (mask, padding[:, None, None]))
    x = model.context_embedder(text)
    for block in model.token_refiner.refiner_blocks:
        x = x + attend(block.attn, block.norm1(x), text_only.to(x.dtype))
        x = x + block.ff(block.norm2(x))
    x = model.token_refiner.final_norm(x)
    x = torch.cat([x.float()] + ([model.audio_proj_in(audio).float()] if na else []) + [model.proj_in(video).float()], 1)
    time = model.time_proj(torch.stack([t_video, t_audio], 1).flatten())
    time = model.time_embedder(time)
    for block in model.transformer_blocks:
        tables = [m.view(b, 2, 3, -1) for m in block.adaln_proj(time)]
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (spread(m, nt, na, nv) for m in tables)
        h = block.norm1(x) * (1 + scale_a) + shift_a
        x = x + gate_a * attend(block.attn, h, mask.to(torch.bfloat16 if torch.is_autocast_enabled(DEVICE) else h.dtype), rotary)
        h = block.norm2(x) * (1 + scale_f) + shift_f
        x = x + gate_f * block.ff(h)
    shift, scale = (m.view(b, 2, -1) for m in model.norm_out.linear(F.silu(time)).chunk(2, -1))
    x = model.norm_out.norm(x)
    sound, picture = x[:, nt:nt + na], x[:, nt + na:]
    picture = model.proj_out(picture * (1 + scale[:, :1]) + shift[:, :1])
    sound = model.audio_proj_out(sound * (1 + scale[:, 1:]) + shift[:, 1:])
    return picture, sound


# ---- training

@torch.no_grad()
def channel_weights(power=VISIBLE, shots=3):
    """How much each component of a row counts in the loss, [c*16], 1 on average: by what an error in its channel does to the decoded picture.

    Latents are normalised, so that all channels look alike to the loss; of the linear start's the first carries three fifths of an error's energy in
    pixels, and where it is wrong the edges of patches show."""
    vae = video_vae.load(CACHE / "video_vae_frozen.pt")
    mean, std = video_vae.statistics(vae)
    entries = torch.load(CACHE / "latents/held_out.pt", weights_only=False)
    generator, energy = torch.Generator().manual_seed(1), torch.zeros(mean.shape[1])
    for shot in [shot for entry in entries for shot in entry["shots"]][:7 * shots:7]:
        z = shot["video"][None, :, :2].float().to(DEVICE)
        with autocast():
            picture = video_vae.decode(vae, z * std + mean).float()
            for c in range(z.shape[1]):
                wrong = z.clone()
                wrong[:, c] += 0.25 * torch.randn(z[:, c].shape, generator=generator).to(DEVICE)
                energy[c] += float((video_vae.decode(vae, wrong * std + mean).float() - picture).square().mean())
    weights = energy**power
    return (weights / weights.mean()).repeat_interleave(layout.PATCH**2).to(DEVICE)


def shifted(u, shift):
    return shift * u / (1 + (shift - 1) * u)


def draw_levels(rng, b):
    """(sigma of video, sigma of audio), each float [b].

    Half of them lie evenly along the schedule, as sampling does: without these the last evaluation, which settles all detail, is one in thirty."""
    def along():
        return np.where(rng.random(b) < 0.5, rng.uniform(0.01, 1, b), 1 / (1 + np.exp(-rng.normal(0, 1.1, b))))
    u = along()
    other = np.where(rng.random(b) < 0.2, along(), u)
    return (torch.tensor(shifted(v, s), dtype=torch.float32, device=DEVICE) for v, s in ((u, SHIFT), (other, AUDIO_SHIFT)))


def losses(model, batch, sigma_video, sigma_audio, noise_video, noise_audio, run=forward, channels=None):
    """Mean squared velocity errors (video weighted to actors and `channels` [c*16], video plain, audio) of a batch from `latents.collate`."""
    sv, sa = sigma_video.view(-1, 1, 1), sigma_audio.view(-1, 1, 1)
    noisy_video = (1 - sv) * batch["video"] + sv * noise_video
    noisy_audio = (1 - sa) * batch["audio"] + sa * noise_audio
    with autocast():
        video, audio = run(model, noisy_video, noisy_audio, batch["text"], batch["text_mask"], batch["position"],
                               1 - sigma_video, 1 - sigma_audio)
    squared = ((video.float() - batch["video"]) / sv.clamp_min(SIGMA_FLOOR)).square()
    plain = squared.mean()
    error = (squared if channels is None else squared * channels).mean(-1)
    weight = 1 + (ACTOR_WEIGHT - 1) * batch["actor"]
    sound = ((audio.float() - batch["audio"]) / sa.clamp_min(SIGMA_FLOOR)).square().mean() if audio.shape[1] else error.new_zeros(())
    return (weight * error).sum() / weight.sum(), plain, sound


@torch.no_grad()
def held_out(model, items, channels=None):
    """{"video_0.3": …}: velocity errors at fixed noise levels over held-out shots, always with the same noise, "seen_" weighted to actors and `channels`;
    empty while there are none."""
    generator, out = torch.Generator().manual_seed(5), {}
    for sigma in HELD_OUT_LEVELS if items else ():
        sums = []
        for i in range(0, len(items), 8):
            batch = latents.collate(items[i:i + 8])
            level = torch.full((len(batch["video"]),), sigma, device=DEVICE)
            noise = [torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio")]
            sums.append([float(l) for l in losses(model, batch, level, level, *noise, channels=channels)])
        out |= {f"{name}_{sigma}": float(v) for name, v in zip(("seen", "video", "audio"), np.mean(sums, 0))}
    return out


def draw_batch(rng, items, size):
    """`size` items of neighbouring text length, so that little is padded; `items` is sorted by that length."""
    start = int(rng.integers(0, max(1, len(items) - 3 * size)))
    return [items[start + int(i)] for i in rng.choice(min(3 * size, len(items) - start), min(size, len(items)), replace=False)]


def compiled(budget_minutes):
    """`forward` for training: compiled where the budget pays for it (on a processor a minute for each of four shapes, and then 1.6 times as fast)."""
    quick = torch.compile(forward, dynamic=False)

    def run(model, video, audio, text, *rest):
        return (quick if text.shape[1] in latents.TEXT_LENGTHS else forward)(model, video, audio, text, *rest)
    return run if budget_minutes >= COMPILE_FROM_MINUTES else forward


def train(budget_minutes, resume=None, out=CACHE / "dit.pt", planner=latents.BUNDLE / "planner", image_minutes=0.0, batch_size=8,
          image_batch=12):
    """Trains until the budget is spent: `image_minutes` of mostly single frames with the sound of their shots first, whole shots after."""
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    data = latents.Dataset(planner)
    shape = state.get("shape") or data.shape()
    model = build(*shape)
    average = Average(model, 0.998)
    optimizer = Optimizer(model, lambda n: "_blocks" in n and "adaln" not in n, 3e-3, 1.5e-3, weight_decay=0.01)
    if state:
        model.load_state_dict(state["model"])
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, 2000
        if "optimizer" in state:  # not in what came out of a bundle
            optimizer.load(state["optimizer"])
    step, log, budget = state.get("step", 0), Log("dit"), Budget(budget_minutes, 40)
    first, rng, checked, saved, seen = step, np.random.default_rng([2, step]), 0.0, 0.0, []
    samples, run, channels = 0, compiled(budget_minutes), channel_weights()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, optimizer=optimizer.state(),
             step=step, shape=shape)

    while not budget.spent():
        images = data.images and (not data.shots or rng.random() < (0.8 if budget.elapsed() < 60 * image_minutes else IMAGE_SHARE))
        batch = latents.collate(draw_batch(rng, data.images if images else data.shots, image_batch if images else batch_size))
        noise = torch.randn_like(batch["video"]), torch.randn_like(batch["audio"])
        weighted, plain, sound = losses(model, batch, *draw_levels(rng, len(batch["video"])), *noise, run, channels)
        (weighted + AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.rate(step - first))
        average.update(model)
        seen.append((bool(images), float(plain.detach()), float(sound.detach())))
        step, samples = step + 1, samples + len(noise[0])
        if budget.elapsed() - checked > 150 or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = held_out(model, data.held_out, channels)
            average.swap(model)
            of = lambda image, column: float(np.mean([s[column] for s in seen if s[0] == image] or [0]))
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(), images=of(True, 1), video=of(False, 1), audio=of(False, 2),
                shots=len(data.shots), **errors)
            seen = []
            data.refresh()
        if budget.elapsed() - saved > 300:
            saved = budget.elapsed()
            write()
    write()


def load(path=CACHE / "dit.pt"):
    state = torch.load(path, map_location=DEVICE, weights_only=False)
    model = build(*state["shape"])
    model.load_state_dict(state["average"])
    return model.eval()


# ---- sampling of a batch in which each sample may be somewhere else on its way

def levels(place):
    """(sigma of video, sigma of audio) at `place` [b] on the way from noise (0) to the clean sample (1)."""
    return shifted(1 - place, SHIFT), shifted(1 - place, AUDIO_SHIFT)


def clean(model, batch, video, audio, place):
    """The model's clean samples (float32) of a batch that has come to `place`."""
    sigma_video, sigma_audio = levels(place)
    with autocast():
        outputs = forward(model, video, audio, batch["text"], batch["text_mask"], batch["position"], 1 - sigma_video, 1 - sigma_audio)
    return [x.float() for x in outputs]


def moved(sample, target, before, after):
    """A sample at noise level `before` [b] led straight towards a clean `target` until the level is `after` [b]."""
    share = ((before - after) / before.clamp_min(SIGMA_FLOOR)).view(-1, 1, 1)
    return sample + share * (target - sample)


def evaluated(model, batch, video, audio, place, span):
    """A batch's (video rows, audio rows) at `place` [b] led by one evaluation to place + span."""
    for_video, for_audio = clean(model, batch, video, audio, place)
    (a, b), (c, d) = levels(place), levels((place + span).clamp_max(1))
    return moved(video, for_video, a, c), moved(audio, for_audio, b, d)


def led(model, batch, video, audio, first, evaluations):
    """(video rows, audio rows) led from evaluation `first` of a schedule of `evaluations` to its end."""
    for k in range(first, evaluations):
        video, audio = evaluated(model, batch, video, audio, torch.full((len(video),), k / evaluations, device=DEVICE), 1 / evaluations)
    return video, audio


# ---- sampling, with the reference's forward and scheduler

def clean_to_velocity(clean, sample, timestep):
    return (clean - sample) / max(1 - float(timestep), SIGMA_FLOOR)


@torch.no_grad()
def sample(model, rows, seed, evaluations=EVALUATIONS, latent_frames=len(layout.first_frames())):
    """Normalised latents of a shot, video [c,t,h,w] and audio [c,n], from its conditioning rows (`latents.Rows`)."""
    c, ca = model.config.in_channels, model.config.audio_in_channels
    width, height = (n // 8 for n in WORLD["canvas"])
    na, generator = layout.audio_rows(), torch.Generator().manual_seed(seed)
    video = layout.patchify(torch.randn(1, c, latent_frames, height, width, generator=generator))
    audio = torch.randn(1, na, ca, generator=generator)
    text = torch.cat([rows.untimed, rows.score]).float()[None]
    position = layout.positions(len(rows.untimed), rows.starts, latent_frames, height, width, na)
    nt, nv = text.shape[1], video.shape[1]
    tags = torch.cat([torch.full((n,), tag) for n, tag in ((nt, layout.TEXT), (na, layout.AUDIO), (nv, layout.VIDEO))])
    index = torch.arange(len(tags))
    schedules = MiniMaxH3Scheduler(SHIFT), MiniMaxH3Scheduler(AUDIO_SHIFT)
    for schedule in schedules:
        schedule.set_timesteps(evaluations + 1)
    for t, ta in zip(schedules[0].timesteps, schedules[1].timesteps):
        row_time = torch.where(tags == layout.AUDIO, ta, t)
        distinct, row = torch.unique(row_time, sorted=True, return_inverse=True)
        x0, a0 = model(video, audio, text, distinct, row, tags, position, index[nt + na:], index[nt:nt + na], index[:nt], return_dict=False)
        video = schedules[0].step(clean_to_velocity(x0, video, t), t, video, return_dict=False)[0]
        audio = schedules[1].step(clean_to_velocity(a0, audio, ta), ta, audio, return_dict=False)[0]
    return layout.unpatchify(video, c, latent_frames, height, width)[0], audio[0].T
