// Fetches the modules of other people that the pages use, into vendor/, and writes down what they are.
//
//     node vendor.mjs            fetch, check and write
//     node vendor.mjs --check    only hold the files that are here to vendor/vendor.json: needs no network
//
// A package is taken at the version below, by the integrity that the registry signed for it, and its files are copied
// byte for byte: they are ES modules that import each other by relative paths, so nothing has to be bundled. Their
// declarations come with them, for `tsc`; they are not served.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "vendor");
const LIST = join(FOLDER, "vendor.json");

/** @type {{ name: string, version: string, folder: string, licence: string, integrity: string, files: Record<string, string> }[]} */
const PACKAGES = [
  {
    name: "lit-html",
    version: "3.3.3",
    folder: "lit-html",
    licence: "BSD-3-Clause",
    integrity: "sha512-el8M6jK2o3RXBnrSHX3ZKrsN8zEV63pSExTO1wYJz7QndGYZ8353e2a5PPX+qHe2aGayfnchQmkAojaWAREOIA==",
    files: Object.fromEntries(
      [
        "lit-html",
        "directive",
        "directive-helpers",
        "async-directive",
        "directives/live",
        "directives/ref",
        "directives/repeat",
      ]
        .flatMap((module) => [`${module}.js`, `${module}.d.ts`])
        .concat("LICENSE")
        .map((file) => [file, file]),
    ),
  },
  {
    name: "@preact/signals-core",
    version: "1.14.5",
    folder: "signals-core",
    licence: "MIT",
    integrity: "sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPXE/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
    files: {
      "dist/signals-core.module.js": "signals-core.js",
      "dist/signals-core.d.ts": "signals-core.d.ts",
      LICENSE: "LICENSE",
    },
  },
];

/**
 * @param {Uint8Array} bytes
 * @param {string} algorithm
 */
const digest = (bytes, algorithm) => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;

/**
 * The files of a package: a tar archive is a row of 512-byte headers, each with its file behind it.
 *
 * @param {Buffer} archive
 */
function* unpack(archive) {
  for (let at = 0; at + 512 <= archive.length; ) {
    /** @param {number} from @param {number} length */
    const field = (from, length) => archive.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const name = field(0, 100);
    if (name === "") return;
    const size = Number.parseInt(field(124, 12), 8);
    yield { name: name.replace(/^[^/]*\//, ""), bytes: archive.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

async function fetchAll() {
  await rm(FOLDER, { recursive: true, force: true });
  const list = [];
  for (const { name, version, folder, licence, integrity, files } of PACKAGES) {
    const source = `https://registry.npmjs.org/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
    const answer = await fetch(source);
    if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
    const archive = Buffer.from(await answer.arrayBuffer());
    if (digest(archive, "sha512") !== integrity) {
      throw new Error(`${name} ${version} is ${digest(archive, "sha512")}, and not ${integrity}`);
    }
    /** @type {Record<string, string>} */
    const written = {};
    for (const file of unpack(gunzipSync(archive))) {
      const target = files[file.name];
      if (target === undefined) continue;
      await mkdir(dirname(join(FOLDER, folder, target)), { recursive: true });
      await writeFile(join(FOLDER, folder, target), file.bytes);
      written[`${folder}/${target}`] = digest(file.bytes, "sha256");
    }
    const missing = Object.values(files).filter((file) => !(`${folder}/${file}` in written));
    if (missing.length > 0) throw new Error(`${name} ${version} has no ${missing.join(", ")}`);
    list.push({ name, version, licence, source, integrity, files: Object.fromEntries(Object.entries(written).sort()) });
  }
  await writeFile(LIST, `${JSON.stringify({ made_by: "node web/vendor.mjs", packages: list }, null, 2)}\n`);
}

async function check() {
  const { packages } = JSON.parse(await readFile(LIST, "utf8"));
  /** @type {Map<string, string>} */
  const expected = new Map(packages.flatMap((/** @type {any} */ one) => Object.entries(one.files)));
  const found = (await readdir(FOLDER, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length + 1))
    .filter((file) => file !== "vendor.json");
  const wrong = [...new Set([...expected.keys(), ...found])];
  const mistakes = [];
  for (const file of wrong) {
    const bytes = await readFile(join(FOLDER, file)).catch(() => undefined);
    if (bytes === undefined || digest(bytes, "sha256") !== expected.get(file)) mistakes.push(file);
  }
  for (const { name, version, integrity } of packages) {
    const pinned = PACKAGES.find((one) => one.name === name);
    if (pinned?.version !== version || pinned?.integrity !== integrity) mistakes.push(name);
  }
  if (mistakes.length > 0) throw new Error(`not as vendor.json has them: ${mistakes.join(", ")}`);
}

if (process.argv.includes("--check")) await check();
else {
  await fetchAll();
  await check();
}
