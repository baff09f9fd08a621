// What the browser tests share: a browser, a page that tolerates no violation of its policy, and the shop's API.

import assert from "node:assert/strict";
import { join } from "node:path";

import { chromium } from "playwright-core";

export const settings = { base: "", admin: "", shots: "", chromium: "" };
/** @type {{ name: string, run: () => Promise<void> }[]} */
export const tests = [];

/** @type {import("playwright-core").Browser | undefined} */
let browser;
async function start() {
  browser ??= await chromium.launch({ executablePath: settings.chromium, args: ["--no-sandbox"] });
  return browser;
}
export const close = async () => browser?.close();

/**
 * A test with a browser of its own: no cookie, no cart, nothing of another test. At its end nothing may have broken the
 * policy of the pages, or have thrown.
 *
 * @param {string} name
 * @param {(page: import("playwright-core").Page, context: import("playwright-core").BrowserContext) => Promise<void>} body
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export function test(name, body, options = {}) {
  tests.push({
    name,
    run: async () => {
      const context = await (await start()).newContext({ baseURL: settings.base, viewport: { width: 1280, height: 900 }, ...options });
      context.setDefaultTimeout(15_000);
      /** @type {string[]} */
      const broken = [];
      await context.exposeFunction("__broken", (/** @type {string} */ what) => broken.push(what));
      await context.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) => {
          /** @type {any} */ (window).__broken(`policy: ${event.violatedDirective} by ${event.blockedURI || event.sample} at ${event.sourceFile}:${event.lineNumber}`);
        });
      });
      context.on("weberror", (error) => broken.push(`thrown: ${error.error().stack ?? error.error()}`));
      context.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource/.test(message.text())) broken.push(`console: ${message.text()}`);
      });
      try {
        await body(await context.newPage(), context);
        assert.deepEqual(broken, []);
      } finally {
        await context.close();
      }
    },
  });
}

/** @param {import("playwright-core").Page} page @param {string} name */
export const shot = (page, name, fullPage = true) => page.screenshot({ path: join(settings.shots, `${name}.png`), fullPage, animations: "disabled" });

let number = 0;
/** A name of our own: the tests leave each other's products alone, and those of runs before. @param {string} word */
export const unique = (word) => `${word}-${Date.now().toString(36)}${(number++).toString(36)}`;

/** @type {Promise<string | undefined> | undefined} */
let token;
let renewAt = 0;
async function adminToken() {
  if (settings.admin === "") return undefined;
  const at = settings.admin.indexOf(":");
  const answer = await fetch(`${settings.base}/api/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: settings.admin.slice(0, at), password: settings.admin.slice(at + 1) }),
  });
  assert.equal(answer.status, 201, "the administrator is not let in");
  return (await answer.json()).access_token;
}

/**
 * Asks the API as an administrator.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
export async function admin(method, path, body) {
  // Good for a quarter of an hour, and all tests may take longer.
  if (Date.now() > renewAt) token = undefined;
  if (token === undefined) renewAt = Date.now() + 300_000;
  token ??= adminToken();
  const bearer = await token;
  const answer = await fetch(`${settings.base}/api${path}`, {
    method,
    headers: {
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** A product of the test's own. @param {Record<string, unknown>} [with_] */
export async function product(with_ = {}) {
  const word = unique("zebu");
  return admin("POST", "/products", {
    name: `Teapot ${word}`,
    description: "Cast iron, holds a litre.",
    category: "kitchen",
    image_url: "/pictures/gooseneck-kettle.svg",
    price: 24.5,
    currency: "USD",
    stock: 20,
    ...with_,
  });
}

/** A guest's order of one of a product, through the API. @param {string} id */
export async function placeOrder(id) {
  const answer = await fetch(`${settings.base}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ items: [{ product_id: id, quantity: 1 }] }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}

/**
 * Asks until it is so.
 *
 * @template T
 * @param {() => Promise<T>} read
 * @param {(value: T) => boolean} isSo
 * @param {string} what
 * @param {number} [seconds]
 */
export async function until(read, isSo, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (isSo(value)) return value;
    assert.ok(Date.now() < end, `${what}: it is still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** How many of a product are for sale, and set aside. @param {string} id */
export const stockOf = (id) => admin("GET", `/products/${id}/stock`);

/** Puts a product into the cart by its page. @param {import("playwright-core").Page} page @param {{ id: string }} product */
export async function putInCart(page, { id }) {
  await page.goto(`/p/${id}`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".toast").getByRole("link", { name: "To the cart" }).waitFor();
}

export const PASSWORD = "seven teapots in the rain";
/** Makes an account on its page. @param {import("playwright-core").Page} page */
export async function register(page, name = "Ada Lovelace") {
  const email = `${unique("ada")}@example.com`;
  await page.goto("/register");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
  return email;
}
