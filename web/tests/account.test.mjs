import assert from "node:assert/strict";

import { PASSWORD, register, settings, shot, test, until } from "./harness.mjs";

/**
 * The token of the newest mail with that subject: the shop on this machine shows what it has written.
 *
 * @param {string} email
 * @param {RegExp} path
 */
async function linkFor(email, path) {
  return until(
    async () => {
      const list = await (await fetch(`${settings.base}/mailbox`)).text();
      const rows = list.split("<tr>").filter((row) => row.includes(email));
      for (const row of rows) {
        const href = /href="?([^"\s>]+)/.exec(row)?.[1];
        if (href === undefined) continue;
        const mail = await (await fetch(new URL(href, `${settings.base}/mailbox`))).text();
        const raw = /(?:src|href)="?([^"\s>]+)/.exec(mail)?.[1];
        const all = mail + (raw === undefined ? "" : await (await fetch(new URL(raw, `${settings.base}/mailbox/`))).text());
        const found = path.exec(all.replaceAll("&#x2F;", "/").replaceAll("&#61;", "="));
        if (found !== null) return found[0];
      }
      return undefined;
    },
    (found) => found !== undefined,
    `no mail to ${email} has ${path}`,
  );
}

test("the link of a mail confirms an address", async (page) => {
  const email = await register(page);
  await page.getByText("not confirmed yet").waitFor();
  await shot(page, "account");
  const link = await linkFor(email, /\/account\/confirm#token=[\w.-]+/);
  await page.goto(/** @type {string} */ (link));
  await page.getByRole("button", { name: "Confirm" }).waitFor();
  assert.equal(new URL(page.url()).hash, "", "the token does not stay in the address");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Your e-mail address is confirmed" }).waitFor();
  await page.goto("/account");
  await page.getByText(", confirmed.").waitFor();
});

test("a password that is forgotten is set anew by the link of a mail", async (page) => {
  const email = await register(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Forgot the password?" }).click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  const link = await linkFor(email, /\/account\/password#token=[\w.-]+/);
  await page.goto(/** @type {string} */ (link));
  await page.getByLabel("New password").fill("short");
  await page.getByRole("button", { name: "Set it" }).click();
  await page.locator(".mistake").waitFor();
  await page.getByLabel("New password").fill("eleven kettles on a hill");
  await page.getByRole("button", { name: "Set it" }).click();
  await page.getByRole("heading", { name: "Your new password is set" }).waitFor();
  await page.getByRole("link", { name: "Sign in" }).last().click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("eleven kettles on a hill");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
});

test("a link that is not whole or too old says so", async (page) => {
  await page.goto("/account/confirm");
  await page.getByRole("heading", { name: "This link is not whole" }).waitFor();
  await page.goto("/account/password#token=rp1.nonsense");
  await page.getByLabel("New password").fill("eleven kettles on a hill");
  await page.getByRole("button", { name: "Set it" }).click();
  await page.getByRole("alert").getByText("too old").waitFor();
});

test("name, address and password are changed, and the account is deleted", async (page) => {
  const email = await register(page);
  await page.getByRole("textbox", { name: "Name" }).fill("Ada King");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Your name is changed").first().waitFor();
  const section = (/** @type {string} */ name) => page.getByRole("region", { name, exact: true });
  await section("Password").getByText("Change it").click();
  await section("Password").getByLabel("Current password").fill("not my password at all");
  await section("Password").getByLabel("New password").fill("nine lamps beside a lake");
  await section("Password").getByRole("button", { name: "Change" }).click();
  await section("Password").locator(".mistake").waitFor();
  await section("Password").getByLabel("Current password").fill(PASSWORD);
  await section("Password").getByRole("button", { name: "Change" }).click();
  await page.getByText("Your password is changed").first().waitFor();
  await section("E-mail").getByText("Change it").click();
  await section("E-mail").getByLabel("New e-mail").fill(`new-${email}`);
  await section("E-mail").getByLabel("Current password").fill("nine lamps beside a lake");
  await section("E-mail").getByRole("button", { name: "Change" }).click();
  await page.getByText("Your e-mail address is changed").first().waitFor();
  await section("Delete the account").getByText("Delete it").click();
  await section("Delete the account").getByLabel("Current password").fill("nine lamps beside a lake");
  await section("Delete the account").getByRole("button", { name: "Delete for good" }).click();
  await page.getByText("Your account is deleted").first().waitFor();
  await page.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Sign in" }).waitFor();
});

test("a password that is set counts, though nobody is let in with it just then", async (page) => {
  const email = await register(page);
  await page.route("**/api/sessions", (route) => route.fulfill({ status: 429, headers: { "retry-after": "60" }, json: { message: "Too Many Requests" } }));
  const section = page.getByRole("region", { name: "Password", exact: true });
  await section.getByText("Change it").click();
  await section.getByLabel("Current password").fill(PASSWORD);
  await section.getByLabel("New password").fill("nine lamps beside a lake");
  await section.getByRole("button", { name: "Change" }).click();
  await page.locator(".toast").getByText("Your password is changed").waitFor();
  await page.locator(".toast").getByText("Sign in again").waitFor();
  await page.unroute("**/api/sessions");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("nine lamps beside a lake");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
});
