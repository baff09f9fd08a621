// Serves the pages as `get-page` does, from the same two tables (headers.json, routes.json), before a shop that runs
// somewhere else: a change to a page is there at once, and nothing is compiled.
//
//     node serve.mjs --shop http://localhost:8000 --port 8080

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** @param {string} name */
const table = (name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));

/** What get-page holds: every file that has a media type, compressed once. */
function readFiles() {
  const routes = table("routes.json");
  /** @type {Map<string, { body: Buffer, packed: Buffer, type: string, etag: string }>} */
  const files = new Map();
  const build = createHash("sha256");
  const folders = [...new Set(routes.files.flatMap((/** @type {any} */ one) => one.folders))].sort();
  for (const folder of folders) {
    const names = readdirSync(join(FOLDER, folder), { recursive: true, encoding: "utf8" }).sort();
    for (const name of names) {
      const type = routes.media_types[extname(name)];
      if (type === undefined) continue;
      const body = readFileSync(join(FOLDER, folder, name));
      build.update(`${folder}/${name}\0`).update(body);
      files.set(`${folder}/${name}`, { body, type, packed: body, etag: "" });
    }
  }
  const id = build.digest("hex").slice(0, 12);
  for (const [name, file] of files) {
    // The one thing that a page is told when it is built: where its scripts are.
    if (name.endsWith(".html")) file.body = Buffer.from(file.body.toString().replaceAll("{build}", id));
    file.packed = brotliCompressSync(file.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    file.etag = `"${createHash("sha256").update(file.body).digest("hex").slice(0, 16)}"`;
  }
  return { id, files, routes, headers: table("headers.json") };
}

/** @type {{ signature: string, read: ReturnType<typeof readFiles> } | undefined} */
let held;

/** What is in the folder now: read again only when a file has changed. */
function current() {
  const served = readdirSync(FOLDER, { withFileTypes: true }).filter((one) => one.isDirectory() && !/^(node_modules|tests|types)$/.test(one.name));
  const within = served.flatMap(({ name }) => readdirSync(join(FOLDER, name), { recursive: true, encoding: "utf8" }).map((file) => join(name, file)));
  const names = [...within, "headers.json", "routes.json"];
  const signature = names.map((name) => `${name} ${statSync(join(FOLDER, name)).mtimeMs}`).join("\n");
  if (held?.signature !== signature) held = { signature, read: readFiles() };
  return held.read;
}

/** @param {unknown} value */
const line = (value, /** @type {string} */ name) =>
  Array.isArray(value) ? value.join(name === "permissions-policy" ? ", " : "; ") : String(value);

/** @param {Record<string, unknown>} headers */
const lines = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, line(value, name)]));

/** @param {string} pattern @param {string} path */
function matches(pattern, path) {
  const [wanted, given] = [pattern.split("/"), path.replace(/(?<=.)\/$/, "").split("/")];
  return wanted.length === given.length && wanted.every((part, at) => part === given[at] || (part === "{id}" && given[at]));
}

/**
 * @param {{ shop: string, port: number }} options
 * @returns {Promise<import("node:http").Server>}
 */
export function serve({ shop, port }) {
  const upstream = new URL(shop);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (/^\/(api|mailbox|docs|openapi\.json)(\/|$)/.test(path)) {
      const headers = { ...request.headers, host: upstream.host };
      // The shop refuses pages of other origins, and this one is another to it.
      if (headers.origin !== undefined) headers.origin = upstream.origin;
      const ask = httpRequest(new URL(request.url ?? "/", upstream), { method: request.method, headers });
      ask.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      ask.on("error", () => response.writeHead(502).end());
      request.pipe(ask);
      return;
    }
    const { id, files, routes, headers } = current();
    let file;
    let status = 200;
    let own = headers.file;
    let lifetime = headers.page["cache-control"];
    let link;
    const asset = /^\/(?:assets\/([^/]+)|(?=pictures\/))\/?(.+)$/.exec(path);
    if (path.startsWith("/assets/") || path.startsWith("/pictures/")) {
      const kind = routes.files[path.startsWith("/assets/") ? 0 : 1];
      const name = asset?.[2] ?? "";
      if (kind.folders.includes(name.split("/")[0]) && !name.endsWith(".html") && (asset?.[1] ?? id) === id) {
        file = files.get(decodeURIComponent(name));
      }
      if (file === undefined) {
        response.writeHead(404, { ...lines(headers.every), "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
        response.end("There is no such file.\n");
        return;
      }
      lifetime = headers.lifetime[kind.lifetime];
    } else {
      const page = routes.pages.find((/** @type {any} */ one) => matches(one.path, path));
      status = page === undefined ? routes.not_found.status : 200;
      file = files.get((page ?? routes.not_found).file);
      own = { ...headers.page, ...headers[page?.headers] };
      // A page's own module and data begin to come with the page, and not when the first script has asked for them.
      const early = [];
      if (page?.module !== undefined) early.push(`</assets/${id}/${page.module}>; rel=modulepreload`);
      const one = /^[A-Za-z0-9_.-]+$/.exec(path.split("/")[2] ?? "")?.[0];
      if (page?.data !== undefined && (one !== undefined || !page.data.includes("{id}"))) {
        early.push(`<${page.data.replace("{id}", one)}>; rel=preload; as=fetch; crossorigin=anonymous`);
      }
      if (early.length > 0) link = early.join(", ");
    }
    if (file === undefined) throw new Error(`${path} is in routes.json and not in the folder`);
    const packs = /\bbr\b/.test(String(request.headers["accept-encoding"] ?? ""));
    const tag = packs ? file.etag.replace(/"$/, '-br"') : file.etag;
    const all = {
      ...lines(headers.every),
      ...lines(own),
      // A shop on this machine gives addresses for files on this host, whatever the page's is called.
      "content-security-policy": lines(own)["content-security-policy"]?.replace("{uploads}", `http://localhost:${upstream.port || 80}`) ?? "",
      "cache-control": lifetime,
      "content-type": file.type,
      etag: tag,
      ...(link !== undefined && { link }),
      vary: "accept-encoding",
    };
    if (status === 200 && request.headers["if-none-match"] === tag) {
      response.writeHead(304, all).end();
      return;
    }
    const body = packs ? file.packed : file.body;
    response.writeHead(status, { ...all, ...(packs && { "content-encoding": "br" }), "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { shop: { type: "string", default: "http://localhost:8000" }, port: { type: "string", default: "8080" } },
  });
  await serve({ shop: values.shop, port: Number(values.port) });
  console.log(`http://localhost:${values.port} shows the pages of this folder, with the API of ${values.shop}`);
}
