// SPDX-License-Identifier: GPL-2.0-or-later
// Drives the unmodified AWS SDK for JavaScript with lines of JSON: {id, operation, input, client}. Prints a line with the
// result of each when it is available; calls may run concurrently. `tamper` selects a modification of requests in transit.
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-network-firewall";

// Simulates a wrong clock: its offset in milliseconds.
const shift = Number(process.env.CLOCK_SHIFT ?? 0);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length ? parts : [RealDate.now() + shift]));
  }
  static now() {
    return RealDate.now() + shift;
  }
};

const tampering = {
  // Changes the body after it was signed.
  body: (next) => async (args) => {
    args.request.body = args.request.body.replace("10.", "11.");
    return next(args);
  },
  // Loses the first response, so that the SDK retries.
  "lost answer": (next) => {
    let lost = false;
    return async (args) => {
      const result = await next(args);
      if (lost) return result;
      lost = true;
      throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET", $retryable: {} });
    };
  },
};

const clients = new Map();

// Adds members, before signing, that only a later version of the SDK or another client would send.
const adding = (members) => (next) => async (args) => {
  args.request.body = JSON.stringify({ ...JSON.parse(args.request.body), ...members });
  return next(args);
};

function clientFor({ endpoint, key, secret, attempts, tamper, members }) {
  const name = JSON.stringify([endpoint, key, secret, attempts, tamper, members]);
  if (!clients.has(name)) {
    const client = new sdk.NetworkFirewallClient({
      endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: key, secretAccessKey: secret },
      maxAttempts: attempts ?? 3,
    });
    if (tamper) client.middlewareStack.add(tampering[tamper], { step: "deserialize", priority: "low", name: "tampering" });
    if (members) client.middlewareStack.add(adding(members), { step: "serialize", priority: "low", name: "adding" });
    clients.set(name, client);
  }
  return clients.get(name);
}

async function pages({ operation, input, client }) {
  const all = [];
  for await (const page of sdk[`paginate${operation}`]({ client: clientFor(client) }, input)) all.push(page);
  return { output: all };
}

async function call({ operation, input, client }) {
  const { $metadata, ...output } = await clientFor(client).send(new sdk[`${operation}Command`](input));
  return { output, status: $metadata.httpStatusCode, attempts: $metadata.attempts, request_id: $metadata.requestId };
}

function told(error) {
  const { httpStatusCode: status, attempts, totalRetryDelay: delay } = error.$metadata ?? {};
  return { error: error.name, type: error.constructor.name, message: error.message, fault: error.$fault, status, attempts, delay };
}

async function answer(line) {
  const question = JSON.parse(line);
  const result = await (question.paginate ? pages : call)(question).catch(told);
  process.stdout.write(`${JSON.stringify({ id: question.id, ...result })}\n`);
}

createInterface({ input: process.stdin }).on("line", answer);
