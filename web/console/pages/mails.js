import { html } from "../../vendor/lit.js";
import { rows } from "../rows.js";
import { moment, orderLink, sign, userLink } from "../words.js";

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
        (/** @type {import("../../shared/api.js").Schemas["Email"]} */ one) => html`<tr><td>${moment(one.created_at)}</td><td>${one.template.replaceAll("_", " ")}</td><td>${one.order_id ? orderLink(one.order_id) : ""}</td><td>${userLink(one.user_id)}</td><td>${sign(one.status)}</td><td>${one.reason?.replaceAll("_", " ") ?? ""}</td><td class="number">${one.attempts}</td><td>${one.sent_at ? moment(one.sent_at) : ""}</td></tr>`,
        "No mail was written yet.",
      )}`,
  };
};
