// Everybody can use the pages: axe finds nothing serious, in light and dark, on a phone and magnified.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { product, putInCart, register, shot, test } from "./harness.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @param {import("playwright-core").Page} page @param {string} where */
async function check(page, where) {
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
const VIEWS = [
  ["light-desktop", { colorScheme: "light" }],
  ["dark-desktop", { colorScheme: "dark" }],
  ["light-phone", { colorScheme: "light", viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ["dark-phone", { colorScheme: "dark", viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ["magnified", { colorScheme: "light", viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }],
];

for (const [view, options] of VIEWS) {
  test(`axe finds nothing serious: ${view}`, async (page) => {
    const [one, none] = [await product(), await product({ stock: 0, image_url: null })];
    const see = async (/** @type {string} */ name, /** @type {string} */ path, /** @type {string} */ heading) => {
      if (path !== "") await page.goto(path);
      await page.getByRole("heading", { name: heading }).first().waitFor();
      await page.waitForLoadState("networkidle");
      await check(page, `${name}, ${view}`);
      await shot(page, `${name}-${view}`, name !== "home");
    };
    await see("home", "/", "New in");
    await see("find", "/find?category=kitchen", "kitchen");
    await see("nothing-found", "/find?q=qqqqqqqq", "Nothing found");
    await see("product", `/p/${one.id}`, one.name);
    await see("product-sold-out", `/p/${none.id}`, none.name);
    await see("cart-empty", "/cart", "Your cart is empty");
    await see("sign-in", "/sign-in", "Sign in");
    await page.getByLabel("E-mail").fill("nobody@example.com");
    await page.getByLabel("Password").fill("not a password of anybody");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await see("sign-in-refused", "", "Sign in");
    await see("password", "/account/password", "Forgot the password?");
    await see("not-found", "/no/such/page", "There is nothing here");
    await register(page);
    await see("account", "", "Your account");
    await putInCart(page, one);
    await putInCart(page, await product({ name: "A second thing with a rather long name, that wraps", image_url: "/pictures/prod-1.svg" }));
    await page.locator(".toast").waitFor();
    await see("cart", "/cart", "Cart");
    await see("checkout", "/checkout", "Checkout");
    await page.getByRole("button", { name: "Place order" }).click();
    await see("order", "", "Your order is confirmed");
    await see("orders", "/account/orders", "Your orders");
    await page.goto("/");
    await page.getByRole("combobox").fill("Teapot");
    await page.getByRole("option").first().waitFor();
    await check(page, `suggestions, ${view}`);
    await shot(page, `suggestions-${view}`, false);
  }, options);
}

test("who wants less motion gets none", async (page) => {
  await page.route("**/api/products*", () => new Promise(() => undefined));
  await page.goto("/");
  await page.locator(".skeleton .picture").first().waitFor();
  const names = await page.evaluate(() => [...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter(({ animationName, transitionDuration }) => animationName !== "none" || transitionDuration !== "0s").length);
  assert.equal(names, 0);
}, { reducedMotion: "reduce" });
