// Everybody can use the pages: axe finds nothing serious, in light and dark, on a phone and magnified.

import assert from "node:assert/strict";

import { product, putInCart, register, shot, test } from "./harness.mjs";
import { VIEWS, check } from "./rules.mjs";

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
