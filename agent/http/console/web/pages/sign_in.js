// Who has a token says it here; it stays in this tab.

import {token} from "../api.js";
import {field, h, notice} from "../dom.js";

export function render(main, fault, signedIn) {
    const control = h("input", {type: "password", autocomplete: "off", required: true, spellcheck: "false"});
    const submit = event => {
        event.preventDefault();
        token.set(control.value.trim());
        signedIn();
    };
    main.replaceChildren(
        h("h1", {}, "Sign in"),
        h("form", {class: "sign-in", onsubmit: submit},
          fault && notice("error", fault),
          field("Token", control, "One of the gateway's bearer tokens. It is kept in this tab alone, and gone with it."),
          h("button", {class: "primary", type: "submit"}, "Sign in")));
    control.focus();
}
