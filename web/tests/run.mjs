// The tests of the pages, in headless Chromium.
//
//     node tests/run.mjs --base-url http://localhost:8000             a shop that serves the pages itself
//     node tests/run.mjs --shop http://localhost:8000                 the pages of this folder before that shop
//
// --admin ADDRESS:PASSWORD (or SHOP_ADMIN) is an administrator; without it, requests without a token must be one's, as
// they are in the demo mode of `cargo run`. --shots DIR keeps the pictures, --only WORD runs the tests whose names have it,
// --suite speed those that look at a clock, --suite journeys the others.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { serve } from "../serve.mjs";

/** Those of speed want a machine that has nothing else to do. */
const SUITES = {
  journeys: ["buying", "people", "troubles", "account", "access", "console"],
  speed: ["scale", "speed"],
};

const { values } = parseArgs({
  options: {
    "base-url": { type: "string" },
    shop: { type: "string" },
    admin: { type: "string", default: process.env.SHOP_ADMIN ?? "" },
    shots: { type: "string", default: fileURLToPath(new URL("../../target/browser", import.meta.url)) },
    chromium: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
    only: { type: "string", default: "" },
    suite: { type: "string" },
  },
});
if ((values["base-url"] === undefined) === (values.shop === undefined)) {
  console.error("give either --base-url or --shop");
  process.exit(2);
}
let base = values["base-url"] ?? "";
let server;
if (values.shop !== undefined) {
  server = await serve({ shop: values.shop, port: 0 });
  base = `http://localhost:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}
mkdirSync(values.shots, { recursive: true });
const { settings, tests, close } = await import("./harness.mjs");
Object.assign(settings, { base: base.replace(/\/$/, ""), admin: values.admin, shots: values.shots, chromium: values.chromium });
for (const file of Object.entries(SUITES).flatMap(([name, files]) => (name === (values.suite ?? name) ? files : []))) await import(`./${file}.test.mjs`);

let failed = 0;
const chosen = tests.filter(({ name }) => name.includes(values.only));
for (const { name, run } of chosen) {
  const from = performance.now();
  try {
    await run();
    console.log(`ok     ${name} (${Math.round(performance.now() - from)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}
await close();
server?.close();
server?.closeAllConnections();
console.log(`${chosen.length - failed} of ${chosen.length} passed; pictures in ${values.shots}`);
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1;
