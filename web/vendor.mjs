// Makes vendor/ of the modules of other people that the pages use, and writes down what they are.
//
//     npm ci && node vendor.mjs      bundle the packages of package-lock.json, which npm holds to their checksums
//     node vendor.mjs --check        hold the files that are here to vendor/vendor.json: needs no package and no network
//
// An import map would have to stand in the page, which the policy of our pages forbids. So there is one file for what is
// always used together, imported by its relative path, and fetched by one request.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const FOLDER = join(HERE, "vendor");
const LIST = join(FOLDER, "vendor.json");

/** What each file exports, and from which package. @type {Record<string, Record<string, string[]>>} */
const FILES = {
  "lit.js": {
    "lit-html": ["html", "nothing", "render", "svg"],
    "lit-html/directives/live.js": ["live"],
    "@preact/signals-core": ["Signal", "batch", "computed", "effect", "signal", "untracked"],
  },
  "uplot.js": { uplot: ["default as uPlot"] },
};
/** What is taken as it is. @type {Record<string, [string, string]>} */
const COPIES = { "uplot.css": ["uplot", "dist/uPlot.min.css"] };

/** @param {string} module */
const packageOf = (module) => module.split("/").slice(0, module.startsWith("@") ? 2 : 1).join("/");

/** @param {string | Uint8Array} bytes */
const checksum = (bytes) => `sha256-${createHash("sha256").update(bytes).digest("base64")}`;

async function make() {
  const { build, version } = await import("esbuild");
  const lock = JSON.parse(await readFile(join(HERE, "package-lock.json"), "utf8")).packages;
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
  /** @type {Record<string, { checksum: string, of: string[] }>} */
  const files = {};
  /** @type {Set<string>} */
  const names = new Set();
  for (const [file, modules] of Object.entries(FILES)) {
    const source = Object.entries(modules)
      .map(([module, exports]) => `export { ${exports.join(", ")} } from ${JSON.stringify(module)};\n`)
      .join("");
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: HERE },
      bundle: true,
      format: "esm",
      legalComments: "none",
      minify: true,
      target: "es2022",
      write: false,
    });
    const of = [...new Set(Object.keys(modules).map(packageOf))];
    for (const name of of) names.add(name);
    const head = `/* ${of.map((name) => `${name} ${lock[`node_modules/${name}`].version}`).join(", ")}: see vendor.json and LICENSES */\n`;
    const text = head + outputFiles?.[0]?.text;
    await writeFile(join(FOLDER, file), text);
    files[file] = { checksum: checksum(text), of };
    // The same for tsc, which finds the declarations in the packages.
    const declarations = `// Made by vendor.mjs.\n${source}`;
    await writeFile(join(FOLDER, file.replace(/\.js$/, ".d.ts")), declarations);
    files[file.replace(/\.js$/, ".d.ts")] = { checksum: checksum(declarations), of };
  }
  for (const [file, [name, path]] of Object.entries(COPIES)) {
    const bytes = await readFile(join(HERE, "node_modules", name, path));
    await writeFile(join(FOLDER, file), bytes);
    files[file] = { checksum: checksum(bytes), of: [name] };
    names.add(name);
  }
  const packages = [];
  let licences = "";
  for (const name of [...names].sort()) {
    const { version: pinned, integrity } = lock[`node_modules/${name}`];
    const { license } = JSON.parse(await readFile(join(HERE, "node_modules", name, "package.json"), "utf8"));
    packages.push({ name, version: pinned, licence: license, page: `https://www.npmjs.com/package/${name}/v/${pinned}`, integrity });
    licences += `${name} ${pinned} (${license})\n\n${(await readFile(join(HERE, "node_modules", name, "LICENSE"), "utf8")).trim()}\n\n\n`;
  }
  licences = `${licences.trim()}\n`;
  await writeFile(join(FOLDER, "LICENSES"), licences);
  files.LICENSES = { checksum: checksum(licences), of: [...names].sort() };
  await writeFile(LIST, `${JSON.stringify({ made_by: `node web/vendor.mjs, with esbuild ${version}`, packages, files }, null, 2)}\n`);
}

async function check() {
  const { files } = JSON.parse(await readFile(LIST, "utf8"));
  const found = (await readdir(FOLDER)).filter((file) => file !== "vendor.json");
  const wrong = [];
  for (const file of new Set([...Object.keys(files), ...found])) {
    const bytes = await readFile(join(FOLDER, file)).catch(() => undefined);
    if (bytes === undefined || checksum(bytes) !== files[file]?.checksum) wrong.push(file);
  }
  if (wrong.length > 0) throw new Error(`not as vendor.json has them: ${wrong.join(", ")}`);
}

if (!process.argv.includes("--check")) await make();
await check();
