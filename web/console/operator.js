// Who may use the console: an administrator who is signed in, or, in the demo of `cargo run`, whoever opens it.

import { effect, html, signal, untracked } from "../vendor/lit.js";
import { Refused, ask, client } from "../shared/api.js";
import { form } from "../shared/form.js";
import { empty, field, unreachable } from "../shared/parts.js";
import { go } from "../shared/router.js";
import { signIn, signOut, user } from "../shared/session.js";

/** @typedef {import("../shared/api.js").Schemas["User"]} User */

/** The administrator; `null` where nobody is one, `undefined` where nobody answered. */
export const operator = signal(/** @type {User | null | undefined} */ (undefined));
export const isDemo = signal(false);

/** Finds out who asks. */
export async function findOut() {
  // Who is signed in is who they are; a guest of the demo is its administrator, if the demo takes them for it.
  if (user.peek() === null) client.transport = undefined;
  try {
    const { data } = await ask("GET", "/users/me");
    operator.value = data.role === "admin" ? data : null;
    isDemo.value = user.peek() === null;
  } catch (error) {
    // That the shop is busy or ill says nothing of who asks.
    operator.value = error instanceof Refused && error.status < 429 ? null : undefined;
  }
  if (operator.peek() === null || !isDemo.peek()) client.transport = "cookie";
}

effect(() => {
  const now = user.value;
  if (!operator.peek() || isDemo.peek() || now?.id === operator.peek()?.id) return;
  // Another tab has signed out, or let somebody else in.
  operator.value = null;
  if (now) void findOut().then(() => go(location.href, { replace: true, stay: true }));
});

export async function leave() {
  await signOut();
  operator.value = null;
}

/** @returns {import("../shared/router.js").Page} */
function entry() {
  const own = form(
    async ({ email = "", password = "" }) => {
      await signIn(email, password);
      await findOut();
      await go(location.pathname + location.search, { replace: true });
    },
    (error) => (error instanceof Refused && error.code === "invalid_credentials" ? "The e-mail address and the password do not belong together." : undefined),
  );
  return {
    title: () => "Sign in",
    view: () => {
      if (operator.value === undefined) return unreachable(() => void findOut().then(() => go(location.href, { replace: true })), 1, "Check your connection, and whether the shop runs.");
      if (user.value !== null && operator.value === null) {
        return empty({
          heading: "This account is no administrator’s",
          text: "The console is for those who run the shop.",
          sign: "circle-alert",
          action: html`<p class="actions"><button class="button" @click=${leave}>Sign in as somebody else</button><a class="button quiet" href="/">To the shop</a></p>`,
        });
      }
      return html`<div class="slim"><h1>Sign in</h1><form class="panel stack" @submit=${own.submit}>
        ${field({ name: "email", label: "E-mail", type: "email", autocomplete: "username", mistake: own.about("/email") })}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", max: 512, mistake: own.about("/password") })}
        ${own.trouble(["/email", "/password"])}${own.button("Sign in", "Signing in")}</form></div>`;
    },
  };
}

/**
 * A page for administrators only. The API refuses all others; this shows them the way in.
 *
 * @param {import("../shared/router.js").Setup} setup
 * @returns {import("../shared/router.js").Setup}
 */
export const gate = (setup) => async (params, url) => {
  if (!operator.peek()) return entry();
  const inner = await setup(params, url);
  const outer = entry();
  let isLeft = false;
  function leaveInner() {
    if (!isLeft) inner.leave?.();
    isLeft = true;
  }
  // Who is shown the entry is not to ask on behind it.
  const stop = effect(() => {
    if (!operator.value) untracked(leaveInner);
  });
  return {
    ...inner,
    leave() {
      stop();
      leaveInner();
    },
    title: () => (operator.value ? inner.title() : outer.title()),
    view: () => (operator.value ? inner.view() : outer.view()),
  };
};
