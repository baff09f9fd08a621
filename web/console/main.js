// The console: what an operator sees and does. All of it asks for an administrator.

import { effect, html, render } from "../vendor/lit.js";
import { address, page, start } from "../shared/router.js";
import { resume } from "../shared/session.js";
import "./icons.js";
import { frame } from "./frame.js";
import { findOut, gate } from "./operator.js";
import { alerts } from "./pages/alerts.js";
import { deadLetter, deadLetters, redrive } from "./pages/dead-letters.js";
import { newImport, oneImport } from "./pages/imports.js";
import { mail, mails } from "./pages/mails.js";
import { events, queues } from "./pages/monitor.js";
import { order, orders } from "./pages/orders.js";
import { overview } from "./pages/overview.js";
import { newProduct, product, products } from "./pages/products.js";
import { sales } from "./pages/sales.js";
import { settings } from "./pages/settings.js";
import { story } from "./pages/story.js";
import { user, users } from "./pages/users.js";
import { empty } from "../shared/parts.js";

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
effect(() => {
  const shown = page.value;
  if (shown === undefined) return;
  document.title = `${shown.title()} · Console`;
  render(frame(shown.view(), address.value), app);
});

await resume();
await findOut();
await start(
  {
    "/console": gate(overview),
    "/console/orders": gate(orders),
    "/console/orders/:id": gate(order),
    "/console/products": gate(products),
    "/console/products/new": gate(newProduct),
    "/console/products/:id": gate(product),
    "/console/users": gate(users),
    "/console/users/:id": gate(user),
    "/console/sales": gate(sales),
    "/console/alerts": gate(alerts),
    "/console/mails": gate(mails),
    "/console/mails/:id": gate(mail),
    "/console/imports": gate(newImport),
    "/console/imports/:id": gate(oneImport),
    "/console/events": gate(events),
    "/console/stories/:id": gate(story),
    "/console/queues": gate(queues),
    "/console/dead-letters": gate(deadLetters),
    "/console/dead-letters/:id": gate(deadLetter),
    "/console/redrives/:id": gate(redrive),
    "/console/settings": gate(settings),
  },
  () => ({
    title: () => "Not found",
    view: () => empty({ heading: "There is nothing here", text: "The address may be mistyped.", sign: "search", action: html`<a class="button" href="/console">To the overview</a>` }),
  }),
);
