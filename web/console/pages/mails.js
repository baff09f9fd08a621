// Mails: what became of each, and what one says.

import { html, nothing, signal } from "../../vendor/lit.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { empty, notice, unreachable } from "../../shared/parts.js";
import { rows } from "../rows.js";
import { facts, mailLink, moment, orderLink, sign, userLink } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */

/** @type {import("../../shared/router.js").Setup} */
export const mails = () => {
  const list = rows(() => "/emails?limit=50");
  const ready = list.read();
  return {
    title: () => "Mails",
    ready,
    view: () => html`<h1>Mails</h1>
      ${list.view(
        ["Made", "About", "Order", "To", "Status", "Why", "#Attempts", "Sent"],
        (/** @type {Schemas["Email"]} */ one) => html`<tr><td>${moment(one.created_at)}</td><td>${mailLink(one)}</td><td>${one.order_id ? orderLink(one.order_id) : ""}</td><td>${userLink(one.user_id)}</td><td>${sign(one.status)}</td><td>${one.reason?.replaceAll("_", " ") ?? ""}</td><td class="number">${one.attempts}</td><td>${one.sent_at ? moment(one.sent_at) : ""}</td></tr>`,
        "No mail was written yet.",
      )}`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const mail = ({ id = "" }) => {
  const shown = signal(/** @type {Schemas["EmailWithLetter"] | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));

  async function load() {
    failure.value = undefined;
    try {
      shown.value = (await ask("GET", `/emails/${encodeURIComponent(id)}`)).data;
    } catch (error) {
      if (error instanceof Refused && error.status < 429) shown.value = null;
      else failure.value = error;
    }
  }
  const ready = load();

  return {
    title: () => (shown.value?.letter ? shown.value.letter.subject : "Mail"),
    ready,
    view: () => {
      const one = shown.value;
      if (failure.value !== undefined) return unreachable(load, 1, explain(failure.value));
      if (one === null) return empty({ heading: "There is no such mail", text: "The id may be mistyped.", sign: "mail", action: html`<a class="button" href="/console/mails">All mails</a>` });
      if (one === undefined) return html`<h1>Mail</h1><div class="skeleton"><span class="bone tall"></span></div>`;
      const { email, letter } = one;
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/mails">Mails</a> / <span class="mono">${email.id}</span></nav>
        <div class="title-row"><h1>Mail ${sign(email.status)}</h1></div>
        <div class="halves"><div><section class="panel" aria-labelledby="says"><h2 id="says">What it says</h2>
          ${letter
            ? html`<p class="mail-subject">${letter.subject}</p><pre class="mail" tabindex="0" aria-label="The mail’s text">${letter.text}</pre>
              <p class="quiet-text">Written anew from what the shop knows now: no text of a mail is kept. ${letter.text.includes("--------") ? "The code is in the mail alone." : nothing}</p>`
            : notice("info", "What it was about is no more: the account was deleted, or the order is gone.")}</section></div>
          <div><section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([
            ["About", email.template.replaceAll("_", " ")],
            ["Order", email.order_id ? orderLink(email.order_id) : undefined],
            ["To", userLink(email.user_id)],
            ["Why", email.reason?.replaceAll("_", " ") ?? undefined],
            ["Attempts", email.attempts],
            ["Made", moment(email.created_at)],
            ["Changed", moment(email.updated_at)],
            ["Sent", email.sent_at ? moment(email.sent_at) : undefined],
            ["At SES", email.message_id ? html`<span class="mono">${email.message_id}</span>` : undefined],
          ])}</section></div></div>`;
    },
  };
};
