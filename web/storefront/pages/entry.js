// Ways into an account: signing in, registering, and what the links in mails lead to.

import { html, signal } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { Refused, ask } from "../../shared/api.js";
import { go } from "../../shared/router.js";
import { forget, signIn } from "../../shared/session.js";
import { form } from "../../shared/form.js";
import { empty, field } from "../../shared/parts.js";

export const PASSWORD_HINT = "12 characters or more. A few words that only you would put together are good.";

/**
 * Where to go on: a page of ours, and never another site's.
 *
 * @param {URL} url
 */
function next(url) {
  const given = url.searchParams.get("next") ?? "/account";
  const to = new URL(URL.canParse(given, location.origin) ? given : "/account", location.origin);
  return to.origin === location.origin ? to.pathname + to.search : "/account";
}

/** @param {URL} url @param {string} path */
const keeping = (url, path) => (url.searchParams.has("next") ? `${path}?next=${encodeURIComponent(next(url))}` : path);

/** The token in a mail's link: behind the `#`, so that no server logs it. It is taken out of the address at once. */
function mailToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
  return token ?? undefined;
}

/** @param {unknown} error */
const credentials = (error) =>
  error instanceof Refused && error.code === "invalid_credentials" ? "The e-mail address and the password do not belong together." : undefined;

/** @type {import("../../shared/router.js").Setup} */
export const signInPage = (_params, url) => {
  const own = form(async ({ email = "", password = "" }) => {
    await signIn(email, password);
    await go(next(url), { replace: true });
    say("You are signed in");
  }, credentials);
  return {
    title: () => "Sign in",
    view: () => html`<div class="inner slim"><h1>Sign in</h1>
      <form class="panel stack" @submit=${own.submit}>
        ${field({ name: "email", label: "E-mail", type: "email", autocomplete: "username", mistake: own.about("/email") })}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", max: 512, mistake: own.about("/password") })}
        ${own.trouble(["/email", "/password"])}
        ${own.button("Sign in", "Signing in")}
        <p class="row"><a href=${keeping(url, "/register")}>Make an account</a><a href="/account/password">Forgot the password?</a></p>
      </form></div>`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const registerPage = (_params, url) => {
  const key = crypto.randomUUID();
  const own = form(
    async ({ name = "", email = "", password = "" }) => {
      await ask("POST", "/users", { body: { name: name.trim(), email: email.trim(), password }, key, open: true });
      await signIn(email.trim(), password);
      await go(next(url), { replace: true });
      say("Your account is ready, and you are signed in");
    },
    (error) => {
      if (!(error instanceof Refused)) return undefined;
      if (error.code === "email_taken") return "There is an account with this e-mail address. Sign in, or set another password.";
      return undefined;
    },
  );
  return {
    title: () => "Make an account",
    view: () => html`<div class="inner slim"><h1>Make an account</h1>
      <form class="panel stack" @submit=${own.submit}>
        ${field({ name: "name", label: "Name", autocomplete: "name", max: 100, mistake: own.about("/name") })}
        ${field({ name: "email", label: "E-mail", type: "email", autocomplete: "username", mistake: own.about("/email") })}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "new-password", max: 512, hint: PASSWORD_HINT, mistake: own.about("/password") })}
        ${own.trouble(["/name", "/email", "/password"])}
        ${own.button("Make the account", "Making the account")}
        <p>Have one already? <a href=${keeping(url, "/sign-in")}>Sign in</a></p>
      </form></div>`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const confirmPage = () => {
  const token = mailToken();
  const state = signal(/** @type {"open" | "done"} */ ("open"));
  // By a click: programs that look at links in mails open them too.
  const own = form(async () => {
    await ask("POST", "/email-confirmations", { body: { token }, open: true });
    state.value = "done";
    say("Your e-mail address is confirmed");
  }, unproven);
  return {
    title: () => "Confirm your e-mail address",
    view: () => {
      if (state.value === "done") return empty({ heading: "Your e-mail address is confirmed", text: "Thank you.", sign: "circle-check", action: html`<a class="button" href="/">To the shop</a>` });
      if (token === undefined) return empty({ heading: "This link is not whole", text: "Open it from the mail once more, or have another one sent from your account.", sign: "mail", action: html`<a class="button" href="/account">Your account</a>` });
      return html`<div class="inner slim"><h1>Confirm your e-mail address</h1>
        <form class="panel stack" @submit=${own.submit}><p>One click, and we know that our mails reach you.</p>${own.trouble()}${own.button("Confirm", "Confirming")}</form></div>`;
    },
  };
};

/** @param {unknown} error */
function unproven(error) {
  if (!(error instanceof Refused)) return undefined;
  const isOld = error.code === "invalid_mail_token" || error.about("/token") !== undefined;
  return isOld ? "This link is too old, was used before, or is not whole. Have another one sent." : undefined;
}

/** @type {import("../../shared/router.js").Setup} */
export const passwordPage = () => {
  const token = mailToken();
  const sentTo = signal("");
  const done = signal(false);
  const request = form(async ({ email = "" }) => {
    await ask("POST", "/password-resets", { body: { email: email.trim() }, open: true });
    sentTo.value = email.trim();
    say("If this address has an account, a mail is on its way");
  });
  const complete = form(async ({ password = "" }) => {
    await ask("POST", "/password-resets/complete", { body: { token, password }, open: true });
    forget();
    done.value = true;
    say("Your new password is set");
  }, unproven);
  return {
    title: () => (token === undefined ? "Forgot the password" : "Set a new password"),
    view: () => {
      if (done.value) return empty({ heading: "Your new password is set", text: "All sessions of before are over.", sign: "circle-check", action: html`<a class="button" href="/sign-in">Sign in</a>` });
      if (sentTo.value !== "") return empty({ heading: "Look into your mail", text: html`If <strong>${sentTo.value}</strong> has an account, a mail with a link is on its way. It is good for an hour.`, sign: "mail" });
      if (token === undefined) {
        return html`<div class="inner slim"><h1>Forgot the password?</h1><form class="panel stack" @submit=${request.submit}>
          <p>We send you a link with which you set another one.</p>
          ${field({ name: "email", label: "E-mail", type: "email", autocomplete: "username", mistake: request.about("/email") })}
          ${request.trouble(["/email"])}${request.button("Send the link", "Sending")}</form></div>`;
      }
      return html`<div class="inner slim"><h1>Set a new password</h1><form class="panel stack" @submit=${complete.submit}>
        ${field({ name: "password", label: "New password", type: "password", autocomplete: "new-password", max: 512, hint: PASSWORD_HINT, mistake: complete.about("/password") })}
        ${complete.trouble(["/password"])}${complete.button("Set it", "Setting it")}
        <p><a href="/account/password">Send another link</a></p></form></div>`;
    },
  };
};
