#!/usr/bin/env python3
"""What libvips and libjpeg-turbo make of the cases of this test, as the table that the test compares with.

In the root of the repository, where `here` is the folder of this file:

    python3 -m venv venv
    venv/bin/pip install --require-hashes -r infra/requirements/agreement.txt
    apt-get install libjpeg-turbo-progs=1:2.1.5-2            # djpeg and jpegtran, of Debian 12
    venv/bin/python $here/reference.py seeds                 # the pictures that cases are made of: seeds/
    AGREEMENT_CASES=/tmp/cases cargo test -p resize --test agreement
    venv/bin/python $here/reference.py outcomes /tmp/cases   # outcomes.txt

A case is shown when libvips reads all of its pixels with its usual options (`fail_on` is none) or, if it is a JPEG, when
djpeg does, warnings or not. libvips gives up some progressive JPEGs that libjpeg shows, and does not read what follows the
last scan, in which djpeg may meet an error. A line has the name of the case, the CRC-32 of its bytes, the outcome, and of a
picture that is shown its size and the mean red, green and blue, each times alpha, of 4 by 3 cells.
"""

import io
import pathlib
import subprocess
import sys
import zlib

import numpy
import pyvips
from PIL import Image

HERE = pathlib.Path(__file__).parent
CELLS = (4, 3)
DJPEG = "libjpeg-turbo version 2.1.5"


def main():
    match sys.argv[1:]:
        case ["seeds"]:
            seeds()
        case ["outcomes", folder]:
            outcomes(pathlib.Path(folder))
        case _:
            sys.exit(__doc__)


def outcomes(folder):
    version = subprocess.run(["djpeg", "-version"], capture_output=True, text=True).stderr
    if not version.startswith(DJPEG):
        sys.exit(f"another djpeg: {version}")
    vips = ".".join(str(pyvips.version(part)) for part in range(3))
    lines = [f"# libvips {vips}, {DJPEG}; made by reference.py"]
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        lines.append(f"{path.name} {zlib.crc32(data):08x} {outcome(data)}")
    (HERE / "outcomes.txt").write_text("\n".join(lines) + "\n")


def outcome(data):
    pixels = by_vips(data)
    if pixels is None and data[:2] == b"\xff\xd8":
        pixels = by_djpeg(data)
    if pixels is None:
        return "refused"
    height, width, _ = pixels.shape
    across, down = CELLS
    means = []
    for row in range(down):
        for column in range(across):
            top, bottom = row * height // down, (row + 1) * height // down
            left, right = column * width // across, (column + 1) * width // across
            cell = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
            means += [round(mean) for mean in cell.reshape(-1, 3).mean(axis=0)]
    return f"shown {width}x{height} {bytes(means).hex()}"


def by_vips(data):
    """Red, green and blue of every pixel, times alpha; None where libvips refuses."""
    try:
        image = pyvips.Image.new_from_buffer(data, "")
        pixels = numpy.ndarray(
            buffer=image.write_to_memory(), dtype=numpy.uint8, shape=(image.height, image.width, image.bands)
        ).astype(float)
    except pyvips.Error:
        return None
    if image.interpretation == "cmyk":
        return (255 - pixels[..., :3]) * (255 - pixels[..., 3:]) / 255
    if image.bands in (2, 4):
        pixels = pixels[..., :-1] * pixels[..., -1:] / 255
    return numpy.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def by_djpeg(data):
    """The same of a JPEG by djpeg, which ends with 2 after warnings."""
    done = subprocess.run(["djpeg", "-ppm"], input=data, capture_output=True)
    if done.returncode not in (0, 2):
        return None
    return numpy.asarray(Image.open(io.BytesIO(done.stdout)).convert("RGB")).astype(float)


def seeds():
    folder = HERE / "seeds"
    folder.mkdir(exist_ok=True)
    picture = drawing(96, 72)
    files = {}
    for name, mode, options in [
        ("baseline", "RGB", {"subsampling": 2}),
        ("whole", "RGB", {"subsampling": 0}),
        ("grey", "L", {}),
        ("restarts", "RGB", {"subsampling": 2, "restart_marker_blocks": 4}),
        ("progressive", "RGB", {"subsampling": 2, "progressive": True}),
        ("restarting", "RGB", {"subsampling": 0, "progressive": True, "restart_marker_blocks": 5}),
        ("cmyk", "CMYK", {}),
    ]:
        files[f"{name}.jpg"] = saved(picture.convert(mode), "JPEG", quality=75, **options)
    scans = folder / "scans.txt"
    scans.write_text("0: 0-63 0 0;\n1: 0-63 0 0;\n2: 0-63 0 0;\n")
    files["scans.jpg"] = jpegtran(files["baseline.jpg"], "-scans", str(scans))
    scans.unlink()
    files["ycck.jpg"] = ycck(files["cmyk.jpg"])
    files["rgb.png"] = saved(picture.resize((48, 36)), "PNG", dpi=(72, 72), pnginfo=information())
    indexed = picture.resize((48, 36)).quantize(12)
    files["palette.png"] = saved(indexed, "PNG", transparency=3)
    files["alpha.png"] = saved(faded(picture.resize((48, 36))), "PNG")
    files["interlaced.png"] = interlaced(picture.resize((48, 36)))
    files["plain.gif"] = saved(picture.quantize(16), "GIF")
    files["interlaced.gif"] = saved(picture.quantize(8), "GIF", interlace=1)
    frames = [picture.resize((64, 48)).rotate(turn).quantize(8) for turn in (0, 90, 180)]
    files["animation.gif"] = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=90, loop=0)
    files["lossy.webp"] = saved(picture, "WEBP", quality=60)
    files["lossless.webp"] = saved(picture.resize((32, 24)), "WEBP", lossless=True)
    files["alpha.webp"] = saved(faded(picture.resize((48, 36))), "WEBP", quality=60)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    print(sum(map(len, files.values())), "bytes in", len(files), "files")


def drawing(width, height):
    """Slopes, squares and some noise, so that every part has its own colours."""
    y, x = numpy.mgrid[0:height, 0:width]
    noise = numpy.random.default_rng(7).integers(-9, 10, (height, width))
    squares = ((x // 12 + y // 12) % 2) * 70
    channels = [x * 200 // width + 20 + noise, y * 200 // height + 20 + noise, 200 - x * 90 // width - squares]
    return Image.fromarray(numpy.stack([channel.clip(0, 255) for channel in channels], -1).astype("uint8"))


def faded(picture):
    """The same with an alpha that grows from left to right."""
    picture = picture.convert("RGBA")
    width, height = picture.size
    picture.putalpha(Image.fromarray(numpy.tile(numpy.linspace(90, 255, width).astype("uint8"), (height, 1))))
    return picture


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def jpegtran(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, capture_output=True, check=True).stdout


def ycck(data):
    """The planes of a CMYK that says it is YCCK: the transform is the last byte of Adobe's segment."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\x02" + data[at + 1 :]


def information():
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    information.add(b"gAMA", (45455).to_bytes(4, "big"))
    information.add(b"sBIT", b"\x08\x08\x08")
    information.add(b"bKGD", bytes(6))
    information.add(b"sRGB", b"\x00")
    return information


def interlaced(picture):
    image = pyvips.Image.new_from_array(numpy.asarray(picture))
    return image.pngsave_buffer(interlace=True, keep="none")


if __name__ == "__main__":
    main()
