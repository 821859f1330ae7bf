"""Small pictures of the kinds that people have, and what Pillow reads from them: tests/goldens/pictures."""
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 24, 16


def gradient():
    """(HEIGHT, WIDTH, 3) uint8: smooth, and different at each corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 10, y * 15, 255 - x * 5 - y * 7], axis=-1).astype(np.uint8)


def png_of(rows, bit_depth, colour_type):
    """The bytes of a PNG file. rows: each row's samples as stored, without its filter byte. Pillow writes no RGB of 16 bits."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bit_depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b"")


def main(folder):
    """Writes NAME.png, NAME.jpg, NAME.webp, and NAME.rgb: width and height (little-endian int32), then the pixels."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rgb = Image.fromarray(gradient())
    alpha = Image.fromarray(np.tile(np.arange(WIDTH, dtype=np.uint8) * 10, (HEIGHT, 1)))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    rgb.save(folder / "rgb.png")
    rgba.save(folder / "rgba.png")
    rgb.convert("L").save(folder / "grey.png")
    rgba.convert("LA").save(folder / "grey_alpha.png")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(folder / "palette.png")
    rgb.convert("1").save(folder / "one_bit.png")
    wide = gradient().astype(">u2") * 256 + 100
    (folder / "sixteen_bit.png").write_bytes(png_of([row.tobytes() for row in wide], 16, 2))
    rgb.save(folder / "lossless.webp", lossless=True)
    rgb.convert("L").save(folder / "grey.jpg", quality=90)
    rgb.convert("CMYK").save(folder / "four_inks.jpg", quality=95)
    rgb.save(folder / "progressive.jpg", quality=90, progressive=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(folder / f"held_{orientation}.jpg", quality=90, exif=exif)
    for file in sorted(folder.iterdir()):
        if file.suffix == ".rgb":
            continue
        picture = ImageOps.exif_transpose(Image.open(file))
        picture = picture.convert("RGB")
        file.with_suffix(file.suffix + ".rgb").write_bytes(struct.pack("<ii", *picture.size) + picture.tobytes())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "tests/goldens/pictures")
