// SPDX-License-Identifier: GPL-2.0-or-later
// Sign-in with a token, which is kept for this tab.

import {token} from "../api.js";
import {field, h, notice} from "../dom.js";

const COMMAND = `T=$(openssl rand -hex 32)
echo "token:  $T"
echo "sha256: $(printf %s "$T" | sha256sum | cut -d' ' -f1)"`;

const ENTRY = `tokens:
  - {name: YOUR-NAME, sha256: THE-SHA256, role: viewer}`;

/** docs/credentials.md has the same for those who read it. */
function howToGetOne() {
    return h("section", {class: "card"},
             h("h2", {}, "How to get a token"),
             h("ol", {},
               h("li", {}, "In a shell on the gateway, make a token and its hash:", h("pre", {tabindex: 0}, COMMAND)),
               h("li", {}, "Add the hash to the file that ", h("code", {}, "http.credentials"), " of the configuration names, usually ",
                 h("code", {}, "/etc/headgate/credentials.yaml"), ". The role ", h("code", {}, "operator"), " may also flush, and change the policy.", h("pre", {tabindex: 0}, ENTRY)),
               h("li", {}, "Have the agent read it:", h("pre", {tabindex: 0}, "sudo systemctl reload headgate"))));
}

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
        h("div", {class: "sign-in"},
          h("form", {onsubmit: submit},
            fault && notice("error", fault),
            field("Token", control, "One of the gateway's bearer tokens. It is kept in this tab alone, and gone with it."),
            h("button", {class: "primary", type: "submit"}, "Sign in")),
          howToGetOne()));
    control.focus();
}
