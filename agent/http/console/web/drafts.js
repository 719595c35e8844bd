// SPDX-License-Identifier: GPL-2.0-or-later
// What a user has typed into a form, kept in this tab until they sign out: for each address of the console one draft.

const PREFIX = "headgate-draft ";
const OWNER = "headgate-drafts-of";

const keys = () => Object.keys(sessionStorage).filter(each => each.startsWith(PREFIX));

export function forgetDrafts() {
    for (const each of [...keys(), OWNER]) sessionStorage.removeItem(each);
}

/** Another user does not see the drafts of the one before. */
export function draftsBelongTo(user) {
    if (sessionStorage.getItem(OWNER) === user) return;
    forgetDrafts();
    sessionStorage.setItem(OWNER, user);
}

/** The draft of one address; `value` is undefined while nothing has been typed there. */
export function draftAt(address) {
    const key = PREFIX + address;
    return {
        get value() {
            const text = sessionStorage.getItem(key);
            return text === null ? undefined : JSON.parse(text);
        },
        keep: value => sessionStorage.setItem(key, JSON.stringify(value)),
        forget: () => sessionStorage.removeItem(key),
    };
}
