// What holds for every page: axe finds nothing serious in it, and it is not wider than the window.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** A name that somebody gives. */
export const HTML = "<img src=x onerror=alert(1)>";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @param {import("playwright-core").Page} page @param {string} where */
export async function check(page, where) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined))).then(() => undefined));
  // By the debugger's protocol, which the policy of the page does not hold.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] });
    return violations.map((/** @type {any} */ one) => ({ id: one.id, impact: one.impact, nodes: one.nodes.slice(0, 3).map((/** @type {any} */ node) => `${node.html} ${node.failureSummary}`) }));
  });
  const grave = found.filter((/** @type {any} */ { impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(grave, [], where);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${where} is ${wide} px too wide`);
}

/** @type {[string, import("playwright-core").BrowserContextOptions][]} */
export const VIEWS = [
  ["light-desktop", { colorScheme: "light" }],
  ["dark-desktop", { colorScheme: "dark" }],
  ["light-phone", { colorScheme: "light", viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ["dark-phone", { colorScheme: "dark", viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ["magnified", { colorScheme: "light", viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }],
];
