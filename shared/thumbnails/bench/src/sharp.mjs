// The other side of the benchmark: reads commands, one a line, runs each with sharp, and writes a line for each.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

// One picture after the other on one core; and no result may be remembered from the last time.
sharp.concurrency(1);
sharp.cache(false);

let file;

const pipeline = (width, height, fit, alpha) => {
  const resized = sharp(file).resize(Number(width), Number(height), {
    fit: fit === "cover" ? "cover" : "inside",
    withoutEnlargement: true,
  });
  return alpha === "alpha" ? resized.png() : resized.jpeg({ quality: 82 });
};

const kilobytes = (name) => Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`))[1]);

const mask = (width, height) =>
  Buffer.from(`<svg width="${width}" height="${height}"><ellipse cx="50%" cy="50%" rx="48%" ry="48%"/></svg>`);

// Makes an input from a photo.
const derive = async (kind, from, to) => {
  const sized = (width, height) => sharp(from).resize(width, height, { fit: "cover" });
  const makers = {
    "jpeg-12mp": () => sized(4000, 3000).jpeg({ quality: 90 }),
    "jpeg-2mp": () => sized(1600, 1200).jpeg({ quality: 90 }),
    "jpeg-50mp": () => sized(8160, 6120).jpeg({ quality: 90 }),
    "progressive-12mp": () => sized(4000, 3000).jpeg({ quality: 90, progressive: true }),
    "png-1mp-rgba": () =>
      sized(1000, 1000).ensureAlpha().composite([{ input: mask(1000, 1000), blend: "dest-in" }]).png(),
    "png-12mp": () => sized(4000, 3000).png(),
    "png-50mp": () => sized(8160, 6120).png(),
    "webp-2mp": () => sized(1600, 1200).webp({ quality: 80 }),
    "webp-12mp": () => sized(4000, 3000).webp({ quality: 80 }),
    "gif-1mp": () => sized(1200, 900).gif(),
  };
  await makers[kind]().toFile(to);
};

const commands = {
  derive,
  load: async (path) => {
    file = readFileSync(path);
  },
  time: async (...spec) => {
    const start = process.hrtime.bigint();
    await pipeline(...spec).toBuffer();
    return (process.hrtime.bigint() - start).toString();
  },
  write: async (to, ...spec) => writeFileSync(to, await pipeline(...spec).toBuffer()),
  peak: async (...spec) => {
    writeFileSync("/proc/self/clear_refs", "5");
    const idle = kilobytes("VmRSS");
    await pipeline(...spec).toBuffer();
    return String(kilobytes("VmHWM") - idle);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split("\t");
  try {
    console.log(`ok\t${(await commands[name](...rest)) ?? ""}`);
  } catch (error) {
    console.log(`failed\t${String(error).replaceAll(/\s+/g, " ")}`);
  }
}
