// SPDX-License-Identifier: GPL-2.0-or-later
// The types of operations, with the facts of headgate/operation_type.h and the words of the pages. No page compares types.

const KINDS = {
    FLOW_CAPTURE: {
        verb: "capture", changesFlows: false, hasOutcomes: false, hasEarlyFlows: true, hasVerdicts: false,
        form: "Configure flow capture", submit: "Capture", listed: "Captures",
        // The defaults come first.
        states: [["", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"], ["ANY", "Any, closed ones too"]],
        minimumAge: "Younger flows are left out. 60 or more also leaves out what is not yet established.",
    },
    FLOW_FLUSH: {
        verb: "flush", changesFlows: true, hasOutcomes: true, hasEarlyFlows: false, hasVerdicts: false,
        form: "Configure flow flush", submit: "See what it would do", listed: "Flushes and dry runs",
        states: [["", "Any, closed ones too"], ["ACTIVE", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"]],
        minimumAge: "Younger flows are left out.",
    },
    FLOW_REMATCH: {
        verb: "rematch", changesFlows: false, hasOutcomes: false, hasEarlyFlows: true, hasVerdicts: true,
        form: "Which flows would the rules no longer allow?", submit: "Judge the flows", listed: "Rematches",
        states: [["", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"], ["ANY", "Any, closed ones too"]],
        minimumAge: "Younger flows are left out.",
    },
};

/** Of an operation, or of a request for one. */
export const kindOf = ({type}) => KINDS[type];

export const typeOf = verb => Object.keys(KINDS).find(type => KINDS[type].verb === verb);

/** Whether it changes no flow. */
export const onlyLooks = operation => !kindOf(operation).changesFlows || Boolean(operation.dry_run);

/** For a list to choose from. */
export const TYPES = Object.entries(KINDS).map(([type, {listed}]) => [type, listed]);
