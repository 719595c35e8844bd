// SPDX-License-Identifier: GPL-2.0-or-later
// Sign-in with a token, which is kept for this tab.

import {token} from "../api.js";
import {field, h, notice} from "../dom.js";

export function render(main, fault, signedIn) {
    const control = h("input", {type: "password", autocomplete: "off", required: true, spellcheck: "false"});
    const submit = event => {
        event.preventDefault();
        const said = control.value.trim();
        // Characters not allowed in a header field cannot be part of a token.
        if (!/^[\x21-\x7e]+$/.test(said)) return render(main, "A token has letters, digits and signs alone, no spaces.", signedIn);
        token.set(said);
        return signedIn();
    };
    main.replaceChildren(
        h("h1", {}, "Sign in"),
        h("form", {class: "sign-in", onsubmit: submit},
          fault && notice("error", fault),
          field("Token", control, "One of the gateway's bearer tokens. It is kept in this tab alone, and gone with it."),
          h("button", {class: "primary", type: "submit"}, "Sign in")));
    control.focus();
}
