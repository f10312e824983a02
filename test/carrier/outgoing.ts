import { setTimeout as wait } from "node:timers/promises";
import type { FaultFacts, FaultPoint, Faults } from "./faults.ts";
import type { Switches } from "./switches/index.ts";
import type { HttpAnswer, Transport } from "./transport.ts";
import { createWebhookSender, type WebhookSender, type WebhookSenderOptions } from "./webhooks.ts";

/** What of a project its outgoing requests depend on. */
export interface OutgoingHost {
  readonly signing_key: string;
  readonly switches: Switches;
  readonly faults: Faults;
  readonly transport: Transport;
}

/** The limits are the client's to meet, so they run on the wall's clock whatever the project's speed. */
const wallClock = {
  now: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal, ref: false }),
};

/** A sender that signs as the project does and fails where its faults say so. */
export function outgoing(
  host: OutgoingHost,
  at: Exclude<FaultPoint, "rest">,
  facts: FaultFacts,
  note: WebhookSenderOptions["note"],
): WebhookSender {
  return createWebhookSender({
    signing_key: () => host.signing_key,
    fragment_is_signed: () => host.switches.fragment_is_signed,
    standard_port_is_signed: () => host.switches.cxml_signs_port,
    callbacks_are_signed: () => host.switches.status_callbacks_are_signed,
    clock: wallClock,
    note,
    send: async (request, { signal }): Promise<HttpAnswer> => {
      const fault = host.faults.fire(at, facts);
      const go = () => host.transport(request, signal);
      switch (fault?.kind) {
        case undefined:
        // Of commands and REST alone.
        case "late":
          return go();
        case "delay":
          await wait(fault.ms, undefined, { signal, ref: false });
          return go();
        case "duplicate": {
          const [first] = await Promise.all([go(), go()]);
          return first;
        }
        case "swallow":
        case "close_after":
          // It arrives; what it answers does not.
          await go();
          throw new Error("the connection was lost before the answer");
        case "code":
          return { status: Number(fault.code), headers: {}, body: "" };
        case "error":
          return { status: 500, headers: {}, body: "" };
        case "reorder":
        case "go_silent": {
          // Held back: a later request overtakes it.
          await wait(fault.kind === "go_silent" ? fault.ms : 100, undefined, { signal, ref: false });
          return go();
        }
        case "lose":
        case "ignore":
          // Nobody answers: the time limits decide.
          await new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          });
          throw new Error("nobody answered");
        case "refuse":
        case "drop_socket":
        case "close_before":
          throw new Error("connection refused");
      }
    },
  });
}
