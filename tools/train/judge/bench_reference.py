"""Times one transformer evaluation and one VAE decode of a bundle in diffusers, for comparison with `h3_bench`.

    python tools/train/run.py bench-reference BUNDLE [--device cpu|cuda] [--threads 2] [--precision fp32|bf16] [--text-rows 120] [--frames 22] [--repeats 9]

Same shapes and output format as h3_bench; median of the repeats. bf16 is the reference's own mixed precision (`torch_dtype=bfloat16`).
"""
import argparse
import json
import pathlib
import statistics
import time

import torch
from diffusers import AutoencoderKLMiniMaxH3, MiniMaxH3Transformer3DModel

from networks import layout


def milliseconds(call, repeats: int) -> float:
    """Median duration over the repeats, after one warm-up call."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    call()
    times = []
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        call()
        wait()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def latent_frames(config, frames: int) -> int:
    """Latent frames of `frames` = clip_length * n + rest pixel frames; the VAE drops `token_drop` latents of the last clip."""
    per_clip = -(-config.clip_length // 4)
    return frames // config.clip_length * per_clip + per_clip - config.token_drop


def transformer_call(bundle: pathlib.Path, dtype: torch.dtype, text_rows: int, frames: int, meta: dict, vae_config,
                     device: str):
    """(rows of the sequence, a function that runs one evaluation)."""
    model = MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer", torch_dtype=dtype).eval().to(device)
    c, (width, height) = model.config, meta["canvas"]
    layout.PATCH = c.patch_size[-1]  # the bundle's, whatever is trained today
    ratio = 2 ** sum(f == 2 for f in vae_config.spatial_downsample_factors)
    count, audio = latent_frames(vae_config, frames), layout.audio_rows(frames, meta["fps"])
    position = layout.positions(text_rows, [], count, height // ratio, width // ratio, audio, meta["fps"])
    video = len(position) - text_rows - audio
    tags = torch.tensor([layout.TEXT] * text_rows + [layout.AUDIO] * audio + [layout.VIDEO] * video)
    index, generator = torch.arange(len(tags)), torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    inputs = dict(hidden_states=draw(1, video, c.in_channels * layout.PATCH ** 2), audio_hidden_states=draw(1, audio, c.audio_in_channels),
                  encoder_hidden_states=draw(1, text_rows, c.text_dim).to(dtype), timestep=torch.tensor([0.25, 0.5]),
                  timestep_indices=(tags == layout.AUDIO).long(), token_tags=tags, position_ids=position, text_indices=index[:text_rows],
                  audio_indices=index[text_rows:text_rows + audio], video_indices=index[text_rows + audio:])
    inputs = {name: value.to(device) for name, value in inputs.items()}
    return len(tags), lambda: model(**inputs, return_dict=False)


def decode_call(bundle: pathlib.Path, dtype: torch.dtype, frames: int, meta: dict, device: str):
    """(the VAE's config, a function that decodes one shot)."""
    model = AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae", torch_dtype=dtype).eval().to(device)
    (width, height), ratio = meta["canvas"], model.spatial_compression_ratio
    latents = torch.randn(1, model.config.latent_channels, latent_frames(model.config, frames), height // ratio, width // ratio,
                          generator=torch.Generator().manual_seed(1)).to(device)
    return model.config, lambda: model.decode(latents, return_dict=False)


@torch.inference_mode()
def main() -> None:
    """`run.py bench-reference`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--text-rows", type=int, default=120)
    parser.add_argument("--frames", type=int, default=22)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    meta = json.loads((options.bundle / "fabula.json").read_text())
    vae_config, decode = decode_call(options.bundle, dtype, options.frames, meta, options.device)
    rows, step = transformer_call(options.bundle, dtype, options.text_rows, options.frames, meta, vae_config, options.device)
    where = f"{options.precision}, " + (f"{options.threads} threads" if options.device == "cpu" else "CUDA")
    print(f"| diffusers | transformer step, {rows} rows | {where} | {milliseconds(step, options.repeats):.1f} ms |")
    print(f"| diffusers | VAE decode, {options.frames} frames | {where} | {milliseconds(decode, options.repeats):.1f} ms |")
