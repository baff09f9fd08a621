import { html, nothing, signal } from "../../vendor/lit.js";
import { say, show } from "../../shared/announce.js";
import { ask } from "../../shared/api.js";
import { icon } from "../../shared/icons.js";
import { money } from "../../shared/money.js";
import { go } from "../../shared/router.js";
import { forget, signIn, signOut, user } from "../../shared/session.js";
import { form } from "../../shared/form.js";
import { empty, field, notice, unreachable, when } from "../../shared/parts.js";
import { PASSWORD_HINT } from "./entry.js";

/** @typedef {import("../../shared/api.js").Schemas["User"]} User */
/** @typedef {import("../../shared/api.js").Schemas["UserStatistics"]} Statistics */

/** @type {import("../../shared/router.js").Setup} */
export const account = () => {
  const me = signal(/** @type {User | undefined} */ (undefined));
  const statistics = signal(/** @type {Statistics | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const sent = signal(false);

  async function load() {
    failure.value = undefined;
    try {
      me.value = (await ask("GET", "/users/me")).data;
    } catch (error) {
      failure.value = error;
      return;
    }
    // What was bought before is no reason to keep the account from being shown.
    statistics.value = (await ask("GET", "/users/me/stats").catch(() => undefined))?.data;
  }
  const ready = user.peek() === null ? Promise.resolve() : load();

  const name = form(async ({ name: text = "" }) => {
    me.value = (await ask("PATCH", "/users/me", { body: { name: text.trim() } })).data;
    show({ text: "Your name is changed" });
  });
  /** The API has ended all sessions: this browser goes on with a new one. @param {string} email @param {string} password @param {string} text */
  async function renewed(email, password, text) {
    try {
      await signIn(email, password);
      show({ text });
    } catch {
      forget();
      await go("/sign-in");
      show({ text: `${text}. Sign in again.` });
    }
  }
  const email = form(async ({ email: text = "", current = "" }, element) => {
    me.value = (await ask("PATCH", "/users/me", { body: { email: text.trim(), current_password: current } })).data;
    element.reset();
    await renewed(text.trim(), current, "Your e-mail address is changed, and a mail is on its way to the new one");
  });
  const password = form(async ({ password: text = "", current = "" }, element) => {
    me.value = (await ask("PATCH", "/users/me", { body: { password: text, current_password: current } })).data;
    element.reset();
    await renewed(me.value?.email ?? "", text, "Your password is changed, and all other sessions are over");
  });
  const confirmation = form(async () => {
    await ask("POST", "/users/me/email-confirmation");
    sent.value = true;
    say("A mail is on its way");
  });
  const deletion = form(async ({ current = "" }) => {
    await ask("DELETE", "/users/me", { body: { current_password: current } });
    forget();
    await go("/", { replace: true });
    show({ text: "Your account is deleted" });
  });

  async function leave() {
    await signOut();
    await go("/", { replace: true });
    say("You are signed out");
  }

  /** @param {User} one */
  const found = (one) => html`<div class="inner narrow">
    <div class="title-row"><h1>Your account</h1><button class="button quiet small" @click=${leave}>${icon("log-out")}Sign out</button></div>
    <div class="facts">
      <a class="fact" href="/account/orders"><span class="quiet-text">Orders</span><strong>${statistics.value?.orders_placed ?? "–"}</strong><span class="go">See them ${icon("chevron-right")}</span></a>
      <div class="fact"><span class="quiet-text">Spent</span><strong>${statistics.value === undefined || statistics.value.amount_spent.length === 0 ? "–" : statistics.value.amount_spent.map(({ amount, currency }) => money(Number(amount), currency)).join(", ")}</strong></div>
      <div class="fact"><span class="quiet-text">With us since</span><strong>${when(one.created_at).split(",").slice(0, 2).join(",")}</strong></div>
    </div>
    ${one.email_confirmed
      ? nothing
      : html`<form @submit=${confirmation.submit}>${notice("info", sent.value ? html`A mail is on its way to <strong>${one.email}</strong>.` : html`Your e-mail address is not confirmed yet. <button class="link">Send the mail again</button>`)}${confirmation.trouble()}</form>`}
    <section class="panel" aria-labelledby="name-heading"><h2 id="name-heading">Name</h2>
      <form class="stack" @submit=${name.submit}>
        ${field({ name: "name", label: "Name", value: one.name, autocomplete: "name", max: 100, mistake: name.about("/name") })}
        ${name.trouble(["/name"])}${name.button("Save", "Saving")}</form></section>
    <section class="panel" aria-labelledby="email-heading"><h2 id="email-heading">E-mail</h2>
      <p>It is <strong>${one.email}</strong>${one.email_confirmed ? ", confirmed" : ""}.</p>
      <details ?open=${email.busy.value}><summary>Change it</summary><form class="stack" @submit=${email.submit}>
        ${field({ name: "email", label: "New e-mail", type: "email", autocomplete: "email", mistake: email.about("/email") })}
        ${current("email-current", email.about("/current_password"))}
        ${email.trouble(["/email", "/current_password"])}${email.button("Change", "Changing")}</form></details></section>
    <section class="panel" aria-labelledby="password-heading"><h2 id="password-heading">Password</h2>
      <details><summary>Change it</summary><form class="stack" @submit=${password.submit}>
        ${current("password-current", password.about("/current_password"))}
        ${field({ name: "password", label: "New password", type: "password", autocomplete: "new-password", max: 512, hint: PASSWORD_HINT, mistake: password.about("/password") })}
        ${password.trouble(["/password", "/current_password"])}${password.button("Change", "Changing")}</form></details></section>
    <section class="panel" aria-labelledby="delete-heading"><h2 id="delete-heading">Delete the account</h2>
      <p>Your name, address and password are erased. Your orders stay, and name nobody.</p>
      <details><summary>Delete it</summary><form class="stack" @submit=${deletion.submit}>
        ${current("delete-current", deletion.about("/current_password"))}
        ${deletion.trouble(["/current_password"])}${deletion.button("Delete for good", "Deleting")}</form></details></section>
  </div>`;

  return {
    title: () => "Your account",
    ready,
    view: () => {
      if (user.value === null) {
        return empty({
          heading: "You are not signed in",
          text: "With an account your orders are kept together, on every device.",
          sign: "user",
          action: html`<p class="actions"><a class="button" href="/sign-in">Sign in</a><a class="button quiet" href="/register">Make an account</a></p>`,
        });
      }
      if (failure.value !== undefined) return unreachable(load, 1);
      if (me.value === undefined) return html`<div class="inner narrow"><h1>Your account</h1><div class="skeleton"><span class="bone tall"></span><span class="bone tall"></span></div></div>`;
      return found(me.value);
    },
  };
};

/** @param {string} id @param {string | undefined} mistake */
const current = (id, mistake) => html`<div class="field"><label for=${id}>Current password</label>
  <input id=${id} name="current" type="password" required maxlength="512" autocomplete="current-password" aria-invalid=${mistake ? "true" : "false"} aria-describedby=${mistake ? `${id}-mistake` : nothing} />
  ${mistake ? html`<p class="mistake" id="${id}-mistake">${mistake}</p>` : nothing}</div>`;
