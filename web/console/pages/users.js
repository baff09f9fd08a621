import { html, nothing, signal } from "../../vendor/lit.js";
import { show } from "../../shared/announce.js";
import { Refused, ask } from "../../shared/api.js";
import { form } from "../../shared/form.js";
import { money } from "../../shared/money.js";
import { empty, unreachable } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { operator } from "../operator.js";
import { rows } from "../rows.js";
import { facts, mailLink, moment, orderLink, sign, userLink } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */

/** @type {import("../../shared/router.js").Setup} */
export const users = (_params, url) => {
  const email = url.searchParams.get("email") ?? "";
  const list = rows(() => (email ? `/users?email=${encodeURIComponent(email)}` : "/users?limit=50"));
  const ready = list.read();
  return {
    title: () => "Users",
    ready,
    view: () => html`<div class="title-row"><h1>Users</h1>${email ? html`<p>With the address <strong>${email}</strong>. <a href="/console/users">All</a></p>` : nothing}</div>
      ${list.view(
        ["Since", "User", "Name", "E-mail", "Role"],
        (/** @type {Schemas["User"]} */ one) => html`<tr><td>${moment(one.created_at)}</td><td>${userLink(one.id)}</td><td class="text">${one.name}</td><td>${one.email}${one.email_confirmed ? "" : html` <span class="quiet-text">not confirmed</span>`}</td><td>${sign(one.role)}</td></tr>`,
        email ? "Nobody has this address." : "Nobody has an account yet.",
      )}`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const user = ({ id = "" }) => {
  const path = `/users/${encodeURIComponent(id)}`;
  const shown = signal(/** @type {Schemas["User"] | null | undefined} */ (undefined));
  const statistics = signal(/** @type {Schemas["UserStatistics"] | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const orders = rows(() => `/orders?limit=20&customer_id=${encodeURIComponent(id)}`);
  const mails = rows(() => `/emails?user_id=${encodeURIComponent(id)}`);

  async function load() {
    failure.value = undefined;
    try {
      shown.value = (await ask("GET", path)).data;
    } catch (error) {
      if (error instanceof Refused && error.status < 429) shown.value = null;
      else failure.value = error;
    }
    // Orders stay when an account is deleted, and so are shown without one.
    void orders.read();
    void mails.read();
    statistics.value = (await ask("GET", `${path}/stats`).catch(() => undefined))?.data;
  }
  const ready = load();

  const role = form(async () => {
    const next = shown.peek()?.role === "admin" ? "customer" : "admin";
    if (!confirm(next === "admin" ? "Make this user an administrator?" : "Take the administrator’s role away?")) return;
    shown.value = (await ask("PUT", `${path}/role`, { body: { role: next } })).data;
    show({ text: `The user is ${next === "admin" ? "an administrator" : "a customer"} now` });
  });
  const deletion = form(async () => {
    if (!confirm("Delete this account? Name, address and password are erased; orders stay.")) return;
    await ask("DELETE", path);
    show({ text: "The account is deleted" });
    await go("/console/users", { replace: true });
  });

  return {
    title: () => shown.value?.name ?? "User",
    ready,
    view: () => {
      const one = shown.value;
      if (failure.value !== undefined) return unreachable(load, 1, "The shop does not answer.");
      if (one === null && orders.all.value?.length === 0) return empty({ heading: "There is no such user", text: "The account was deleted, or the id is mistyped.", sign: "user", action: html`<a class="button" href="/console/users">All users</a>` });
      const spent = statistics.value?.amount_spent.map(({ amount, currency }) => money(Number(amount), currency)).join(", ");
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/users">Users</a> / <span class="mono">${id}</span></nav>
        <div class="title-row"><h1>${one === null ? "A deleted account" : (one?.name ?? "Loading")} ${one ? sign(one.role) : nothing}</h1><a href="/console/stories/${encodeURIComponent(id)}">Their story</a></div>
        <div class="halves">
          <div><section class="panel" aria-labelledby="orders"><h2 id="orders">Orders</h2>${orders.view(["Placed", "Order", "Status", "#Total"], (/** @type {Schemas["Order"]} */ order) => html`<tr><td>${moment(order.created_at)}</td><td>${orderLink(order.id)}</td><td>${sign(order.status)}</td><td class="number">${money(Number(order.total_amount), order.currency)}</td></tr>`, "None yet.")}</section>
            <section class="panel" aria-labelledby="mails"><h2 id="mails">Mails</h2>${mails.view(["Made", "About", "Status"], (/** @type {Schemas["Email"]} */ mail) => html`<tr><td>${moment(mail.created_at)}</td><td>${mailLink(mail)}</td><td>${sign(mail.status)}</td></tr>`, "None yet.")}</section></div>
          <div>${one
            ? html`<section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([
                ["E-mail", html`${one.email}${one.email_confirmed ? "" : ", not confirmed"}`],
                ["Since", moment(one.created_at)],
                ["Orders placed", statistics.value?.orders_placed],
                ["Spent", spent || undefined],
                ["Last order", statistics.value?.last_order ? orderLink(statistics.value.last_order.id) : undefined],
              ])}</section>
              <section class="panel" aria-labelledby="moves"><h2 id="moves">Moves</h2>
                <form class="move quiet-form" @submit=${role.submit}>${role.button(one.role === "admin" ? "Make a customer" : "Make an administrator", "Changing")}</form>${role.trouble()}
                ${one.id === operator.value?.id ? nothing : html`<form class="move quiet-form" @submit=${deletion.submit}>${deletion.button("Delete the account", "Deleting")}</form>${deletion.trouble()}`}</section>`
            : nothing}</div>
        </div>`;
    },
  };
};
